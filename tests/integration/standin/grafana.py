#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""grafana-standin, a stand-in for Grafana, of which no program is to be had here: it is not Grafana, and says so.

`grafana server --homepath=…` takes its settings from the variables GF_…, `$__file{PATH}` included, and reads data
sources and dashboards from GF_PATHS_PROVISIONING, with `${VARIABLE}` in them, as Grafana's documentation describes it
("Configure Grafana", "Provision Grafana"). It knows the API's health, search, datasources, dashboards by uid, and the
proxy to a data source; all but the first want the account. It shows nothing: no page, no panel.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml


def expanded(value: Any) -> Any:
    """A setting, or what was read from a provisioning file, with variables and files put in."""
    if isinstance(value, dict):
        return {key: expanded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [expanded(each) for each in value]
    if not isinstance(value, str):
        return value
    if file := re.fullmatch(r"\$__file\{(.+)\}", value):
        return Path(file[1]).read_text().strip()
    return re.sub(r"\$\{(\w+)\}|\$(\w+)", lambda found: os.environ.get(found[1] or found[2], ""), value)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Grafana:
    """What was provisioned."""

    def __init__(self, folder: Path) -> None:
        self.login = basic("admin", expanded(os.environ["GF_SECURITY_ADMIN_PASSWORD"]))
        self.sources: dict[str, dict[str, Any]] = {}
        self.dashboards: dict[str, dict[str, Any]] = {}
        for path in sorted((folder / "datasources").glob("*.yaml")):
            for source in expanded(yaml.safe_load(path.read_text()))["datasources"]:
                self.sources[source["uid"]] = source
        for path in sorted((folder / "dashboards").glob("*.yaml")):
            for provider in expanded(yaml.safe_load(path.read_text()))["providers"]:
                for file in sorted(Path(provider["options"]["path"]).glob("*.json")):
                    dashboard = json.loads(file.read_text())
                    self.dashboards[dashboard["uid"]] = {"folderTitle": provider["folder"], "dashboard": dashboard}

    def answer(self, path: str) -> tuple[int, Any]:
        """(status, JSON) of what somebody with the account asks for."""
        if path == "/api/datasources":
            hidden = ({k: v for k, v in s.items() if k != "secureJsonData"} for s in self.sources.values())
            return 200, list(hidden)
        if path.startswith("/api/search"):
            return 200, [
                {"uid": uid, "title": found["dashboard"]["title"], "folderTitle": found["folderTitle"]}
                for uid, found in self.dashboards.items()
            ]
        if found := re.fullmatch(r"/api/dashboards/uid/([\w-]+)", path):
            return (200, self.dashboards[found[1]]) if found[1] in self.dashboards else (404, {"message": "not found"})
        if found := re.fullmatch(r"/api/datasources/proxy/uid/([\w-]+)(/.*)", path):
            return self.proxied(self.sources[found[1]], found[2])
        return 404, {"message": "grafana-standin does not know this"}

    def proxied(self, source: dict[str, Any], path: str) -> tuple[int, Any]:
        """What a data source answers."""
        request = urllib.request.Request(source["url"] + path)
        if source.get("basicAuth"):
            password = source["secureJsonData"]["basicAuthPassword"]
            request.add_header("Authorization", basic(source["basicAuthUser"], password))
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, {"message": error.read().decode(errors="replace")}
        except OSError as error:
            return 502, {"message": str(error)}


def handler(grafana: Grafana) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version = "grafana-standin/0"

        def do_GET(self) -> None:
            if self.path == "/api/health":
                status, body = 200, {"database": "ok", "version": "grafana-standin", "commit": "none"}
            elif self.headers.get("Authorization") != grafana.login:
                status, body = 401, {"message": "Invalid username or password"}
            else:
                status, body = grafana.answer(self.path)
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *words: Any) -> None:
            print(self.path.partition("?")[0], words[1], flush=True)

    return Handler


def main() -> None:
    if sys.argv[1:2] != ["server"]:
        sys.exit("grafana-standin: usage: grafana server [--homepath=DIRECTORY]")
    print("grafana-standin: this is a stand-in, and not Grafana", flush=True)
    where = os.environ["GF_SERVER_HTTP_ADDR"], int(os.environ["GF_SERVER_HTTP_PORT"])
    grafana = Grafana(Path(os.environ["GF_PATHS_PROVISIONING"]))
    ThreadingHTTPServer(where, handler(grafana)).serve_forever()


if __name__ == "__main__":
    main()
