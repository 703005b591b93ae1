# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The web server: python server.py BENCHMARK_HOME. Settings are read from its file, ends on SIGTERM."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import require
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError, write_at_once
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import processes, stream
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.app import create_app
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import waitress
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import Settings, make_private

PROCESS, LOCK, LOG = "server.json", "server.lock", "server.log"
_THREADS = stream.MOST + 8  # a page that follows something keeps one
_CONNECTIONS = 200


def serve(settings: Settings, ready: Any = None) -> None:
    """Serve until SIGTERM or Ctrl-C; `ready` is called with the port. Raises RunError and ImportError."""
    require(waitress)
    app = create_app(settings)
    lock = (make_private(settings.folder) / LOCK).open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise RunError(f"another web server of {settings.home} runs: stop it first (-e web_state=stopped)") from None
    try:
        server = waitress.create_server(
            app,
            host="127.0.0.1" if settings.address == "localhost" else settings.address,
            port=settings.port,
            threads=_THREADS,
            connection_limit=_CONNECTIONS,
            ident=None,
            clear_untrusted_proxy_headers=False,  # werkzeug's ProxyFix decides
        )
    except OSError as error:
        raise RunError(
            f"web: can't listen at {settings.address}:{settings.port}: {error.strerror}. "
            "Choose another port: -e web_port=PORT"
        ) from error
    place = settings.folder / PROCESS
    write_at_once(place, json.dumps({**processes.me(), "port": int(server.effective_port)}).encode(), 0o600)
    threading.Thread(target=_preload, args=(app,), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_unused: sys.exit(0))
    try:
        if ready is not None:
            ready(int(server.effective_port))
        server.run()
    finally:
        server.close()
        place.unlink(missing_ok=True)


def _preload(app: Any) -> None:
    """What is slow the first time: scipy for a comparison, the recipes, the inventory."""
    from ansible_collections.aifactory.benchmark.plugins.plugin_utils import stats
    from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import inventory, kitchen

    here = app.config["SETTINGS"]
    try:
        groups = inventory.groups(here) or None
    except RunError:
        groups = None  # who opens a page that needs it is told
    for each in kitchen.every(here):
        kitchen.look(each, groups)
    try:
        stats.library_is_here()
    except ImportError:
        return  # so is who compares


def main(home: str) -> int:
    """Serve a benchmark_home; says on stderr what is in the way."""
    os.umask(0o077)
    try:
        serve(Settings.read(Path(home)))
    except (RunError, ImportError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
