# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the service's container finds around it: environment variables and secrets; and its start."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import secrets
import subprocess
from itertools import chain

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import bcrypt, run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError


def environment(spec, variables, data_dir, secrets_dir, more=None):
    """The environment (dict of str) in which the container is started.

    `variables(data, secrets)` gives SERVICE_*. For a command on the host they have the paths of the host; for a
    container, by its runtime's prefix, its own. `more` (dict of str) is for both.
    """
    part = run_dir.service_part(spec)
    secret = run_dir.secret_variables(spec["run_dir"], part, spec["service"].get("environment_secrets") or [])
    env = dict(os.environ, **variables(data_dir, secrets_dir))
    env.update(secret)
    env.update(more or {})
    prefix = spec.get("runtime", "apptainer").upper() + "ENV_"
    inside = variables("/aifactory/data", "/aifactory/secrets")
    env.update((prefix + name, value) for name, value in chain(inside.items(), secret.items(), (more or {}).items()))
    return env


def start(argv, env, log):
    """A container's process (subprocess.Popen) in a session of its own. argv: list of str; log: an open file.

    Raises AgentError when the program can't be started.
    """
    try:
        # in a job there is no AnsibleModule
        return subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    except OSError as e:
        raise AgentError("cannot start %s: %s" % (argv[0], e.strerror))


def make_secrets(directory, names, hashed=()):
    """Make the secrets that are not there yet: files of mode 0600 in a directory of mode 0700.

    hashed: names of those of which NAME.bcrypt has the hash, for a server that takes nothing else.
    """
    os.makedirs(directory, mode=0o700, exist_ok=True)
    os.chmod(directory, 0o700)
    for name in names:
        path = os.path.join(directory, name)
        _make(path, lambda: secrets.token_urlsafe(24))
        if name in hashed:
            with open(path) as stream:
                password = stream.read().strip()
            _make(path + ".bcrypt", lambda password=password: bcrypt.hashed(password))


def _make(path, text):
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text() + "\n")
