#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stand-in for Ollama: its command line and its HTTP interface, with no model behind them.

No Ollama server can be had from the package registries that the tests use. `ollama serve` listens at OLLAMA_HOST, or
on port 11434 of the address in SERVICE_ADDRESS, and answers as docs/api.md of Ollama says; `ollama list`, `show`,
`pull` and `run` ask it. It has the models that were pulled into OLLAMA_MODELS; without that it has every model. A
registry's own answer to a name that it does not know comes for names that begin with `no-`.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = os.environ.get("OLLAMA_HOST") or os.environ.get("SERVICE_ADDRESS", "127.0.0.1") + ":11434"
MODELS = Path(os.environ["OLLAMA_MODELS"]) if os.environ.get("OLLAMA_MODELS") else None
BYTES = 1_321_098_329
TOKENS = 16
loaded: set[str] = set()


class ApiError(Exception):
    """An answer {"error": …} with this status."""

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status = status


def full(name: str) -> str:
    """The name with its tag."""
    return name if ":" in name.rsplit("/", maxsplit=1)[-1] else name + ":latest"


def manifest(name: str) -> Path:
    """The file that says that a model was pulled."""
    return MODELS / "manifests" / full(name).replace(":", "/")


def pulled() -> list[str]:
    """The names of the models that are there."""
    if MODELS is None:
        return []
    root = MODELS / "manifests"
    return sorted(":".join(str(path.relative_to(root)).rsplit("/", 1)) for path in root.rglob("*") if path.is_file())


def find(name: str) -> str:
    """The full name of a model that is there. Raises ApiError."""
    if MODELS is not None and not manifest(name).exists():
        raise ApiError(404, f"model '{name}' not found")
    return full(name)


def describe(name: str) -> dict:
    """What the lists say of a model."""
    details = {"family": "standin", "parameter_size": "0", "quantization_level": "F16"}
    return {"name": name, "model": name, "size": BYTES, "digest": "0" * 64, "details": details}


def pull(asked: dict) -> Iterator[dict]:
    """The progress of a download."""
    name = asked.get("model") or asked["name"]
    yield {"status": "pulling manifest"}
    if name.startswith("no-"):
        yield {"error": "pull model manifest: file does not exist"}
        return
    yield {"status": "pulling 000000000000", "total": BYTES, "completed": BYTES}
    if MODELS is not None:
        manifest(name).parent.mkdir(parents=True, exist_ok=True)
        manifest(name).write_text("{}")
    yield {"status": "success"}


