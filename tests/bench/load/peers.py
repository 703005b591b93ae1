# SPDX-License-Identifier: MIT
"""Runs the other load generators, each as its own documentation says, and reads what they report.

Times they report are in milliseconds. What a peer does not report is None.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import peer_install
import watch

TOKENIZER = Path(__file__).resolve().parents[2] / "unit/fixtures/importers/tools/make_tokenizer.py"
INPUT_TOKENS, OUTPUT_TOKENS = 128, 32
_START_S = 120  # the slowest of them takes half a minute until its first request, on one core
_LOCUST = """
from locust import FastHttpUser, constant_throughput, task


class Client(FastHttpUser):
    {wait}

    @task
    def get(self):
        self.client.get("{path}")
"""


class Failed(Exception):
    """A peer ended with an error, or said what nobody understands."""


@dataclass
class Reported:
    """p50, p90, p99 (ms): of the time to first token, or of the response time; rate (1/s): what it says it reached."""

    p50: float | None
    p90: float | None
    p99: float | None
    rate: float | None
    observed: watch.Observed


def _run(argv: list[str], core: int, seconds: float, others: tuple[int, ...], **env: str) -> watch.Observed:
    observed = watch.observe(
        watch.pinned(core, argv), timeout_s=seconds + _START_S, others=others, env={**os.environ, **env}
    )
    if observed.returncode:
        raise Failed(f"{' '.join(argv)} ended with {observed.returncode}:\n{observed.output[-2000:]}")
    return observed


def _tokenizer(peer: peer_install.Installed) -> str:
    """A folder with a small tokenizer, as it may not download one."""
    folder = peer.bin.parent / "tokenizer"
    if not (folder / "config.json").exists():
        subprocess.run([peer.command("python"), str(TOKENIZER), str(folder)], check=True, stdout=subprocess.DEVNULL)
    return str(folder)


def aiperf(url: str, rate: float, seconds: float, core: int, others: tuple[int, ...] = ()) -> Reported:
    """Streaming chat at a constant rate. One worker, as there is one core; nothing collected but its own figures."""
    peer = peer_install.installed("aiperf")
    with tempfile.TemporaryDirectory(prefix="aifactory-bench-") as folder:
        argv = [
            peer.command("aiperf"), "profile", "--model", "truth", "--url", url, "--endpoint-type", "chat",
            "--streaming", "--tokenizer", _tokenizer(peer), "--use-server-token-count",
            "--isl", str(INPUT_TOKENS), "--osl", str(OUTPUT_TOKENS),
            "--request-rate", f"{rate:g}", "--request-rate-mode", "constant",
            "--request-count", str(int(rate * seconds)),
            "--workers-max", "1", "--record-processors", "1", "--no-gpu-telemetry", "--no-server-metrics",
            "--export-level", "summary", "--ui", "none", "--random-seed", "1", "--artifact-dir", folder,
        ]  # fmt: skip
        observed = _run(argv, core, seconds, others, HOME=folder, DO_NOT_TRACK="1")
        data = json.loads((Path(folder) / "profile_export_aiperf.json").read_text())
    first = data["time_to_first_token"]
    return Reported(first["p50"], first["p90"], first["p99"], data["request_throughput"]["avg"], observed)


def guidellm(url: str, rate: float, seconds: float, core: int, others: tuple[int, ...] = ()) -> Reported:
    """Streaming chat at a constant rate, with the number of processes that it takes by default (fewer are slower)."""
    peer = peer_install.installed("guidellm")
    with tempfile.TemporaryDirectory(prefix="aifactory-bench-") as folder:
        out = Path(folder) / "benchmarks.json"
        argv = [
            peer.command("guidellm"), "run", "--backend", f"kind=openai_http,target={url},model=truth",
            "--profile", f"kind=constant,rate={rate:g}",
            "--constraint", f"kind=max_requests,count={int(rate * seconds)}",
            "--tokenizer", f"kind=huggingface_auto,model={_tokenizer(peer)}",
            "--data", f"kind=synthetic_text,prompt_tokens={INPUT_TOKENS},output_tokens={OUTPUT_TOKENS}",
            "--output", f"kind=json,path={out}", "--disable-console",
        ]  # fmt: skip
        observed = _run(argv, core, seconds, others, HOME=folder)
        data = json.loads(out.read_text())
    metrics = data["benchmarks"][0]["metrics"]
    first = metrics["time_to_first_token_ms"]["successful"]["percentiles"]
    reached = metrics["requests_per_second"]["successful"]["mean"]
    return Reported(first["p50"], first["p90"], first["p99"], reached, observed)


def wrk(url: str, connections: int, seconds: float, core: int, others: tuple[int, ...] = ()) -> Reported:
    """A closed loop; it has no other."""
    peer = peer_install.installed("wrk")
    argv = [peer.command("wrk"), "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "--timeout", "10s", url]
    observed = _run(argv, core, seconds, others)
    times = dict(re.findall(r"^\s+(50|90|99)%\s+(\S+)\s*$", observed.output, re.MULTILINE))
    rate = float(_found(r"Requests/sec:\s+([\d.]+)", observed.output))
    return Reported(*(_wrk_ms(times[name]) for name in ("50", "90", "99")), rate, observed)


def hey(
    url: str, connections: int, seconds: float, core: int, others: tuple[int, ...] = (), *, rate: float | None = None
) -> Reported:
    """A closed loop, or with `rate` (1/s) a limit on each of its workers."""
    peer = peer_install.installed("hey")
    limit = ["-q", f"{rate / connections:g}"] if rate else []
    argv = [peer.command("hey"), "-z", f"{seconds:g}s", "-c", str(connections), "-cpus", "1", *limit, url]
    observed = _run(argv, core, seconds, others)
    times = dict(re.findall(r"(50|90|99)% in ([\d.]+) secs", observed.output))
    reached = float(_found(r"Requests/sec:\s+([\d.]+)", observed.output))
    return Reported(*(float(times[name]) * 1000 for name in ("50", "90", "99")), reached, observed)


def locust(
    url: str, connections: int, seconds: float, core: int, others: tuple[int, ...] = (), *, rate: float | None = None
) -> Reported:
    """A closed loop with its faster client, or with `rate` (1/s) each user keeps its share of it."""
    peer = peer_install.installed("locust")
    host, _slash, path = url.removeprefix("http://").partition("/")
    with tempfile.TemporaryDirectory(prefix="aifactory-bench-") as folder:
        script = Path(folder) / "locustfile.py"
        wait = f"wait_time = constant_throughput({rate / connections:g})" if rate else "pass"
        script.write_text(_LOCUST.format(wait=wait, path="/" + path))
        argv = [
            peer.command("locust"), "-f", str(script), "--headless", "--users", str(connections),
            "--spawn-rate", str(connections), "--run-time", f"{seconds:g}s", "--host", f"http://{host}",
            "--csv", f"{folder}/out", "--only-summary", "--loglevel", "ERROR",
        ]  # fmt: skip
        observed = _run(argv, core, seconds, others, HOME=folder)
        with open(f"{folder}/out_stats.csv", newline="") as stream:
            total = next(row for row in csv.DictReader(stream) if row["Name"] == "Aggregated")
    return Reported(*(float(total[name]) for name in ("50%", "90%", "99%")), float(total["Requests/s"]), observed)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if not match:
        raise Failed(f"no {pattern} in:\n{text[-2000:]}")
    return match.group(1)


def _wrk_ms(text: str) -> float:
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0}[unit]
