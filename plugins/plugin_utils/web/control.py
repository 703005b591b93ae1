# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starting and stopping the web server: a process of its own, known by its id and the time of its start."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import require
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.roles import COLLECTION_ROOT
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import processes
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import ansible_runner, flask, waitress
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.server import LOG, PROCESS
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import LOOPBACK, Settings, make_private

START_S, END_S = 60.0, 10.0
_SAID_LINES = 20


def running(home: Path) -> dict[str, Any] | None:
    """The server's process and `port`; None when there is none."""
    try:
        process = json.loads((home / "web" / PROCESS).read_text())
    except (OSError, ValueError):
        return None
    return process if processes.is_alive(process) else None


def is_as(settings: Settings) -> bool:
    """Whether the server that runs was given these settings, and is of the code that is installed."""
    process = running(settings.home)
    if process is None or process["started"] is None:
        return False
    try:
        return Settings.read(settings.home) == settings and _code_changed_at() < _started_at(process["started"])
    except (RunError, TypeError):
        return False


def _code_changed_at() -> float:
    return max(path.stat().st_mtime for path in (COLLECTION_ROOT / "plugins").rglob("*") if path.suffix in _CODE)


_CODE = (".py", ".j2", ".css", ".js")


def _started_at(ticks: int) -> float:
    """When a process started (epoch, s), by the ticks since the machine did."""
    uptime_s = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - uptime_s + ticks / os.sysconf("SC_CLK_TCK")


def start(settings: Settings) -> dict[str, Any]:
    """Start the server and wait until it answers; its process. Raises RunError with what it said, and ImportError."""
    for library in (flask, waitress, ansible_runner):
        require(library)
    settings.check()
    settings.write()
    settings.token()
    log = make_private(settings.folder) / LOG
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        child = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("server.py")), str(settings.home)],
            cwd=settings.directory,
            env=processes.environment(),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    until = time.monotonic() + START_S
    while time.monotonic() < until and child.poll() is None:
        process = running(settings.home)
        if process and process["pid"] == child.pid and answers(settings.address, process["port"]):
            return process
        time.sleep(0.1)
    if child.poll() is None:
        child.kill()
    said = "\n".join(log.read_text(errors="replace").splitlines()[-_SAID_LINES:])
    raise RunError(f"the web server did not start ({log}):\n{said or 'it said nothing'}")


def stop(home: Path) -> bool:
    """End the server; whether there was one."""
    process = running(home)
    return process is not None and processes.end(process, END_S)


def answers(address: str, port: int) -> bool:
    """Whether something at this port is a web server that is well."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}.get(address, address)
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": LOOPBACK[0] if address in ("0.0.0.0", "::") else host})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
