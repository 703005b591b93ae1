# SPDX-License-Identifier: MIT
"""A container registry with one small image: the reading part of the OCI distribution protocol, over HTTP.

Apptainer really pulls from it. The image has one layer with one file; its manifest can be asked for by tag or digest.
With an account it is private: it wants a token, which it gives to who knows the account.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def sha256(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def image(text):
    """The blobs (dict digest → bytes) of an image with the file /hello, and its manifest (bytes)."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for folder in ("bin", "etc", "proc", "sys", "dev", "tmp"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        entry = tarfile.TarInfo("hello")
        entry.size, entry.mode = len(text), 0o644
        archive.addfile(entry, io.BytesIO(text))
    layer = gzip.compress(raw.getvalue(), mtime=0)
    config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sh"]}}
    config["rootfs"] = {"type": "layers", "diff_ids": [sha256(raw.getvalue())]}
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

    def __init__(self, account=None):
        self.account = account
        self.blobs, self.manifest = image(b"hello from the registry\n")
        self.digest = sha256(self.manifest)
        self.asked = []
        registry = self

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
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET

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
        if path.startswith("/v2/test/hello/blobs/"):
            return self.blobs.get(path.rpartition("/")[2]), "application/octet-stream"
        return None, ""

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *unused):
        self._server.shutdown()
        self._server.server_close()
