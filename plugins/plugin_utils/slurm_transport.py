# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one inventory variable that says how Slurm is reached, and those of slurmrestd (docs/login-nodes.md)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest import tokens
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest.server import Server
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest.slurm import RestSlurm

PYTHON, SHELL, SLURMRESTD = "python", "shell", "slurmrestd"
TRANSPORTS = (PYTHON, SHELL, SLURMRESTD)
VARIABLE = "benchmark_slurm_transport"

# get(name) → the value of an inventory variable, or None
Variables = Callable[[str], Any]


def transport(get: Variables) -> str:
    """How Slurm is reached on this host. Raises SlurmError for another word."""
    chosen = get(VARIABLE) or PYTHON
    if chosen not in TRANSPORTS:
        raise SlurmError("usage", f"{VARIABLE}: '{chosen}' is no way to Slurm", f"choose {', '.join(TRANSPORTS)}")
    return chosen


def rest_slurm(get: Variables) -> RestSlurm:
    """Slurm through the slurmrestd of this host's variables. Raises SlurmError that names the wrong one."""
    url = get("benchmark_slurmrestd_url")
    if not url:
        raise SlurmError(
            "usage",
            f"{VARIABLE} is {SLURMRESTD}, and there is no benchmark_slurmrestd_url",
            "set it, such as https://slurm.example.org:6820 or unix:/run/slurmrestd/socket",
        )
    ca_file = get("benchmark_slurmrestd_ca_file")
    server = Server(str(url), str(Path(ca_file).expanduser()) if ca_file else None, _timeout_s(get))
    return RestSlurm(server, _token(get), get("benchmark_slurmrestd_user"), get("benchmark_slurmrestd_version"))


def _timeout_s(get: Variables) -> float:
    given = get("benchmark_slurmrestd_timeout_s")
    try:
        seconds = 60.0 if given is None else float(given)
    except (TypeError, ValueError):
        seconds = 0.0
    if not seconds > 0:
        raise SlurmError("usage", f"benchmark_slurmrestd_timeout_s: {given!r} is no number above 0", "correct it")
    return seconds


def _token(get: Variables) -> str:
    """The token: of the variable, of the file, of the controller's environment; the first that is set counts."""
    given = get("benchmark_slurmrestd_token")
    if given:
        return tokens.clean(str(given))
    name = get("benchmark_slurmrestd_token_file")
    if not name:
        return tokens.clean(os.environ.get("SLURM_JWT"))
    path = Path(name).expanduser()
    try:
        mode, text = path.stat().st_mode, path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SlurmError(
            "usage", f"benchmark_slurmrestd_token_file: {path} can't be read: {why}", "correct the path"
        ) from None
    if mode & 0o077:
        raise SlurmError(
            "usage",
            f"benchmark_slurmrestd_token_file: others may read {path}, and could be you to Slurm",
            f"chmod 600 {path}, and make a new token",
        )
    return tokens.clean(text)
