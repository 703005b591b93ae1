# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Slurm modules on the target host: their client, and how they end."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib
import os
import pwd

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import errors
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.arguments import COMMON_OPTIONS
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient

__all__ = ["COMMON_OPTIONS", "ModuleHost", "client_of", "own_user", "run_task", "told_to_user"]


class ModuleHost:
    """The host of tasks.py that an AnsibleModule runs on."""

    def __init__(self, module):
        self._module = module
        self.params = module.params
        self.check_mode = module.check_mode
        self.client = client_of(module)
        self.user = own_user
        self.warn = module.warn

    def script(self):
        """Path of the batch script, written to a file of the module's own when it is given inline."""
        content = self.params["content"]
        if content is None:
            if not os.path.isfile(self.params["script"]):
                raise errors.SlurmError(
                    "usage",
                    "script: there is no file {0} on this host".format(self.params["script"]),
                    "give its path, or content",
                )
            return self.params["script"]
        path = os.path.join(self._module.tmpdir, "script.sh")
        with open(path, "w") as stream:
            stream.write(content.rstrip("\n") + "\n")
        return path

    def script_text(self):
        """The script as it is submitted."""
        if self.params["content"] is not None:
            return self.params["content"]
        with open(self.params["script"]) as stream:
            return stream.read()


def run_task(module, task):
    """Run a function of tasks.py in a module, and end the module."""
    host = ModuleHost(module)
    with told_to_user(module, host.client):
        result = task(host)
    module.exit_json(calls=host.client.counts, **result)


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
