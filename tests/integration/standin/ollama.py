#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stand-in for Ollama: answers POST /api/generate in its format, with no model behind it.

No Ollama server can be had from the package registries that the tests use. It is started as `ollama serve`, listens
on port 11434 of the address in SERVICE_ADDRESS, and streams a fixed number of tokens.
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self):
        """What Ollama answers at /."""
        self._send(b"Ollama is running")

    def do_POST(self):
        """Stream JSON lines as /api/generate does."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/api/generate":
            self.send_error(404)
            return
        began = time.monotonic_ns()
        lines = [{"model": asked["model"], "response": word, "done": False} for word in ("Hello", " back")]
        spent = time.monotonic_ns() - began
        lines.append({"model": asked["model"], "response": "", "done": True, "total_duration": spent, "eval_count": 2})
        self._send("".join(json.dumps(line) + "\n" for line in lines).encode())

    def _send(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    if sys.argv[1:] != ["serve"]:
        sys.exit("this stand-in knows only: ollama serve")
    ThreadingHTTPServer((os.environ.get("SERVICE_ADDRESS", "127.0.0.1"), 11434), Handler).serve_forever()
