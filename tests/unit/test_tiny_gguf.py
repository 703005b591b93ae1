# SPDX-License-Identifier: MIT
"""The tiny model for llama-server, read back as its format says; that the server loads it is seen in the images."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "integration" / "images" / "tiny_gguf.py"
SIZES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


class Reader:
    """Values of a GGUF file from its beginning on."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def number(self, code: str):
        [value] = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def text(self) -> str:
        length = self.number("Q")
        self.at += length
        return self.data[self.at - length : self.at].decode()

    def value(self, kind: int):
        if kind == 8:
            return self.text()
        if kind == 9:
            of, count = self.number("I"), self.number("Q")
            return [self.value(of) for _ in range(count)]
        return self.number(SIZES[kind])


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    subprocess.run([sys.executable, str(SCRIPT), str(path)], check=True)
    return path.read_bytes()


@pytest.fixture(scope="module")
def model(data):
    """Its entries, and its tensors as name -> (dimensions, values)."""
    reader = Reader(data)
    assert data[:4] == b"GGUF"
    reader.at = 4
    version, tensors, entries = reader.number("I"), reader.number("Q"), reader.number("Q")
    assert version == 3
    found = {reader.text(): reader.value(reader.number("I")) for _ in range(entries)}
    infos = []
    for _ in range(tensors):
        name, count = reader.text(), reader.number("I")
        infos.append((name, [reader.number("Q") for _ in range(count)], reader.number("I"), reader.number("Q")))
    start = -(-reader.at // found["general.alignment"]) * found["general.alignment"]
    weights, end = {}, start
    for name, dimensions, kind, offset in infos:
        assert kind == 0
        assert offset % found["general.alignment"] == 0
        count = dimensions[0] * (dimensions[1] if len(dimensions) > 1 else 1)
        assert start + offset >= end, "tensors do not overlap"
        weights[name] = (dimensions, struct.unpack_from(f"<{count}f", data, start + offset))
        end = start + offset + 4 * count
    assert end == len(data)
    return found, weights


def test_the_tensors_are_those_that_the_entries_promise(model):
    entries, weights = model
    width, words = entries["llama.embedding_length"], len(entries["tokenizer.ggml.tokens"])
    assert entries["llama.vocab_size"] == words
    assert len(entries["tokenizer.ggml.scores"]) == len(entries["tokenizer.ggml.token_type"]) == words
    assert weights["token_embd.weight"][0] == weights["output.weight"][0] == [width, words]
    heads, kv_heads = entries["llama.attention.head_count"], entries["llama.attention.head_count_kv"]
    for layer in range(entries["llama.block_count"]):
        assert weights[f"blk.{layer}.attn_q.weight"][0] == [width, width]
        assert weights[f"blk.{layer}.attn_k.weight"][0] == [width, width * kv_heads // heads]
        assert weights[f"blk.{layer}.ffn_down.weight"][0] == [entries["llama.feed_forward_length"], width]
    assert len(weights) == 3 + 9 * entries["llama.block_count"]


def test_only_tokens_of_text_can_come_out(model):
    """The first number of the state is 1 for every token and stays; the others' rows weigh it down."""
    entries, weights = model
    width = entries["llama.embedding_length"]
    assert set(weights["token_embd.weight"][1][::width]) == {1.0}
    for layer in range(entries["llama.block_count"]):
        for name in ("attn_output", "ffn_down"):
            dimensions, values = weights[f"blk.{layer}.{name}.weight"]
            assert set(values[: dimensions[0]]) == {0.0}
    for kind, weight in zip(entries["tokenizer.ggml.token_type"], weights["output.weight"][1][::width], strict=True):
        assert (weight == 0.0) if kind == 1 else (weight <= -100)


def test_the_same_bytes_each_time(data, tmp_path):
    again = tmp_path / "again.gguf"
    subprocess.run([sys.executable, str(SCRIPT), str(again)], check=True, env={"PYTHONHASHSEED": "7"})
    assert again.read_bytes() == data
    assert len(data) < 600_000


def test_without_a_file_it_says_how_it_is_used():
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "usage: tiny_gguf.py FILE" in done.stderr
