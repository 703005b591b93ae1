# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Has an image in the cache, once: whoever comes second waits, and finds it there."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import signal

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.events import EventLog
from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer.image import ImageError, ensure, normalise
from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer.registry import host_of


def fetch(options):
    """Have options.reference at options.dest, with the events of a run when options.spec names one. Returns 0.

    Raises AgentError with the runtime's own words.
    """
    signal.signal(signal.SIGTERM, _ended)
    events = None
    if options.spec:
        events = EventLog(run_dir.RunDir(run_dir.read_spec(options.spec)).path("events", "image.jsonl"), "image")
        events.emit("pull_started", reference=options.reference, dest=options.dest)
    try:
        registry = _registry(options)
        facts = ensure(
            options.reference,
            os.path.abspath(options.dest),
            options.runtime,
            digest=options.digest,
            credentials=(registry["username"], registry["password"]) if "username" in registry else None,
            no_https=registry.get("insecure", False),
        )
    except (ImageError, AgentError, OSError) as e:
        if events:
            events.emit("failed", reason=str(e), reference=options.reference)
        raise AgentError(str(e))
    if events:
        done = {name: facts[name] for name in ("reference", "digest", "sha256", "bytes")}
        events.emit("pull_done", cached=not facts["changed"], **done)
    return 0


def _registry(options):
    """What was shipped of the registry of this image (dict: username, password, insecure); {} without."""
    if not options.spec:
        return {}
    path = os.path.join(run_dir.read_spec(options.spec)["run_dir"], "secrets", run_dir.REGISTRIES)
    try:
        with open(path) as stream:
            known = json.load(stream)
    except FileNotFoundError:
        return {}
    return known.get(host_of(normalise(options.reference))) or {}


def _ended(number, frame):
    raise AgentError("the job was cancelled or reached its time limit")
