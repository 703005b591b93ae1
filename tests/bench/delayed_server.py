# SPDX-License-Identifier: MIT
"""An HTTP server that answers each request a set time after it came: python delayed_server.py SECONDS.

It listens where the agent tells a service to (SERVICE_ADDRESS, SERVICE_PORT). Each connection has a thread, and the
kernel's timer wakes it within some 60 us; its answers are late only where the machine is.
"""

from __future__ import annotations

import http.server
import os
import sys
import time

BODY = b"ok\n"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every GET with the same, late by `delay_s`."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body leave in one packet
    disable_nagle_algorithm = True
    delay_s = 0.0

    def do_GET(self) -> None:
        """Wait and answer; the agent's question whether it is healthy, too."""
        time.sleep(self.delay_s)
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: it would take time."""


class Server(http.server.ThreadingHTTPServer):
    """Ends with its process, whoever is connected."""

    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    Handler.delay_s = float(sys.argv[1])
    Server((os.environ["SERVICE_ADDRESS"], int(os.environ["SERVICE_PORT"])), Handler).serve_forever()
