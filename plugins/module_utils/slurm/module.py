# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the Slurm modules share: their common options, their client, and how they fail."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib
import os
import pwd

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import errors
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient

COMMON_OPTIONS = {
    "slurm_conf": {"type": "path"},
    "bin_dir": {"type": "path"},
    "deadline_s": {"type": "int", "default": 180},
}


def client_of(module):
    """A SlurmClient that runs its commands through an AnsibleModule with COMMON_OPTIONS."""
    environment = {}
    for option, is_there in (("slurm_conf", os.path.isfile), ("bin_dir", os.path.isdir)):
        path = module.params[option]
        if path and not is_there(path):
            module.fail_json(msg="{0}: there is no {1} on this host (correct the path)".format(option, path))
    if module.params["slurm_conf"]:
        environment["SLURM_CONF"] = module.params["slurm_conf"]
    if module.params["bin_dir"]:
        environment["PATH"] = module.params["bin_dir"] + os.pathsep + os.environ.get("PATH", os.defpath)

    def run(argv, stdin=None):
        return module.run_command(argv, data=stdin, environ_update=environment, errors="surrogate_then_replace")

    return SlurmClient(run)


def own_user():
    """The name (str) of the user that the module runs as."""
    return pwd.getpwuid(os.geteuid()).pw_name


@contextlib.contextmanager
def told_to_user(module, client):
    """Inside, a SlurmError ends the module with Slurm's words, the remedy and the number of Slurm calls."""
    try:
        yield
    except errors.SlurmError as error:
        module.fail_json(msg=str(error), slurm_error=error.to_dict(), calls=client.counts)
