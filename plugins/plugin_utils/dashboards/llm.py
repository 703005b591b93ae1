# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Language models: tokens, streams, and what vLLM and llama.cpp say."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards import panels, workload
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.grafana import Dashboard
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.workload import BY, CASE, STEP

_TTFT = "vllm:time_to_first_token_seconds"


def dashboard() -> Dashboard:
    """Runs of the workload llm."""
    about, variables = "Runs of the workload llm", workload.variables("llm")
    return Dashboard("llm", "AI Factory: language models", about, variables, (*_RESULTS, *_SERVERS))


_RESULTS = (
    panels.table(
        "Results",
        {
            "requests": (panels.result("throughput_per_second", BY), "reqps"),
            "output tokens/s": (panels.result("output_tokens_per_second", BY), "short"),
            **workload.percentiles("time_to_first_token", "p50", "p99", name="first token "),
            **workload.percentiles("time_per_output_token", "p50", "p99", name="per token "),
            **workload.percentiles("inter_token_latency", "p99", name="between tokens "),
            **workload.percentiles("response_time", "p50", "p99", name="whole answer "),
            "errors": (panels.error_ratio(BY), "percentunit"),
        },
    ),
    panels.table("SLO", {"met": (f"min by ({BY}) ({panels.last('run_slo_met')})", "bool_yes_no")}, width=12),
    panels.table(
        "Capacity",
        {"requests": (f"max by (run, cluster, bound) ({panels.last('run_capacity_per_second')})", "reqps")},
        width=12,
    ),
    panels.row("In the course of time"),
    panels.trend("Output tokens per second", panels.result("output_tokens_per_second", CASE, **STEP), "short"),
    panels.trend("First token, p99", panels.worst("time_to_first_token_seconds", "p99", CASE, **STEP), "s"),
    panels.trend("Per output token, p50", panels.worst("time_per_output_token_seconds", "p50", CASE, **STEP), "s"),
    panels.trend("Requests", panels.result("throughput_per_second", CASE, **STEP), "reqps"),
)
_SERVERS = (
    panels.row("What the servers say"),
    workload.told("Requests running", "vllm:num_requests_running", "llamacpp:requests_processing"),
    workload.told("Requests waiting", "vllm:num_requests_waiting", "llamacpp:requests_deferred"),
    workload.told(
        "KV cache in use",
        "vllm:kv_cache_usage_perc",
        "vllm:gpu_cache_usage_perc",
        "llamacpp:kv_cache_usage_ratio",
        unit="percentunit",
    ),
    workload.grown(
        "Tokens generated per second",
        "vllm:generation_tokens_total",
        "llamacpp:tokens_predicted_total",
        unit="short",
    ),
    workload.grown(
        "Prompt tokens per second", "vllm:prompt_tokens_total", "llamacpp:prompt_tokens_total", unit="short"
    ),
    workload.grown("Preemptions", "vllm:num_preemptions_total"),
    workload.curves("First token, mean", f"{workload.rate(_TTFT + '_sum')} / {workload.rate(_TTFT + '_count')}", "s"),
    workload.curves(
        "First token, p99 by its buckets",
        f"histogram_quantile(0.99, {workload.rate(_TTFT + '_bucket', 'service, run, le')})",
        "s",
    ),
    workload.curves(
        "Prompt tokens found in the prefix cache",
        f"{workload.rate('vllm:prefix_cache_hits_total')} / {workload.rate('vllm:prefix_cache_queries_total')}",
        "percentunit",
    ),
)
