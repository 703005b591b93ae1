#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stand-in for NVIDIA's Triton Inference Server, with no backend: KServe's protocol version 2 over HTTP, and metrics.

No tritonserver can be had from the package registries that the tests use. Every directory of the model repository with
a config.pbtxt is a model; each has two integer inputs of one shape, and answers with their sum and their difference, as
Triton's example `simple` does. gRPC's port is open, and nothing answers there.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODES = ("none", "explicit", "poll")


class Model:
    """What one model did: successes, failures, microseconds."""

    def __init__(self):
        self.lock = threading.Lock()
        self.successes = self.failures = self.spent_us = 0


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *words):
        """Not each request."""

    def answer(self, body: bytes, status: int = 200, kind: str = "application/json"):
        """A whole answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Inference(Handler):
    """The server's own port."""

    def do_GET(self):
        """Health, and what the server is."""
        words = self.path.strip("/").split("/")
        if self.path in ("/v2/health/ready", "/v2/health/live"):
            self.answer(b"")
        elif self.path == "/v2":
            self.answer(b'{"name":"triton","version":"0.0.0-standin","extensions":[]}')
        elif words[:2] == ["v2", "models"] and words[3:] == ["ready"]:
            self.answer(b"", 200 if words[2] in self.server.models else 400)
        else:
            self.answer(b'{"error":"Not Found"}', 404)

    def do_POST(self):
        """An inference."""
        began = time.monotonic_ns()
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        words = self.path.strip("/").split("/")
        if words[:2] != ["v2", "models"] or words[3:] != ["infer"]:
            self.answer(b'{"error":"Not Found"}', 404)
            return
        model = self.server.models.get(words[2])
        if model is None:
            self._error(f"Request for unknown model: '{words[2]}' is not found")
            return
        try:
            body = infer(words[2], json.loads(asked))
        except (ValueError, KeyError, TypeError) as e:
            with model.lock:
                model.failures += 1
            self._error(f"unable to parse the request: {e!r}")
            return
        with model.lock:
            model.successes += 1
            model.spent_us += (time.monotonic_ns() - began) // 1000
        self.answer(body)

    def _error(self, text: str):
        self.answer(json.dumps({"error": text}).encode(), 400)


class Metrics(Handler):
    """The port for Prometheus."""

    def do_GET(self):
        """What each model did."""
        lines = []
        for name, of in (
            ("nv_inference_request_success", "successes"),
            ("nv_inference_request_failure", "failures"),
            ("nv_inference_count", "successes"),
            ("nv_inference_exec_count", "successes"),
            ("nv_inference_request_duration_us", "spent_us"),
        ):
            lines += [f"# HELP {name} See Triton's documentation", f"# TYPE {name} counter"]
            for model, did in self.server.models.items():
                lines.append(f'{name}{{model="{model}",version="1"}} {getattr(did, of)}')
        self.answer("\n".join([*lines, ""]).encode(), kind="text/plain; charset=utf-8")


def infer(name: str, asked: dict) -> bytes:
    """Sum and difference. Raises ValueError, KeyError, TypeError."""
    first, second = asked["inputs"]
    if first["shape"] != second["shape"] or len(first["data"]) != len(second["data"]):
        raise ValueError("unexpected shape")
    results = (("OUTPUT0", lambda a, b: a + b), ("OUTPUT1", lambda a, b: a - b))
    outputs = [
        {
            "name": output,
            "datatype": first["datatype"],
            "shape": first["shape"],
            "data": [work(a, b) for a, b in zip(first["data"], second["data"], strict=True)],
        }
        for output, work in results
    ]
    answer = {"model_name": name, "model_version": "1", "outputs": outputs}
    return json.dumps(answer, separators=(",", ":")).encode()


def arguments() -> argparse.Namespace:
    """The options that the service type gives; others are refused, as Triton does."""
    parser = argparse.ArgumentParser("tritonserver", allow_abbrev=False)
    parser.add_argument("--model-repository", type=Path, required=True)
    for name in ("http", "grpc", "metrics"):
        parser.add_argument(f"--{name}-address", required=True)
        parser.add_argument(f"--{name}-port", type=int, required=True)
    parser.add_argument("--model-control-mode", choices=MODES, default="none")
    parser.add_argument("--load-model", action="append", default=[])
    parser.add_argument("--log-verbose", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Serve until the end."""
    options = arguments()
    found = sorted(path.parent.name for path in options.model_repository.glob("*/config.pbtxt"))
    wanted = found if options.model_control_mode != "explicit" or "*" in options.load_model else options.load_model
    missing = [name for name in wanted if name not in found]
    if missing:
        sys.exit(
            f"error: creating server: Internal - failed to load all models: failed to poll from model {missing[0]}"
        )
    models = {name: Model() for name in wanted}
    grpc = socket.create_server((options.grpc_address, options.grpc_port))
    metrics = ThreadingHTTPServer((options.metrics_address, options.metrics_port), Metrics)
    inference = ThreadingHTTPServer((options.http_address, options.http_port), Inference)
    metrics.models = inference.models = models
    threading.Thread(target=metrics.serve_forever, daemon=True).start()
    with grpc:
        inference.serve_forever()


if __name__ == "__main__":
    main()
