# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a service ended: what its own log says, found among the rest of it, and what to do about it."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

_LOOKED_AT_BYTES = 1 << 20
_LINE_CHARACTERS = 200

# (pattern, cause, remedy); of all lines the last one that says one of them is told: what came before it was survived.
_CAUSES = tuple(
    (re.compile(pattern, re.IGNORECASE), cause, remedy)
    for pattern, cause, remedy in (
        (
            r"cuda.{0,40}out of memory|outofmemoryerror|cudamalloc failed|no available memory for the cache blocks"
            r"|free memory on device .* is less than desired",
            "the GPU's memory is too small for the model and its context",
            "more or larger GPUs (service.num_gpus), a smaller context, batch, data type or model",
        ),
        (
            r"larger than the (maximum number of tokens|available kv cache)|kv cache is needed, which is larger",
            "the GPU's memory is too small for a context of this length",
            "a smaller context (vllm: settings.max_model_len), or more of the GPU's memory for it",
        ),
        (
            r"greater than the derived max_model_len",
            "the model has no context of this length",
            "a smaller context (vllm: settings.max_model_len)",
        ),
        (
            r"no cuda-capable device|found no nvidia driver|libcuda\.so\.1: cannot open|failed to infer device type",
            "the service finds no GPU",
            "service.num_gpus, a partition that has GPUs, or an image for CPUs",
        ),
        (
            r"no space left on device",
            "a disk is full",
            "more room below benchmark_node_tmp or benchmark_scratch, or less data",
        ),
        (r"disk quota exceeded", "the quota of a directory is used up", "remove files there, or ask for more"),
        (
            r"address (is )?already in use|address in use|errno 98\b|could not bind ipv4 address",
            "a port is taken on this node",
            "leave service.port out, so that a free one is chosen, or name another one",
        ),
        (
            r"gated repo|access to model .* is restricted|401 client error|invalid user token",
            "the model may not be downloaded without a token",
            "accept the model's terms, and give the service a token that has access",
        ),
        (
            r"is not a local folder and is not a valid model identifier|repository not found|model .{0,80} not found"
            r"|there is no model |pull model manifest: file does not exist|failed to open gguf"
            r"|no such file or directory.{0,80}\.gguf",
            "the model is not there",
            "its name, or a path that the service's node can read",
        ),
        (
            r"connection to huggingface\.co timed out|couldn't connect to 'https://huggingface\.co"
            r"|temporary failure in name resolution|network is unreachable",
            "the node has no way to the internet",
            "fetch what it needs before, into a directory that the service reads",
        ),
        (
            r"cannot allocate memory|std::bad_alloc|memoryerror|requires more system memory"
            r"|out of memory: killed|oom[-_]kill",
            "the memory of the node, or of the job, is too small",
            "service.memory, or less of what the service keeps in memory",
        ),
        (r"exec format error", "the image is for another kind of processor", "an image for this one"),
        (r"\bcommand not found|: not found$|executable file not found", "a program is not in the image",
         "service.command, or another image"),
    )
)  # fmt: skip
_KILLED = (
    "it was killed, which is what happens where the memory of the job is too small",
    "service.memory, or less of what the service keeps in memory",
)


def explain(path, exit_code=None):
    """A sentence (str) with the cause, the line that shows it, and the remedy; "" where nothing known is found.

    path: of the service's log; its last MiB is looked at.
    """
    found = _found(_lines(path))
    if found is not None:
        line, cause, remedy = found
        return "%s (%s): %s" % (cause, line, remedy)
    if exit_code in (-9, 137):
        return "%s: %s" % _KILLED
    return ""


def _lines(path):
    try:
        with open(path, "rb") as stream:
            stream.seek(max(0, stream.seek(0, 2) - _LOOKED_AT_BYTES))
            return stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def _found(lines):
    for line in reversed(lines):
        for pattern, cause, remedy in _CAUSES:
            if pattern.search(line):
                return _short(line, pattern), cause, remedy
    return None


def _short(line, pattern):
    """The line, of a long one the part around what was found."""
    text = " ".join(line.split())
    if len(text) <= _LINE_CHARACTERS:
        return text
    found = pattern.search(text)
    begin = max(0, (found.start() if found else 0) - 40)
    return "…" * bool(begin) + text[begin : begin + _LINE_CHARACTERS] + "…"
