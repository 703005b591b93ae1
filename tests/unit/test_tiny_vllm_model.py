# SPDX-License-Identifier: MIT
"""The tiny model for vLLM, read back as its formats say; that the server loads it, `make test-vllm` sees."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "integration" / "images" / "tiny_vllm_model.py"


def test_the_files_fit_each_other(tmp_path):
    subprocess.run([sys.executable, str(SCRIPT), str(tmp_path)], check=True)
    config = json.loads((tmp_path / "config.json").read_text())
    vocabulary = json.loads((tmp_path / "tokenizer.json").read_text())["model"]["vocab"]
    assert len(vocabulary) == config["vocab_size"] == 3 + 256
    data = (tmp_path / "model.safetensors").read_bytes()
    [length] = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    del header["__metadata__"]
    at = 0
    for tensor in header.values():
        begin, end = tensor["data_offsets"]
        size = 2
        for number in tensor["shape"]:
            size *= number
        assert (tensor["dtype"], begin, end - begin) == ("BF16", at, size)
        at = end
    assert len(data) == 8 + length + at
    values = data[8 + length :]

    def row(token: int) -> bytes:
        return values[token * 2 * config["hidden_size"] :][: 2 * config["hidden_size"]]

    # only text comes out
    assert not any(row(vocabulary["</s>"])) and not any(row(vocabulary["0"])) and any(row(vocabulary["a"]))


def test_the_same_bytes_every_time(tmp_path):
    for name in ("a", "b"):
        subprocess.run([sys.executable, str(SCRIPT), str(tmp_path / name)], check=True)
    assert (tmp_path / "a/model.safetensors").read_bytes() == (tmp_path / "b/model.safetensors").read_bytes()
