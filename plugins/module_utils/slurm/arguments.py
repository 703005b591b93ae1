# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the Slurm modules, for the modules and for the action plugins of the same names. No I/O."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

COMMON_OPTIONS = {
    "slurm_conf": {"type": "path"},
    "bin_dir": {"type": "path"},
    "deadline_s": {"type": "int", "default": 180},
}
RESOURCES = {
    "account": {"type": "str"},
    "partition": {"type": "str"},
    "qos": {"type": "str"},
    "reservation": {"type": "str"},
    "time_limit": {"type": "str"},
    "nodes": {"type": "str"},
    "ntasks": {"type": "int"},
    "ntasks_per_node": {"type": "int"},
    "cpus_per_task": {"type": "int"},
    "memory": {"type": "str"},
    "gres": {"type": "str"},
    "gpus_per_node": {"type": "str"},
    "constraint": {"type": "str"},
    "exclude_nodes": {"type": "str"},
    "nodelist": {"type": "str"},
    "licenses": {"type": "str"},
    "exclusive": {"type": "bool"},
}
WHOLE_JOB = {
    "dependency": {"type": "str"},
    "array": {"type": "str"},
    "comment": {"type": "str"},
    "export": {"type": "str"},
    "chdir": {"type": "path"},
    "output": {"type": "str"},
    "error": {"type": "str"},
    "signal": {"type": "str"},
    "begin": {"type": "str"},
    "requeue": {"type": "bool"},
    "hold": {"type": "bool"},
}
_JOB = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "script": {"type": "path"},
    "content": {"type": "str"},
    "script_args": {"type": "list", "elements": "str", "default": []},
    "args": {"type": "list", "elements": "str", "default": []},
    "components": {"type": "list", "elements": "dict", "default": [], "options": RESOURCES},
    "rerun": {"type": "str", "choices": ["never", "failed", "always"], "default": "never"},
    "wait": {"type": "str", "choices": ["no", "started", "finished"], "default": "no"},
    "timeout_s": {"type": "int", "default": 600},
}

# Arguments of AnsibleModule: argument_spec and the rules between options.
JOB = {
    "argument_spec": dict(COMMON_OPTIONS, **dict(RESOURCES, **dict(WHOLE_JOB, **_JOB))),
    "mutually_exclusive": [("script", "content")],
    "required_if": [("state", "present", ("script", "content"), True)],
}
JOB_INFO = {
    "argument_spec": dict(
        COMMON_OPTIONS,
        ids={"type": "list", "elements": "str", "default": [], "aliases": ["jobs"]},
        names={"type": "list", "elements": "str", "default": []},
        user={"type": "str"},
        steps={"type": "bool", "default": False},
    ),
    "required_one_of": [("ids", "names")],
}
CLUSTER_INFO = {"argument_spec": dict(COMMON_OPTIONS, user={"type": "str"}, queue={"type": "bool", "default": False})}
