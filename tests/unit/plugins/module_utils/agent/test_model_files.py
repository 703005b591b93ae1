# SPDX-License-Identifier: MIT
"""Which model lies in a folder: caches as huggingface_hub and Ollama make them, and plain files."""

from __future__ import annotations

import hashlib
import json
import threading

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import model_files

REVISION = "0123456789abcdef0123456789abcdef01234567"


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def together(**digests: str) -> str:
    return sha("".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode())


@pytest.fixture
def cache(tmp_path):
    """HF_HOME with one model of two files of weights, whose blobs are named after their content."""
    folder = tmp_path / "hub" / "models--org--name"
    for part in ("blobs", "refs", f"snapshots/{REVISION}"):
        (folder / part).mkdir(parents=True)
    (folder / "refs/main").write_text(REVISION)
    for name, blob in (("a.safetensors", "1a" * 32), ("b.safetensors", "2b" * 32), ("config.json", "3c" * 20)):
        (folder / "blobs" / blob).write_text(name)
        (folder / f"snapshots/{REVISION}" / name).symlink_to(f"../../blobs/{blob}")
    return tmp_path


def of(layout, path, name="org/name"):
    return model_files.describe({"name": name, "layout": layout, "path": str(path)})


def test_hugging_face_s_cache_is_not_read(cache):
    found = of("huggingface", cache)
    assert found["revision"] == REVISION and found["files"] == 3 and found["weights_how"] == "names"
    assert found["weights_sha256"] == together(**{"a.safetensors": "1a" * 32, "b.safetensors": "2b" * 32})
    assert found["missing"] == {}


def test_a_cache_without_links_is_read(cache):
    path = cache / f"hub/models--org--name/snapshots/{REVISION}/b.safetensors"
    path.unlink()
    path.write_text("content")
    found = of("huggingface", cache)
    assert found["weights_how"] == "read"
    assert found["weights_sha256"] == together(**{"a.safetensors": "1a" * 32, "b.safetensors": sha(b"content")})


def test_a_snapshot_without_a_name_counts_when_it_is_the_only_one(cache):
    (cache / "hub/models--org--name/refs/main").unlink()
    assert of("huggingface", cache)["revision"] == REVISION
    (cache / "hub/models--org--name/snapshots/other").mkdir()
    found = of("huggingface", cache)
    assert found["revision"] is None and "2 snapshots" in found["missing"]["revision"]


def test_a_model_that_is_not_there(tmp_path):
    for layout in ("huggingface", "ollama", "file", "directory"):
        found = of(layout, tmp_path / "none")
        assert found["weights_sha256"] is None and "No such file" in found["missing"]["weights_sha256"], layout
    assert "layout 'x'" in of("x", tmp_path)["missing"]["revision"]


def test_ollama_s_store(tmp_path):
    folder = tmp_path / "manifests/registry.ollama.ai/library/llama3"
    folder.mkdir(parents=True)
    layers = [
        {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{'4d' * 32}", "size": 4000},
        {"mediaType": "application/vnd.ollama.image.params", "digest": f"sha256:{'5e' * 32}", "size": 5},
    ]
    content = json.dumps({"schemaVersion": 2, "layers": layers}).encode()
    (folder / "8b").write_bytes(content)
    found = of("ollama", tmp_path, "llama3:8b")
    assert found["revision"] == f"sha256:{sha(content)}" and found["weights_sha256"] == "4d" * 32
    assert (found["files"], found["bytes"]) == (2, 4005)
    (folder / "8b").write_text("[]")
    assert of("ollama", tmp_path, "llama3:8b")["missing"]["weights_sha256"]


def test_a_file_is_read_or_has_its_checksum_beside_it(tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(b"weights")
    assert of("file", path)["weights_sha256"] == sha(b"weights")
    (tmp_path / "m.gguf.sha256").write_text(f"{'6F' * 32}  m.gguf\n")
    found = of("file", path)
    assert (found["weights_sha256"], found["weights_how"]) == ("6f" * 32, "beside")
    assert found["revision"] is None and found["missing"]["revision"]


def test_a_gguf_in_parts(tmp_path):
    for number in (1, 2):
        (tmp_path / f"m-0000{number}-of-00002.gguf").write_bytes(b"%d" % number)
    (tmp_path / "other-00001-of-00002.gguf").write_bytes(b"x")
    found = of("file", tmp_path / "m-00001-of-00002.gguf")
    assert found["files"] == 2
    names = {f"m-0000{number}-of-00002.gguf": sha(b"%d" % number) for number in (1, 2)}
    assert found["weights_sha256"] == together(**names)


def test_large_files_are_sampled_and_other_weights_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(model_files, "READ_WHOLE_BYTES", 0)
    path = tmp_path / "m.bin"
    content = bytearray(3 << 20)
    path.write_bytes(content)
    one = of("directory", tmp_path)
    assert one["weights_how"] == "sampled"
    content[-1] = 1
    path.write_bytes(content)
    assert of("directory", tmp_path)["weights_sha256"] != one["weights_sha256"]
    path.write_bytes(bytes((3 << 20) + 1))
    assert of("directory", tmp_path)["weights_sha256"] != one["weights_sha256"]


def test_a_directory_that_hf_downloaded(tmp_path):
    (tmp_path / ".cache/huggingface/download").mkdir(parents=True)
    for name, etag in (("m.safetensors", "7a" * 32), ("config.json", "8b" * 20)):
        (tmp_path / name).write_text(name)
        (tmp_path / f".cache/huggingface/download/{name}.metadata").write_text(f"{REVISION}\n{etag}\n1700000000.0\n")
    found = of("directory", tmp_path)
    assert (found["revision"], found["weights_sha256"], found["files"]) == (REVISION, "7a" * 32, 2)
    assert found["weights_how"] == "beside"


def test_a_directory_without_weights_or_with_too_many_files(tmp_path, monkeypatch):
    (tmp_path / "readme").write_text("x")
    found = of("directory", tmp_path)
    assert found["weights_sha256"] is None and "no file of weights" in found["missing"]["weights_sha256"]
    monkeypatch.setattr(model_files, "MOST_FILES", 0)
    assert "more than 0 files" in of("directory", tmp_path)["missing"]["bytes"]


def test_what_was_not_read_in_time_is_said(monkeypatch):
    describe, answers = model_files.describe, threading.Event()
    monkeypatch.setattr(model_files, "describe", lambda model: answers.wait(20) and describe(model))
    reader = model_files.Reader([{"name": "m", "layout": "file", "path": "/m"}])
    reader.start()
    assert reader.found(wait_s=0)[0]["missing"]["revision"] == "not read before the service ended"
    answers.set()
    assert "No such file" in reader.found(wait_s=20)[0]["missing"]["revision"]
