# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a web server of a controller is told, and its files below `benchmark_home/web`."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError, write_at_once

LOOPBACK = ("127.0.0.1", "::1", "localhost")
PORT = 5000
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Settings:
    """What the server is told. `proxies`: how many reverse proxies stand before it; `hosts`: names that it answers to.

    `inventory`: what launches are given by -i; `directory`: where they are started, as a person would in a shell.
    """

    home: Path
    address: str = "127.0.0.1"
    port: int = PORT
    hosts: tuple[str, ...] = ()
    proxies: int = 0
    store_url: str | None = None
    inventory: tuple[str, ...] = ()
    directory: str = field(default_factory=os.getcwd)

    @property
    def folder(self) -> Path:
        """Where everything of the web server lies."""
        return self.home / "web"

    @property
    def url(self) -> str:
        """Where a person on this machine finds it."""
        host = "localhost" if self.address in LOOPBACK or self.address in ("0.0.0.0", "::") else self.address
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def answers_to(self) -> list[str]:
        """What the header Host may say: another name is that of a page that rebound it to this address."""
        own = [] if self.address in ("0.0.0.0", "::") else [self.address]
        return [name.lower() for name in (*LOOPBACK, *own, *self.hosts)]

    def check(self) -> None:
        """Raise RunError for what can't be meant."""
        if not 0 <= self.port < 65536:
            raise RunError(f"web_port={self.port} is no port: choose one between 1 and 65535")
        if self.address not in LOOPBACK and not self.hosts:
            raise RunError(
                f"web_address={self.address}: others can reach it; name in web_hosts the host names by which they do, "
                "or listen at 127.0.0.1 behind a proxy with TLS (docs/web.md)"
            )

    def token(self) -> str:
        """What a person or a program shows to be let in; made at the first start."""
        return self._secret("token")

    def key(self) -> str:
        """What sessions are signed with; made at the first start."""
        return self._secret("session_key")

    def _secret(self, name: str) -> str:
        path = make_private(self.folder) / name
        if not path.exists():
            write_at_once(path, (secrets.token_urlsafe(_TOKEN_BYTES) + "\n").encode(), 0o600)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise RunError(f"{path} can be read by others: chmod 600 {path}, or remove it and a new one is made")
        found = path.read_text().strip()
        if len(found) < _TOKEN_BYTES:
            raise RunError(f"{path} is too short to be a secret: remove it, and a new one is made")
        return found

    def write(self) -> Path:
        """Write them where the server reads them; a store's URL may have a password in it."""
        values = {**dataclasses.asdict(self), "home": str(self.home)}
        return write_at_once(make_private(self.folder) / "settings.json", json.dumps(values).encode(), 0o600)

    @classmethod
    def read(cls, home: Path) -> Settings:
        """Those that were written. Raises RunError."""
        path = home / "web" / "settings.json"
        try:
            values: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read ({error}): start the server by the playbook web") from error
        lists = {name: tuple(values[name]) for name in ("hosts", "inventory")}
        return cls(**{**values, **lists, "home": Path(values["home"])})


def make_private(path: Path) -> Path:
    """A folder for its owner only."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
