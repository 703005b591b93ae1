# SPDX-License-Identifier: MIT
"""A container registry with one small image: the OCI distribution protocol, over HTTP.

Apptainer really pulls from it and pushes to it. The image has one layer with one file; its manifest can be asked for by
tag or digest. With an account it is private: it wants a token, which it gives to who knows the account; then it only
lets read.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import tarfile
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def sha256(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def hello():
    """A file system (tar archive, bytes) with the file /hello."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for folder in ("bin", "etc", "proc", "sys", "dev", "tmp"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        text = b"hello from the registry\n"
        entry = tarfile.TarInfo("hello")
        entry.size, entry.mode = len(text), 0o644
        archive.addfile(entry, io.BytesIO(text))
    return raw.getvalue()


def image(files):
    """The blobs (dict digest → bytes) of an image with this file system (tar archive), and its manifest (bytes)."""
    layer = gzip.compress(files, mtime=0)
    config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sh"]}}
    config["rootfs"] = {"type": "layers", "diff_ids": [sha256(files)]}
    config = json.dumps(config).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": sha256(config), "size": len(config)},
        "layers": [{"mediaType": LAYER, "digest": sha256(layer), "size": len(layer)}],
    }
    return {sha256(layer): layer, sha256(config): config}, json.dumps(manifest).encode()


class Registry:
    """Context manager: serves `test/hello:1` on a free port of the loopback interface."""

    def __init__(self, account=None, files=None):
        self.account = account
        self.cut = False  # whether the connection breaks in the middle of each blob
        self.blobs, self.manifest = image(files or hello())
        self.digest = sha256(self.manifest)
        self.asked = []
        # what was pushed: (name, tag or digest) → (manifest, its media type)
        self.pushed = {}
        registry, uploads = self, {}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                registry.asked.append(self.path)
                if registry.account and not registry.lets_in(self.path, self.headers.get("Authorization", "")):
                    self.send_response(401)
                    realm = f"http://127.0.0.1:{self.server.server_address[1]}/token"
                    scope = 'service="test",scope="repository:test/hello:pull"'
                    self.send_header("WWW-Authenticate", f'Bearer realm="{realm}",{scope}')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                body, kind = registry.answer(self.path)
                self.send_response(200 if body is not None else 404)
                if body is None:
                    body = b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
                    kind = "application/json"
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Docker-Content-Digest", sha256(body))
                self.end_headers()
                if self.command == "GET" and registry.cut and "/blobs/" in self.path:
                    self.wfile.write(body[: len(body) // 2])
                    self.close_connection = True
                elif self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def do_POST(self):
                """A blob is pushed to a place that is told; it comes there in one piece or several."""
                self.rest(202, {"Location": f"{self.path.partition('?')[0]}{uuid.uuid4().hex}"})

            def do_PATCH(self):
                uploads[self.path] = uploads.get(self.path, b"") + self.body()
                self.rest(202, {"Location": self.path, "Range": f"0-{len(uploads[self.path]) - 1}"})

            def do_PUT(self):
                path = self.path.partition("?")[0]
                content = uploads.pop(path, b"") + self.body()
                manifest = re.fullmatch("/v2/(.+)/manifests/(.+)", path)
                if manifest:
                    for reference in (manifest[2], sha256(content)):
                        registry.pushed[manifest[1], reference] = (content, self.headers["Content-Type"])
                else:
                    registry.blobs[sha256(content)] = content
                self.rest(201, {"Location": path, "Docker-Content-Digest": sha256(content)})

            def body(self):
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)

            def rest(self, status, headers):
                """An answer without a body; nothing is pushed to a private registry."""
                self.send_response(405 if registry.account else status)
                for name, value in {**headers, "Content-Length": "0"}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *unused):
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.name = f"127.0.0.1:{self._server.server_address[1]}/test/hello"

    def archive(self):
        """The image as an OCI archive (bytes)."""
        index = {"mediaType": MANIFEST, "digest": self.digest, "size": len(self.manifest)}
        files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
        files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [index]}).encode()
        for digest, content in {**self.blobs, self.digest: self.manifest}.items():
            files["blobs/" + digest.replace(":", "/")] = content
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as archive:
            for folder in ("blobs", "blobs/sha256"):
                entry = tarfile.TarInfo(folder)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        return raw.getvalue()

    def lets_in(self, path, authorization):
        """Whether this may be asked with this header."""
        basic = base64.b64encode(":".join(self.account).encode()).decode()
        return authorization == (f"Basic {basic}" if path.startswith("/token") else "Bearer the-token")

    def answer(self, path):
        """(body or None, media type) for a path."""
        if path.startswith("/token"):
            return b'{"token": "the-token"}', "application/json"
        if path.rstrip("/") == "/v2":
            return b"{}", "application/json"
        if path in ("/v2/test/hello/manifests/1", f"/v2/test/hello/manifests/{self.digest}"):
            return self.manifest, MANIFEST
        found = re.fullmatch("/v2/(.+)/(manifests|blobs)/(.+)", path)
        if found and found[2] == "blobs":
            return self.blobs.get(found[3]), "application/octet-stream"
        return self.pushed.get((found[1], found[3]), (None, "")) if found else (None, "")

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *unused):
        self._server.shutdown()
        self._server.server_close()
