# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How Prometheus finds an agent: a file for each in one directory of the user's, and the token that opens them all.

Prometheus reads such files again when they change, and the token for each question; it can have one token for many
targets, not one for each. So the token belongs to the directory, not to a run. Source: Prometheus documentation,
"file_sd_config" and "authorization".
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib
import json
import os
import secrets

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError

TOKEN = "token"
_TOKEN_BYTES = 32
_SHORTEST = 32  # characters


def token(directory):
    """The token (str) of the directory; the first who needs one makes it, with mode 0600.

    Raises OSError, AgentError.
    """
    os.makedirs(directory, mode=0o700, exist_ok=True)
    path = os.path.join(directory, TOKEN)
    if not os.path.exists(path):
        part = "%s.part-%s" % (path, secrets.token_hex(8))
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(secrets.token_urlsafe(_TOKEN_BYTES))
        try:
            with contextlib.suppress(FileExistsError):  # somebody else was first: then it is that one
                os.link(part, path)
        finally:
            os.unlink(part)
    with open(path) as stream:
        found = stream.read().strip()
    if len(found) < _SHORTEST:
        raise AgentError("%s holds no token of at least %d characters: remove it" % (path, _SHORTEST))
    return found


class TargetFile:
    """One agent's file; `part` (str): which of the run's agents it is, such as `clients` or `service-redis-001`."""

    def __init__(self, directory, run_id, part, node):
        self.path = os.path.join(directory, "%s-%s-%s.json" % (run_id, part, run_dir.file_name(node)))

    def write(self, address, port, labels):
        """Say where the agent listens, and with which labels (dict of str) its series are kept.

        Raises AgentError where there is no room.
        """
        found = [{"targets": ["%s:%d" % (address, port)], "labels": labels}]
        if not run_dir.write_if_room(self.path, json.dumps(found, indent=1, sort_keys=True) + "\n"):
            raise AgentError("%s can't be written" % self.path)

    def remove(self):
        """Returns whether it is gone."""
        with contextlib.suppress(OSError):
            os.unlink(self.path)
        return not os.path.lexists(self.path)
