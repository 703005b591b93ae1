# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Service level objectives such as `ttft_p95_ms < 500 and error_rate < 0.01`: read, and judged. No I/O.

A term is NAME OPERATOR NUMBER. NAME is METRIC[_pNN|_mean|_max][_ms|_us|_s], or a metric that is one number; a
percentile is one that results.csv has (p99.9 is p999 or p99_9), and without a statistic the mean is meant. Read, a
term is a dict: `metric` (without alias), `statistic` (`p95`, `mean`, `max`; `value` of one number), `operator`,
`value` (in base units: seconds, shares of 1, per second), `text` (as written, spaces evened out).
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import difflib
import math
import operator
import re

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import QUANTILES

ALIASES = {
    "ttft": "time_to_first_token",
    "tpot": "time_per_output_token",
    "itl": "inter_token_latency",
    "e2e": "response_time",
    "latency": "response_time",
}
#: Times (s) of which every operation has its own.
PER_REQUEST = (
    "response_time",
    "service_time",
    "time_to_first_token",
    "time_per_output_token",
    "inter_token_latency",
)
TIMES = (*PER_REQUEST, "schedule_lag")
COUNTERS = ("input_tokens", "output_tokens", "bytes_received", "bytes_sent")
#: Metrics that are one number of a case, not a distribution.
SCALARS = (
    *COUNTERS,
    "error_rate",
    "throughput",
    "goodput",
    "operations",
    "errors",
    "offered",
    "offered_rate",
    "dropped",
    "retries",
)
SHARES = ("error_rate", "recall")
#: What results.csv has of a distribution, besides mean and max.
PERCENTILES = tuple(name for name, _quantile in QUANTILES)
METRICS = (*TIMES, *SCALARS, "recall", "response_time_*")

_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_UNITS_PER_S = {"s": 1, "ms": 1000, "us": 1000000}
_FORM = "TERM [and TERM ...], a term such as ttft_p95_ms < 500 or error_rate < 0.01"
_TERM = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_.-]*) *(?P<operator>[<>]=?) *(?P<number>[^ <>=]+)$")
_NAME = re.compile(r"(?P<base>.+?)(?:_(?P<statistic>p[0-9]+(?:_[0-9]+)?|mean|max))?(?:_(?P<unit>ms|us|s))?$")
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$")


def parse(text, metrics=METRICS):
    """The terms (list of dict, see the module) of an objective.

    metrics: the names (iterable of str) that there are; one that ends with `*` stands for all that begin so. None:
    any name is one. Raises ValueError: a line for each wrong term, with what was expected, and the nearest metric.
    """
    words = " ".join(str(text).split())
    if not words:
        raise ValueError("an objective is not empty: write %s" % _FORM)
    terms, wrong = [], []
    for part in re.split(r"(?<!\S)and(?!\S)", words, flags=re.IGNORECASE):
        try:
            terms.append(_term(part.strip(), metrics))
        except ValueError as e:
            wrong.append(str(e))
    if wrong:
        raise ValueError("\n".join(wrong))
    return terms


def evaluate(terms, value_of):
    """How a case fares: {"met": bool, "terms": [{"text", "value", "met"}]}.

    value_of(metric, statistic): the value (float) in base units, or None. What is not there, or is not finite, is
    not met and has the value None: an objective is met by proof only.
    """
    judged = []
    for term in terms:
        value = value_of(term["metric"], term["statistic"])
        if value is None and term["statistic"] == "mean":
            value = value_of(term["metric"], "value")  # of a metric that turns out to be one number
        if value is not None and not -math.inf < value < math.inf:
            value = None
        met = value is not None and _OPERATORS[term["operator"]](value, term["value"])
        judged.append({"text": term["text"], "value": value, "met": bool(met)})
    return {"met": all(each["met"] for each in judged), "terms": judged}


def per_request_terms(terms):
    """The terms (list of dict) that each operation meets or not by itself: upper bounds of its times.

    Their statistic does not matter here: goodput counts the operations that are within every bound.
    """
    return [term for term in terms if term["metric"] in PER_REQUEST and term["operator"] in ("<", "<=")]


def is_metric(name, metrics):
    """Whether `name` (str, no alias) is one of `metrics` (see `parse`), or the rate of one that counts."""
    if _is_listed(name, metrics):
        return True
    counted = name[: -len("_per_s")] if name.endswith("_per_s") else ""
    return bool(counted) and _is_listed(counted, metrics) and not _is_time(counted)


