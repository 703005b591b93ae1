# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Commands on a login node through Ansible's connection: no Python needed there, and every call counted."""

from __future__ import annotations

import secrets
import shlex
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleConnectionFailure

RETRY_PAUSE_S = 5.0


class ClusterUnreachable(Exception):
    """The login node did not answer; what was asked of it may or may not have been done."""


@dataclass(frozen=True)
class Result:
    """What one command left behind."""

    rc: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self) -> str:
        """Standard output as text; bytes that are no UTF-8 are replaced."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def err(self) -> str:
        """Standard error as text; bytes that are no UTF-8 are replaced."""
        return self.stderr.decode("utf-8", "replace")


class Remote:
    """Runs shell scripts on one cluster.

    `connection` is the action plugin's connection (ssh or local), `host` the inventory name for messages,
    `calls` counts remote calls under "ssh" and scheduler commands under their own names. With `patience_s` a call that
    found no connection is made again until so many seconds are over, and `say` tells the user; only for scripts that
    may run twice.
    """

    def __init__(
        self,
        connection: Any,
        host: str,
        *,
        patience_s: float = 0.0,
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._connection = connection
        self.host = host
        self.calls: Counter[str] = Counter()
        self._patience_s = patience_s
        self._say = say

    def shell(self, script: str, *args: str, stdin: bytes | None = None, counts: Sequence[str] = ()) -> Result:
        """Run a POSIX shell script with positional arguments in one remote call.

        `counts` names the scheduler commands that the script runs, for the run's record.
        Raises ClusterUnreachable when the connection fails.
        """
        # the login shell only starts /bin/sh: users of csh or fish get the same behaviour
        command = shlex.join(["/bin/sh", "-c", script, "sh", *args])
        if stdin is not None and not stdin:
            # Ansible's ssh takes an empty input for none, and leaves a terminal there, which never ends
            command, stdin = f"{command} </dev/null", None
        give_up = time.monotonic() + self._patience_s
        while True:
            self.calls["ssh"] += 1
            self.calls.update(counts)
            try:
                return Result(*self._connection.exec_command(command, in_data=stdin, sudoable=False))
            except AnsibleConnectionFailure as error:
                unreachable = ClusterUnreachable(self._explain(str(error)))
                if time.monotonic() >= give_up:
                    raise unreachable from error
            self._say(f"no connection, trying again: {unreachable}")
            time.sleep(RETRY_PAUSE_S)

    def argv(self, argv: Sequence[str], stdin: str | None = None) -> tuple[int, str, str]:
        """Run one command: the runner that SlurmClient takes. Returns (rc, stdout, stderr)."""
        data = None if stdin is None else stdin.encode()
        result = self.shell('exec "$@"', *argv, stdin=data)
        return result.rc, result.out, result.err

    def prefetched(self, commands: Sequence[Sequence[str]]) -> Callable[..., tuple[int, str, str]]:
        """A runner like `argv` that has run these commands already, in one remote call; each answer is given once."""
        answers = self.batch({shlex.join(command): command for command in commands}, counted=False)

        def run(argv: Sequence[str], stdin: str | None = None) -> tuple[int, str, str]:
            known = answers.pop(shlex.join(argv), None) if stdin is None else None
            return (known.rc, known.out, known.err) if known else self.argv(argv, stdin)

        return run

    def batch(self, commands: Mapping[str, Sequence[str]], *, counted: bool = True) -> dict[str, Result]:
        """Run several commands in one remote call, side by side; each result under its key.

        `counted`: whether their names are added to `calls`; SlurmClient counts its own.
        Raises ClusterUnreachable when the connection fails or the answer is cut short.
        """
        token = f"aifactory-{secrets.token_hex(8)}"
        lines = ["d=$(mktemp -d) || exit 90; trap 'rm -rf \"$d\"' EXIT"]
        numbers = range(len(commands))
        # side by side: each waits for the scheduler most of its time
        for number, argv in zip(numbers, commands.values(), strict=True):
            lines.append(
                f'{{ {shlex.join(argv)} >"$d/{number}.o" 2>"$d/{number}.e" </dev/null; echo $? >"$d/{number}.r"; }} &'
            )
        lines.append("wait")
        for number in numbers:
            size = f'"$(wc -c <"$d/{number}.o")" "$(wc -c <"$d/{number}.e")"'
            lines.append(
                f'printf "%s %d %d %d\\n" {token} "$(cat "$d/{number}.r")" {size}; cat "$d/{number}.o" "$d/{number}.e"'
            )
        names = [_command_name(argv) for argv in commands.values()] if counted else []
        answer = self.shell("\n".join(lines), counts=names)
        return dict(zip(commands, self._split(answer, token, len(commands)), strict=True))

    def _split(self, answer: Result, token: str, expected: int) -> list[Result]:
        results, position, data = [], 0, answer.stdout
        marker = token.encode()
        for _number in range(expected):
            start = data.find(marker, position)
            end = data.find(b"\n", start)
            if start < 0 or end < 0:
                raise ClusterUnreachable(self._explain(f"the answer was cut short ({answer.err.strip()})"))
            rc, out_bytes, err_bytes = (int(field) for field in data[start:end].split()[1:])
            body = end + 1
            results.append(
                Result(rc, data[body : body + out_bytes], data[body + out_bytes : body + out_bytes + err_bytes])
            )
            position = body + out_bytes + err_bytes
        return results

    def _explain(self, reason: str) -> str:
        reason = reason.strip().removeprefix("Failed to connect to the host via ssh:").strip().rstrip(".")
        get = self._connection.get_option
        where = ""
        if self._connection.transport == "ssh":
            user, host, port = (get(name) for name in ("remote_user", "host", "port"))
            where = f" at {f'{user}@' if user else ''}{host}, port {port or 22}"
        return (
            f"cluster '{self.host}' can't be reached{where}: {reason}. "
            "Check ansible_host, ansible_port, ansible_user and the ssh key of this host in the inventory"
        )


def _command_name(argv: Sequence[str]) -> str:
    """The Slurm command of a command line that may begin with `env NAME=VALUE`, or its first word."""
    words = [word for word in argv if word != "env" and "=" not in word]
    return words[0]
