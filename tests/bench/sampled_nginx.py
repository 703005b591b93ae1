# SPDX-License-Identifier: MIT
"""Starts nginx as the agent does, as its child, and samples it when told to: python sampled_nginx.py PORT FOLDER.

Lines on standard input: `on` starts what the agent runs beside a service (a row of telemetry a second, and the
service's own metrics), `off` ends it. Each is answered by a line on standard output: to `off` the share of a core that
sampling took, without nginx.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".collections"))

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.scraper import Scraper  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.sources import Target  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.telemetry import Sampler  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.usage import Usage  # noqa: E402

PATH = f"{os.environ['PATH']}:/usr/sbin"  # where Debian has nginx
CONFIG = """
pid {folder}/pid; daemon off; error_log stderr; worker_processes 1;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = / {{ return 200 ok; }}
    location = /stub_status {{ stub_status; }}
  }}
}}
"""


def start(port: int, path: str) -> list[Sampler | Scraper]:
    """What the agent has beside a service."""
    target = Target("127.0.0.1", port, {"type": "nginx"}, {}, lambda _name: None)
    found = [Sampler(f"{path}.csv", Usage()), Scraper(target, f"{path}-metrics.csv")]
    for thread in found:
        thread.start()
    return found


def main(port: int, folder: Path) -> None:
    """Until standard input ends."""
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(port=port, folder=folder))
    nginx = subprocess.Popen([shutil.which("nginx", path=PATH), "-e", "stderr", "-c", str(config)])
    running: list[Sampler | Scraper] = []
    try:
        for number, line in enumerate(sys.stdin):
            if line.strip() == "on":
                began = (time.process_time(), time.monotonic())
                running = start(port, str(folder / str(number)))
                print("on", flush=True)
            else:
                for thread in running:
                    thread.stop()
                print((time.process_time() - began[0]) / (time.monotonic() - began[1]), flush=True)
                running = []
    finally:
        nginx.terminate()
        nginx.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
