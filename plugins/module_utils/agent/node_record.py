# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a node is, and what a job finds on it, in full: nodes/ROLE-NODE.json, once for each node and role.

What a node does not tell is null, and `missing` says why; nothing is guessed.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import platform

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import node, nvidia_smi, redaction, run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.events import node_name

FOLDER = "nodes"
_GOVERNOR = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
_CLOCK = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
_REASONS = {
    "boot_id": "/proc/sys/kernel/random/boot_id can't be read",
    "cpu_model": "/proc/cpuinfo has no 'model name'",
    "memory_bytes": "/proc/meminfo has no 'MemTotal'",
    "cpus": "the system does not tell",
    "runtime": "this part of the run starts no container of the service",
}


def write(where, spec, role, described):
    """Write the record of this node for `role` (service, service-NAME, clients), or nothing where there is no room.

    where: a RunDir; described (dict): node.describe's.
    """
    facts = collect(described, os.environ, secret_texts(where.root), spec["run_id"])
    name = "%s-%s.json" % (run_dir.file_name(role), run_dir.file_name(node_name()))
    record = dict(facts, node=node_name(), role=role)
    run_dir.write_if_room(os.path.join(where.root, FOLDER, name), json.dumps(record, sort_keys=True, indent=1) + "\n")


def collect(described, environ, secrets=(), run_id=""):
    """The record (dict) without node and role: node.describe's facts, what is beyond them, and `missing`."""
    facts, missing = dict(described), {}
    for name, value in described.items():
        if value is None:
            missing[name] = _REASONS.get(name, "the system does not tell")
    found = {
        "architecture": (platform.machine() or None, "the system does not tell"),
        "os": (_os_name(), "/etc/os-release has no PRETTY_NAME"),
        "cpus_allowed": _cpus_allowed(),
        "cpu_governor": (
            node.line(_GOVERNOR),
            _GOVERNOR + " can't be read",
        ),
        "clocksource": (node.line(_CLOCK), _CLOCK + " can't be read"),
        "modules_loaded": _modules(environ),
        "environment": (redaction.environment(environ, secrets, run_id), ""),
    }
    found.update(_gpus(environ))
    for name, (value, reason) in found.items():
        facts[name] = value
        if value is None:
            missing[name] = reason
    facts["missing"] = missing
    return facts


def secret_texts(root):
    """The secrets (list of str) that were shipped with the run or made for it, as far as they can be read here."""
    found = []
    for folder, _folders, names in os.walk(os.path.join(root, "secrets")):
        for name in names:
            try:
                with open(os.path.join(folder, name), errors="replace") as stream:
                    text = stream.read()
            except OSError:
                continue
            found += _registry_words(text) if name == run_dir.REGISTRIES else [text]
    return sorted(found, key=len, reverse=True)


def _registry_words(text):
    try:
        accounts = json.loads(text).values()
    except (ValueError, AttributeError):
        return []
    return [str(account["password"]) for account in accounts if account.get("password")]


def _os_name():
    value = node.first_value("/etc/os-release", "PRETTY_NAME", "=")
    return value.strip("\"'") or None if value else None


def _cpus_allowed():
    try:
        return len(os.sched_getaffinity(0)), ""
    except (AttributeError, OSError) as e:
        return None, "the system does not tell: %s" % e


def _modules(environ):
    if "LOADEDMODULES" not in environ:
        return None, "LOADEDMODULES is not set: the site has no environment modules, or none is loaded"
    return [name for name in environ["LOADEDMODULES"].split(":") if name], ""


def _gpus(environ):
    """`gpus` and `gpu_driver`, each with the reason where it is None."""
    rows, why = nvidia_smi.query(["name", "memory.total", "power.limit", "driver_version"], environ)
    if rows is None:
        return {"gpus": (None, why), "gpu_driver": (None, why)}
    gpus = [
        {"name": row[2], "uuid": row[1], "memory_bytes": _number(row[3], 1 << 20), "power_limit_w": _number(row[4], 1)}
        for row in rows
    ]
    return {"gpus": (gpus, ""), "gpu_driver": (rows[0][5] or None, "nvidia-smi does not tell")}


def _number(text, scale):
    """A number of nvidia-smi (int or float) times scale; None for [N/A]."""
    try:
        value = float(text) * scale
    except ValueError:
        return None
    return int(value) if value == int(value) else value