def names_of(metrics):
    """The names (list of str) to offer for `metrics` (see `parse`), with the aliases of those that have one."""
    aliases = [alias for alias in sorted(ALIASES) if ALIASES[alias] in metrics]
    return aliases + [name[:-1] + "KIND" if name.endswith("*") else name for name in metrics]


def _term(text, metrics):
    if not text:
        raise ValueError("a term is missing before or after 'and': write %s" % _FORM)
    found = _TERM.match(text)
    if not found:
        raise ValueError(
            "term '%s': expected NAME OPERATOR NUMBER, the operator one of < <= > >=%s" % (text, _hint(text))
        )
    metric, statistic, per_unit = _read_name(found.group("name"), text, metrics)
    value = _read_number(found.group("number"), metric, text) / per_unit
    if metric in SHARES and value > 1:
        raise ValueError("term '%s': %s is a share of 1: for 5 percent write 0.05 or 5%%" % (text, metric))
    if value == 0 and found.group("operator") == "<":
        raise ValueError("term '%s': nothing is below 0; write <= 0" % text)
    parts = found.group("name", "operator", "number")
    return {
        "metric": metric,
        "statistic": statistic,
        "operator": parts[1],
        "value": value,
        "text": " ".join(parts),
    }


def _hint(text):
    if re.search(r" or ", text, re.IGNORECASE):
        return "; terms are joined by 'and' only"
    if re.search(r"[=!≤≥]", text) and not re.search(r"[<>]", text):
        return "; a bound is what is asked, not an exact value"
    return ", such as ttft_p95_ms < 500"


def _read_number(word, metric, text):
    plain = word[:-1] if word.endswith("%") else word
    if not _NUMBER.match(plain):
        remedy = "write the unit in the name, as in ttft_p95_ms < 500" if re.match(r"[0-9.]+[a-z]+$", word) else ""
        negative = "a bound is at least 0" if _NUMBER.match(plain.lstrip("+-")) else ""
        raise ValueError(
            "term '%s': expected a number, found '%s'; %s" % (text, word, remedy or negative or "such as 0.5")
        )
    value = float(plain)
    if value == math.inf:
        raise ValueError("term '%s': the number is too large" % text)
    if plain == word:
        return value
    if metric not in SHARES:
        raise ValueError("term '%s': only shares (%s) are given in percent" % (text, ", ".join(SHARES)))
    return value / 100


def _read_name(name, text, metrics):
    """(metric, statistic, how many of the name's unit are one base unit)."""
    whole = ALIASES.get(name, name)
    if is_metric(whole, SCALARS) and (metrics is None or is_metric(whole, metrics)):
        return whole, "value", 1
    if metrics is not None and whole not in TIMES:
        if whole in metrics:
            return whole, "mean", 1
        if is_metric(whole, [each for each in metrics if not each.endswith("*")]):
            return whole, "value", 1
    base, statistic, unit = _NAME.match(name).group("base", "statistic", "unit")
    base = ALIASES.get(base, base)
    if metrics is None and unit and not _is_time(base):
        # a metric of a command's own, in a unit of its own; `load_ms` may be its whole name
        if statistic:
            raise ValueError("term '%s': write %s_%s, in the metric's own unit" % (text, base, statistic))
        base, unit = name, None
    if not _is_listed(base, metrics):
        raise ValueError(_unknown(base, text, metrics))
    if base in SCALARS:
        raise ValueError("term '%s': %s is one number: it has no _%s" % (text, base, statistic or unit))
    if base in SHARES and unit:
        raise ValueError("term '%s': %s is a share of 1: it has no _%s" % (text, base, unit))
    return base, _read_statistic(statistic, text), _UNITS_PER_S[unit or "s"]


def _read_statistic(word, text):
    """`p95` for `p95`, `p999` for `p99_9`, `mean` for nothing."""
    if word is None or word in ("mean", "max"):
        return word or "mean"
    plain = word.replace("_", "")
    if plain not in PERCENTILES:
        raise ValueError("term '%s': results have no %s; there are %s" % (text, word, ", ".join(PERCENTILES)))
    return plain


def _unknown(name, text, metrics):
    names = names_of(metrics)
    near = difflib.get_close_matches(name.lower(), names, n=1)
    listing = "metrics: %s" % ", ".join(names)
    remedy = "did you mean '%s'? (%s)" % (near[0], listing) if near else listing
    return "term '%s': there is no metric '%s'; %s" % (text, name, remedy)


def _is_listed(name, metrics):
    if metrics is None:
        return True
    return any(
        name == known or (known.endswith("*") and name.startswith(known[:-1]) and len(name) >= len(known))
        for known in metrics
    )


def _is_time(name):
    return name in TIMES or name.startswith("response_time_")
