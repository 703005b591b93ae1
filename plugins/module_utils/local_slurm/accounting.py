# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What slurmdbd must know of a local cluster: which sacctmgr commands bring it there. No I/O."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


def additions(cluster, account, users, qos, known):
    """The ``sacctmgr add`` commands for what is missing.

    :param qos: list of {"name": str, "set": [str, ...]}
    :param known: {"cluster", "qos", "account", "user"}: the set of names that exist
    :returns: list of argument lists, in the order in which they depend on each other
    """
    commands = []
    if cluster not in known["cluster"]:
        commands.append(["add", "cluster", cluster])
    missing = [level["name"] for level in qos if level["name"] not in known["qos"]]
    if missing:
        commands.append(["add", "qos", ",".join(missing)])
    if account not in known["account"]:
        commands.append(["add", "account", account, "cluster=" + cluster, "description=" + account])
    commands += [["add", "user", user, "account=" + account] for user in users if user not in known["user"]]
    return commands


def settings(account, qos, default_qos):
    """The ``sacctmgr modify`` commands that give every QOS its limits and the account its levels."""
    commands = [["modify", "qos", level["name"], "set"] + level["set"] for level in qos if level["set"]]
    names = ",".join(level["name"] for level in qos)
    # One call each: the default must be among the levels that the account already has.
    commands.append(["modify", "account", account, "set", "qos=" + names])
    commands.append(["modify", "account", account, "set", "defaultqos=" + default_qos])
    return commands


def is_unchanged(output):
    """Whether a failed ``modify`` only says that there was nothing to do (an error to sacctmgr)."""
    return "Nothing modified" in output or "Nothing new added" in output


def parse_names(output):
    """The names in the answer to ``sacctmgr -nP show … format=NAME``: a set without empty lines."""
    return {line.strip() for line in output.splitlines() if line.strip()}


def unready_nodes(output, nodes):
    """Those of nodes that cannot take jobs yet, from ``sinfo -hN -o '%N %T'``.

    A star after the state means that the node does not answer. A node that an administrator drained
    answers, and stays as it is.
    """
    states = dict(line.split(None, 1) for line in output.splitlines() if line.strip())
    return [node for node in nodes if not _answers(states.get(node, "missing").strip())]


def _answers(state):
    return not state.endswith("*") and not state.startswith(("down", "unknown", "missing", "fail"))