def generate(asked: dict, chat: bool) -> Iterator[dict]:
    """An answer, word by word; the last message has the counts and timings. An empty prompt loads the model."""
    began = time.monotonic_ns()
    name = find(asked["model"])
    said = asked.get("messages") if chat else asked.get("prompt")
    common = {"model": asked["model"], "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}

    def part(text: str) -> dict:
        return {"message": {"role": "assistant", "content": text}} if chat else {"response": text}

    load_ns = 0
    if name not in loaded:
        time.sleep(0.2)
        load_ns = time.monotonic_ns() - began
    loaded.add(name)
    if not said:
        if asked.get("keep_alive") == 0:
            loaded.discard(name)
        yield {**common, **part(""), "done": True, "done_reason": "load" if name in loaded else "unload"}
        return
    count = (asked.get("options") or {}).get("num_predict", TOKENS)
    text = "".join(message["content"] for message in said) if chat else said
    for at in range(count):
        time.sleep(0.002)
        yield {**common, **part(" back" if at else "Hello"), "done": False}
    spent = time.monotonic_ns() - began
    counts = {"prompt_eval_count": len(text.split()) + 9, "prompt_eval_duration": 1_000_000, "eval_count": count}
    times = {"total_duration": spent, "load_duration": load_ns, "eval_duration": spent - load_ns}
    yield {**common, **part(""), "done": True, "done_reason": "length", **counts, **times}


def embed(asked: dict) -> dict:
    """The vector of each text."""
    texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    count = sum(len(text.split()) for text in texts)
    return {"model": find(asked["model"]), "embeddings": [[0.5] * 8 for _text in texts], "prompt_eval_count": count}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *words):
        """Not each request."""

    def do_GET(self):
        """What is there, and what is loaded."""
        if self.path == "/":
            self._whole(b"Ollama is running", kind="text/plain")
        elif self.path == "/api/tags":
            self._json({"models": [describe(name) for name in pulled()]})
        elif self.path == "/api/ps":
            running = {"expires_at": "2318-01-01T00:00:00Z", "size_vram": 0}
            self._json({"models": [{**describe(name), **running} for name in sorted(loaded)]})
        elif self.path == "/api/version":
            self._json({"version": "0.0.0-standin"})
        else:
            self._whole(b"404 page not found", 404, "text/plain")

    def do_POST(self):
        """The rest of the interface."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            if self.path in ("/api/generate", "/api/chat"):
                self._parts(generate(asked, self.path == "/api/chat"), asked)
            elif self.path == "/api/pull":
                self._parts(pull(asked), asked)
            elif self.path == "/api/show":
                self._json(describe(find(asked.get("model") or asked["name"])))
            elif self.path == "/api/embed":
                self._json(embed(asked))
            else:
                self._whole(b"404 page not found", 404, "text/plain")
        except ApiError as e:
            self._json({"error": str(e)}, e.status)

    def _parts(self, parts: Iterator[dict], asked: dict):
        """As JSON lines, or, where no stream is asked for, as one object with all of the text."""
        first = next(parts)
        if asked.get("stream") is False:
            text, last = "", first
            for last in [first, *parts]:
                text += last.get("response") or (last.get("message") or {}).get("content") or ""
            if "message" in last:
                last["message"]["content"] = text
            elif "response" in last:
                last["response"] = text
            self._json(last)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in itertools.chain([first], parts):
            self._chunk(compact(part) + b"\n")
        self._chunk(b"")

    def _chunk(self, data: bytes):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _json(self, content: dict, status: int = 200):
        self._whole(compact(content), status)

    def _whole(self, body: bytes, status: int = 200, kind: str = "application/json; charset=utf-8"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def compact(content: dict) -> bytes:
    """JSON as Go writes it."""
    return json.dumps(content, separators=(",", ":")).encode()


def call(path: str, asked: dict | None = None) -> list[dict]:
    """The lines of the server's answer. Ends the program where it is an error, as Ollama's does."""
    data = None if asked is None else json.dumps(asked).encode()
    try:
        with urllib.request.urlopen(f"http://{HOST}{path}", data=data) as answer:
            lines = [json.loads(line) for line in answer]
    except urllib.error.HTTPError as e:
        sys.exit(f"Error: {json.loads(e.read())['error']}")
    except OSError:
        sys.exit("Error: could not connect to ollama server, run 'ollama serve' to start it")
    for line in lines:
        if "error" in line:
            sys.exit(f"Error: {line['error']}")
    return lines


def main(command: str, *arguments: str) -> None:
    """The command line."""
    if command == "serve":
        address, _colon, port = HOST.rpartition(":")
        ThreadingHTTPServer((address, int(port)), Handler).serve_forever()
    elif command == "list":
        print("NAME", *(model["name"] for model in call("/api/tags")[0]["models"]), sep="\n")
    elif command == "show":
        print(call("/api/show", {"model": arguments[0]})[0]["name"])
    elif command == "pull":
        print(*(line["status"] for line in call("/api/pull", {"model": arguments[0]})), sep="\n")
    elif command == "run":
        lines = call("/api/generate", {"model": arguments[0], "prompt": " ".join(arguments[1:])})
        print("".join(line["response"] for line in lines))
    else:
        sys.exit(f'Error: unknown command "{command}" for "ollama"')


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("this stand-in knows: ollama serve, list, show MODEL, pull MODEL, run MODEL PROMPT")
    main(*sys.argv[1:])
