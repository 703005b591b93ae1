# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Samples by metric, labels and time, and the text that prometheus_client makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics import naming

GAUGE, COUNTER, INFO, UNKNOWN = "gauge", "counter", "info", "unknown"
_SUFFIX = {COUNTER: "_total", INFO: "_info"}  # of samples, where the family's name does not have it
_END = "# EOF\n"

Labels = tuple[tuple[str, str], ...]


@dataclass
class _Family:
    kind: str
    about: str
    # labels → time (epoch, ms; Prometheus knows no finer one) → value
    series: dict[Labels, dict[int, float]] = field(default_factory=dict)


class Families:
    """Collects samples of one run; `labels` (names and values) are those that each of them has."""

    def __init__(self, labels: dict[str, str]) -> None:
        self.labels = labels
        self._families: dict[str, _Family] = {}

    def add(self, name: str, about: str, value: float, t: float, kind: str = GAUGE, **labels: Any) -> None:
        """A value at a time (epoch, s). Of several of the same moment the last one stays, as a scrape would find it."""
        family = self._families.setdefault(name, _Family(kind, about))
        key = tuple((label, str(found)) for label, found in {**self.labels, **labels}.items())
        family.series.setdefault(key, {})[round(t * 1000)] = float(value)

    def collect(self, *, times: bool = True) -> Iterator[Any]:
        """The metric families of prometheus_client, each series in the order of time.

        Without `times` the last value of each series, without its time. Raises ImportError without the library.
        """
        try:
            from prometheus_client import Metric
        except ImportError:
            raise ImportError(
                "metrics for Prometheus need prometheus_client on the controller: pip install -r requirements.txt"
            ) from None
        for name in sorted(self._families):
            family = self._families[name]
            metric = Metric(name, family.about, family.kind, naming.unit_of(name))
            sample = name + _SUFFIX.get(family.kind, "")
            for labels in sorted(family.series):
                values = family.series[labels]
                for t_ms in sorted(values) if times else [max(values)]:
                    metric.add_sample(sample, dict(labels), values[t_ms], t_ms / 1000 if times else None)
            yield metric

    def text(self) -> str:
        """OpenMetrics 1.0, with the time of each sample."""
        return "".join([*map(_text, self.collect()), _END])


def merged(several: Iterable[Families]) -> list[Any]:
    """The families of several runs, without times: one of each name.

    The first run says of which type a name is; of a run that has another type by that name it is left out.
    """
    found: dict[str, Any] = {}
    for families in several:
        for family in families.collect(times=False):
            known = found.setdefault(family.name, family)
            if known is not family and known.type == family.type:
                known.samples.extend(family.samples)
    return list(found.values())


class _Registry:
    """What prometheus_client asks for families; of one: all samples of a long run at once are gigabytes."""

    def __init__(self, family: Any) -> None:
        self._family = family

    def collect(self) -> list[Any]:
        return [self._family]


def _text(family: Any) -> str:
    from prometheus_client.openmetrics.exposition import ALLOWUTF8, generate_latest

    # its other ways of escaping turn the colon of vllm:… into an underscore, in the samples only
    return generate_latest(_Registry(family), ALLOWUTF8).decode().removesuffix(_END)
