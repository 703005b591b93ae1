# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Slurm modules by any way to Slurm: as modules, by commands over the connection, or by slurmrestd."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.release import __version__ as core_version
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import slurm_transport, target_python

_WITH_ENVIRONMENT = """[ -z "$1" ] || { SLURM_CONF=$1; export SLURM_CONF; }
[ -z "$2" ] || { PATH=$2:$PATH; export PATH; }
shift 2; exec "$@" """
_SHIP = 'umask 077; f=$(mktemp) && cat >"$f" && printf %s "$f"'


class SlurmAction(ActionBase):
    """Base of the actions slurm_job, slurm_job_info and slurm_cluster_info.

    MODULE: the module's name; OPTIONS: its arguments (module_utils/slurm/arguments.py); TASK: a function of
    module_utils/slurm/tasks.py.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True
    _supports_async = True
    MODULE: str
    OPTIONS: dict[str, Any]
    TASK: Callable[[Any], dict[str, Any]]

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task by the way that the inventory chooses."""
        super().run(tmp, task_vars)
        self.task_vars = task_vars or {}
        try:
            way = slurm_transport.transport(self.variable)
            if way == slurm_transport.PYTHON:
                return self._as_module()
            if self._task.async_val:
                raise SlurmError(
                    "usage", f"async: not possible by {slurm_transport.VARIABLE} {way}", "use wait and timeout_s"
                )
            return self._here(way)
        except SlurmError as error:
            return {"failed": True, "msg": str(error), "slurm_error": error.to_dict(), "calls": {}}

    def variable(self, name: str) -> Any:
        """An inventory or play variable of this host, templated; None where it is not defined."""
        value = self.task_vars.get(name)
        return None if value is None else self._templar.template(value)

    def _as_module(self) -> dict[str, Any]:
        result = self._execute_module(
            module_name=self.MODULE, task_vars=self.task_vars, wrap_async=bool(self._task.async_val)
        )
        if not target_python.is_suspect(result):
            return result
        found = result.get("ansible_facts", {}).get("discovered_interpreter_python")
        interpreter = self.variable("ansible_python_interpreter") or found or "python3"
        if interpreter.startswith("auto"):
            interpreter = found or "/usr/bin/python3"
        probed = self.command(["/bin/sh", "-c", target_python.PROBE, "sh", interpreter])[1]
        told = target_python.explanation(self.task_vars["inventory_hostname"], interpreter, probed, core_version)
        return {"failed": True, "msg": told} if told else result

    def _here(self, way: str) -> dict[str, Any]:
        rules = dict(self.OPTIONS)
        # a path is the target host's: the home directory of `~` is not the controller's
        spec = {name: _as_text(option) for name, option in rules.pop("argument_spec").items()}
        _unused, params = self.validate_argument_spec(spec, **rules)
        host = (RestHost if way == slurm_transport.SLURMRESTD else ShellHost)(self, params)
        try:
            result = type(self).TASK(host)
        except SlurmError as error:
            result = {"failed": True, "msg": str(error), "slurm_error": error.to_dict()}
        finally:
            host.clean()
        if "diff" in result and not self._task.diff:
            del result["diff"]
        return {"changed": False, "calls": host.client.counts, "warnings": host.warnings, **result}

    def command(self, argv: Sequence[str], stdin: str | None = None) -> tuple[int, str, str]:
        """(rc, stdout, stderr) of a command on the target host, as the task's user (become included)."""
        # ssh takes a terminal when there is nothing on stdin, which would mix stderr into stdout
        answer = self._low_level_execute_command(shlex.join(argv), in_data=(stdin or "\n").encode(), sudoable=True)
        return answer["rc"], answer["stdout"], answer["stderr"]


def _as_text(option: dict[str, Any]) -> dict[str, Any]:
    return {**option, "type": "str"} if option.get("type") == "path" else option


class _Host:
    """What both ways without Python on the target host share: the host of tasks.py."""

    client: SlurmClient

    def __init__(self, action: SlurmAction, params: dict[str, Any]) -> None:
        self.action = action
        self.params = params
        self.check_mode = bool(action._task.check_mode)
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        """Show a warning with the task's result."""
        self.warnings.append(text)

    def script_text(self) -> str:
        """The script as it is submitted."""
        return self._content

    @cached_property
    def _content(self) -> str:
        if self.params["content"] is not None:
            return self.params["content"].rstrip("\n") + "\n"
        rc, text, said = self.action.command(["cat", "--", self.params["script"]])
        if rc != 0:
            raise SlurmError(
                "usage", f"script: {self.params['script']} can't be read: {said.strip()}", "give its path, or content"
            )
        return text

    def clean(self) -> None:
        """Remove what was made on the target host."""


class ShellHost(_Host):
    """A login node with a POSIX shell and Slurm's commands."""

    def __init__(self, action: SlurmAction, params: dict[str, Any]) -> None:
        super().__init__(action, params)
        self._shipped: str | None = None
        self.client = SlurmClient(self._slurm)
        self._expand_home()
        for option, test, kind in (("slurm_conf", "-f", "file"), ("bin_dir", "-d", "directory")):
            path = params[option]
            if path and action.command(["test", test, path])[0] != 0:
                raise SlurmError("usage", f"{option}: there is no {path} on this host", f"give an existing {kind}")

    def _expand_home(self) -> None:
        paths = [
            name for name in ("slurm_conf", "bin_dir", "script", "chdir") if str(self.params.get(name)).startswith("~/")
        ]
        if paths:
            home = self._ask(["/bin/sh", "-c", 'printf %s "$HOME"'])
            for name in paths:
                self.params[name] = home + self.params[name][1:]

    def _ask(self, argv: Sequence[str], stdin: str | None = None) -> str:
        rc, stdout, stderr = self.action.command(argv, stdin)
        if rc != 0:
            raise SlurmError("usage", f"{argv[0]} fails on this host: {stderr.strip()}", "it needs a POSIX shell")
        return stdout.strip()

    def _slurm(self, argv: Sequence[str], stdin: str | None = None) -> tuple[int, str, str]:
        conf, folder = self.params["slurm_conf"] or "", self.params["bin_dir"] or ""
        return self.action.command(["/bin/sh", "-c", _WITH_ENVIRONMENT, "sh", conf, folder, *argv], stdin)

    def user(self) -> str:
        """The name of the user that the task runs as."""
        return self._ask(["id", "-un"])

    def script(self) -> str:
        """Path of the batch script, written to a file when it is given inline."""
        text = self._content
        if self.params["content"] is None:
            return self.params["script"]
        self._shipped = self._shipped or self._ask(["/bin/sh", "-c", _SHIP], text)
        return self._shipped

    def clean(self) -> None:
        """Remove the script's file."""
        if self._shipped:
            self.action.command(["rm", "-f", "--", self._shipped])


class RestHost(_Host):
    """A cluster that is reached by slurmrestd from the controller; the connection is used for `script` only."""

    def __init__(self, action: SlurmAction, params: dict[str, Any]) -> None:
        super().__init__(action, params)
        self._slurm = slurm_transport.rest_slurm(action.variable)
        self.client = SlurmClient(self._slurm)
        for option in ("slurm_conf", "bin_dir"):
            if params[option]:
                raise SlurmError("usage", f"{option}: has no meaning with slurmrestd", "leave it away")

    def user(self) -> str:
        """The user whose token it is."""
        return self._slurm.user_name

    def script(self) -> str:
        """The text of the script."""
        return self._content
