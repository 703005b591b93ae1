#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write a tiny language model with random weights, which llama-server loads and generates from.

    tiny_gguf.py FILE

The file is GGUF version 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), about half a megabyte: two
layers of the Llama architecture and a vocabulary of bytes, letters and a few words. The same bytes come out on every
machine. The model never ends a text by itself and never generates a byte of a character: an answer has exactly as many
tokens as were asked for, and every token is text.
"""

from __future__ import annotations

import array
import random
import string
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

WIDTH, FEED_FORWARD, LAYERS, HEADS, KV_HEADS, CONTEXT = 64, 128, 2, 4, 2, 2048
ALIGNMENT = 32
WORDS = ["\u2581the", "\u2581node", "\u2581job", "\u2581data", "\u2581is", "\u2581and", "ing", "er", "on", "al"]
# Types of values and of tokens, by their numbers in the format.
UINT32, FLOAT32, BOOL, STRING, ARRAY, INT32 = 4, 6, 7, 8, 9, 5
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
PACKED = {UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?"}
CHAT_TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant: "

Value = tuple[int, object]
Tensor = tuple[str, tuple[int, ...], array.array]


def vocabulary() -> list[tuple[str, int]]:
    """The tokens and their types: three of control, 256 bytes, then text; U+2581 stands for a space."""
    tokens = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)]
    tokens += [(f"<0x{byte:02X}>", BYTE) for byte in range(256)]
    letters = ["\u2581" + letter for letter in string.ascii_letters]
    letters += [*string.ascii_letters, *string.digits, *".,;:!?-", "\u2581", *WORDS]
    return tokens + [(text, NORMAL) for text in letters]


def metadata(tokens: list[tuple[str, int]]) -> dict[str, Value]:
    """What the header says. Scores fall from text to text: the tokenizer joins in the order of the vocabulary."""
    text_from = next(at for at, (_, kind) in enumerate(tokens) if kind == NORMAL)
    scores = [-float(max(0, at - text_from)) for at in range(len(tokens))]
    return {
        "general.architecture": (STRING, "llama"),
        "general.name": (STRING, "tiny-random"),
        "general.alignment": (UINT32, ALIGNMENT),
        "general.file_type": (UINT32, 0),
        "llama.context_length": (UINT32, CONTEXT),
        "llama.embedding_length": (UINT32, WIDTH),
        "llama.block_count": (UINT32, LAYERS),
        "llama.feed_forward_length": (UINT32, FEED_FORWARD),
        "llama.attention.head_count": (UINT32, HEADS),
        "llama.attention.head_count_kv": (UINT32, KV_HEADS),
        "llama.attention.layer_norm_rms_epsilon": (FLOAT32, 1e-5),
        "llama.rope.dimension_count": (UINT32, WIDTH // HEADS),
        "llama.vocab_size": (UINT32, len(tokens)),
        "tokenizer.ggml.model": (STRING, "llama"),
        "tokenizer.ggml.tokens": (ARRAY, (STRING, [text for text, _ in tokens])),
        "tokenizer.ggml.scores": (ARRAY, (FLOAT32, scores)),
        "tokenizer.ggml.token_type": (ARRAY, (INT32, [kind for _, kind in tokens])),
        "tokenizer.ggml.unknown_token_id": (UINT32, 0),
        "tokenizer.ggml.bos_token_id": (UINT32, 1),
        "tokenizer.ggml.eos_token_id": (UINT32, 2),
        "tokenizer.ggml.add_bos_token": (BOOL, True),
        "tokenizer.chat_template": (STRING, CHAT_TEMPLATE),
    }


def tensors(tokens: list[tuple[str, int]]) -> Iterator[Tensor]:
    """The weights, each as (name, (rows, columns), values).

    The first number of every embedding is 1 and no layer adds to it: the rows of the tokens that must not come out
    have a large negative weight there, and so their probability is nothing, whatever the text.
    """
    rng = random.Random(0)

    def uniform(rows: int, columns: int, limit: float) -> array.array:
        return array.array("f", (limit * (2 * rng.random() - 1) for _ in range(rows * columns)))

    def first_row_zero(rows: int, columns: int, limit: float) -> array.array:
        values = uniform(rows, columns, limit)
        values[:columns] = array.array("f", bytes(4 * columns))
        return values

    ones = array.array("f", [1.0] * WIDTH)
    embedding, output = uniform(len(tokens), WIDTH, 0.9), uniform(len(tokens), WIDTH, 0.09)
    for at, (_, kind) in enumerate(tokens):
        embedding[at * WIDTH] = 1.0
        output[at * WIDTH] = 0.0 if kind == NORMAL else -100.0
    yield "token_embd.weight", (len(tokens), WIDTH), embedding
    yield "output_norm.weight", (WIDTH,), ones
    yield "output.weight", (len(tokens), WIDTH), output
    kv_width = WIDTH * KV_HEADS // HEADS
    for layer in range(LAYERS):
        for name, rows, columns, fill in (
            ("attn_q", WIDTH, WIDTH, uniform),
            ("attn_k", kv_width, WIDTH, uniform),
            ("attn_v", kv_width, WIDTH, uniform),
            ("attn_output", WIDTH, WIDTH, first_row_zero),
            ("ffn_gate", FEED_FORWARD, WIDTH, uniform),
            ("ffn_up", FEED_FORWARD, WIDTH, uniform),
            ("ffn_down", WIDTH, FEED_FORWARD, first_row_zero),
        ):
            yield f"blk.{layer}.{name}.weight", (rows, columns), fill(rows, columns, 0.09)
        yield f"blk.{layer}.attn_norm.weight", (WIDTH,), ones
        yield f"blk.{layer}.ffn_norm.weight", (WIDTH,), ones


def packed_text(text: str) -> bytes:
    """A string of the format: its length in bytes, then the bytes."""
    return struct.pack("<Q", len(text.encode())) + text.encode()


def packed(kind: int, value: object) -> bytes:
    """A value of the format, without its type."""
    if kind == STRING:
        return packed_text(value)
    if kind == ARRAY:
        of, items = value
        return struct.pack("<IQ", of, len(items)) + b"".join(packed(of, item) for item in items)
    return struct.pack(PACKED[kind], value)


def padding(length: int) -> bytes:
    """What makes a length a multiple of the alignment."""
    return bytes(-length % ALIGNMENT)


def model() -> bytes:
    """The whole file."""
    tokens = vocabulary()
    entries, weights = metadata(tokens), list(tensors(tokens))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(weights), len(entries))
    for key, (kind, value) in entries.items():
        head += packed_text(key) + struct.pack("<I", kind) + packed(kind, value)
    data = b""
    for name, shape, values in weights:
        raw = struct.pack(f"<{len(values)}f", *values)
        # the format names the fastest dimension first; type 0 is float32
        head += packed_text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *reversed(shape), 0, len(data))
        data += raw + padding(len(data) + len(raw))
    return head + padding(len(head)) + data


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: tiny_gguf.py FILE")
    Path(sys.argv[1]).write_bytes(model())
