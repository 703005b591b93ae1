#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write a tiny language model with random weights, which vLLM loads and generates from.

    tiny_vllm_model.py DIRECTORY

A model of the Llama architecture as Hugging Face stores it: two layers, 660 KB of weights (bfloat16,
https://huggingface.co/docs/safetensors) and a tokenizer that knows single bytes. The same bytes come out on every
machine. An answer has text only: the weights of all other tokens are zero, so that one of a letter is always ahead.
"""

from __future__ import annotations

import json
import random
import string
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

WIDTH, FEED_FORWARD, LAYERS, HEADS, KV_HEADS, HEAD_WIDTH, CONTEXT = 128, 256, 2, 4, 2, 32, 2048
SPECIAL = ["<unk>", "<s>", "</s>"]
ONE = struct.pack("<H", 0x3F80)  # 1.0 in bfloat16
CHAT_TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant: "

Tensor = tuple[str, tuple[int, ...], bytes]


def alphabet() -> dict[int, str]:
    """The character that stands for each byte in a byte-level tokenizer: itself where it can be printed."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + at) for at, byte in enumerate(others)}


def vocabulary() -> dict[str, int]:
    """The tokens by their texts: three of control, then one for each byte."""
    return {text: at for at, text in enumerate([*SPECIAL, *(text for _byte, text in sorted(alphabet().items()))])}


def numbers(draw: random.Random, count: int) -> bytes:
    """Random weights between 2^-4 and 2^-3, with either sign: sign, exponent 123 and 7 bits at random."""
    return struct.pack(
        f"<{count}H", *((draw.getrandbits(1) << 15) | (123 << 7) | draw.getrandbits(7) for _ in range(count))
    )


def embeddings(draw: random.Random, tokens: dict[str, int]) -> bytes:
    """Those of letters and the space are random, all others zero; they are the output's weights, too."""
    said = {alphabet()[ord(character)] for character in string.ascii_letters + " "}
    return b"".join(numbers(draw, WIDTH) if text in said else bytes(2 * WIDTH) for text in tokens)


def tensors(tokens: dict[str, int]) -> Iterator[Tensor]:
    """The weights, each as (name, (rows, columns), values)."""
    draw = random.Random(0)
    yield "model.embed_tokens.weight", (len(tokens), WIDTH), embeddings(draw, tokens)
    yield "model.norm.weight", (WIDTH,), ONE * WIDTH
    for layer in range(LAYERS):
        for name, rows, columns in (
            ("self_attn.q_proj", HEADS * HEAD_WIDTH, WIDTH),
            ("self_attn.k_proj", KV_HEADS * HEAD_WIDTH, WIDTH),
            ("self_attn.v_proj", KV_HEADS * HEAD_WIDTH, WIDTH),
            ("self_attn.o_proj", WIDTH, HEADS * HEAD_WIDTH),
            ("mlp.gate_proj", FEED_FORWARD, WIDTH),
            ("mlp.up_proj", FEED_FORWARD, WIDTH),
            ("mlp.down_proj", WIDTH, FEED_FORWARD),
        ):
            yield f"model.layers.{layer}.{name}.weight", (rows, columns), numbers(draw, rows * columns)
        for name in ("input_layernorm", "post_attention_layernorm"):
            yield f"model.layers.{layer}.{name}.weight", (WIDTH,), ONE * WIDTH


def safetensors(weights: list[Tensor]) -> bytes:
    """The file of the weights: the length of a header in JSON, the header, the values."""
    header, at = {}, 0
    for name, shape, values in weights:
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + len(values)]}
        at += len(values)
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(values for _name, _shape, values in weights)


def config(tokens: dict[str, int]) -> dict[str, object]:
    """The model's description."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(tokens),
        "hidden_size": WIDTH,
        "intermediate_size": FEED_FORWARD,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "head_dim": HEAD_WIDTH,
        "max_position_embeddings": CONTEXT,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "torch_dtype": "bfloat16",
    }


def tokenizer(tokens: dict[str, int]) -> dict[str, object]:
    """tokenizer.json: bytes, and nothing that joins them."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": at, "content": text, **flags} for at, text in enumerate(SPECIAL)],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": tokens,
            "merges": [],
        },
    }


def write(folder: Path) -> None:
    """All files of the model."""
    tokens = vocabulary()
    folder.mkdir(parents=True, exist_ok=True)
    named = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "</s>"}
    files = {
        "config.json": config(tokens),
        "generation_config.json": {"bos_token_id": 1, "eos_token_id": 2},
        "tokenizer.json": tokenizer(tokens),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": CONTEXT,
            "chat_template": CHAT_TEMPLATE,
            **named,
        },
        "special_tokens_map.json": named,
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1))
    (folder / "model.safetensors").write_bytes(safetensors(list(tensors(tokens))))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} DIRECTORY")
    write(Path(sys.argv[1]))
