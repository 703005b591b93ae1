# SPDX-License-Identifier: MIT
"""What logs of real programs say, and what is made of it."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import diagnosis
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("line", "cause", "remedy"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", "the GPU's memory", "num_gpus"),
        ("ggml_backend_cuda_buffer_type_alloc_buffer: allocating 9 MiB on device 0: cudaMalloc failed: out of memory",
         "the GPU's memory", "num_gpus"),
        ("ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`",
         "the GPU's memory", ""),
        ("ValueError: Free memory on device (1.2/39.4 GiB) on startup is less than desired GPU memory utilization",
         "the GPU's memory", ""),
        ("ValueError: To serve at least one request with the models's max seq len (8192), (1.00 GiB KV cache is needed,"
         " which is larger than the available KV cache memory (0.5 GiB).", "a context of this length", "max_model_len"),
        ("Value error, User-specified max_model_len (512000) is greater than the derived max_model_len"
         " (max_position_embeddings=2048", "no context of this length", "max_model_len"),
        ("Error: pull model manifest: file does not exist", "the model is not there", "name"),
        ("Error: model requires more system memory (40.3 GiB) than is available (5.1 GiB)",
         "the memory of the node", "service.memory"),
        ("RuntimeError: Failed to infer device type", "finds no GPU", "num_gpus"),
        ("initdb: error: could not write file: No space left on device", "a disk is full", "benchmark_node_tmp"),
        ("OSError: [Errno 122] Disk quota exceeded", "quota", "remove files"),
        ("nginx: [emerg] bind() to 10.0.0.1:8080 failed (98: Address already in use)",
         "a port is taken", "service.port"),
        ("OSError: [Errno 98] error while attempting to bind on address ('10.0.0.1', 8000): address already in use",
         "a port is taken", ""),
        ("LOG:  could not bind IPv4 address \"10.0.0.1\": Cannot assign requested address", "a port is taken", ""),
        ("huggingface_hub.errors.GatedRepoError: 401 Client Error. Cannot access gated repo for url", "token", "terms"),
        ("OSError: no/such is not a local folder and is not a valid model identifier listed on 'https://huggingface.co/models'",
         "the model is not there", "path"),
        ("there is no model /models/x.gguf that this node can read", "the model is not there", "path"),
        ("OSError: We couldn't connect to 'https://huggingface.co' to load the files",
         "no way to the internet", "before"),
        ("terminate called after throwing an instance of 'std::bad_alloc'", "the memory of the node", "service.memory"),
        ("FATAL: exec /usr/bin/sh failed: Exec format error", "kind of processor", "image"),
        ("sh: 1: vllm: not found", "a program is not in the image", "service.command"),
    ],
)  # fmt: skip
def test_lines_of_real_programs(tmp_path, line, cause, remedy):
    log = tmp_path / "service.log"
    log.write_text(f"starting\n{line}\nRuntimeError: Engine core initialization failed. See root cause above.\n")
    text = diagnosis.explain(str(log), 1)
    assert cause in text and remedy in text and " ".join(line.split())[:100] in text


def test_the_last_one_is_what_ended_it(tmp_path):
    log = tmp_path / "service.log"
    log.write_text("retrying: Address already in use\nNo space left on device\n")
    assert diagnosis.explain(str(log)).startswith("a disk is full (No space left on device)")


@pytest.mark.parametrize(("code", "text"), [(137, "service.memory"), (-9, "it was killed"), (1, ""), (None, "")])
def test_a_service_that_was_killed(tmp_path, code, text):
    (tmp_path / "service.log").write_text("all is well\n")
    found = diagnosis.explain(str(tmp_path / "service.log"), code)
    assert text in found and bool(found) == bool(text)
    assert bool(diagnosis.explain(str(tmp_path / "none.log"), code)) == bool(text)


@given(st.binary(max_size=3000))
def test_a_long_line_is_shown_around_what_it_says(tmp_path_factory, noise):
    log = tmp_path_factory.mktemp("log") / "service.log"
    log.write_bytes(noise.replace(b"\n", b"x") + b" No space left on device " + b"y" * 5000)
    text = diagnosis.explain(str(log))
    assert text and len(text) < 450
