# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The parts of a plan, each with the section of the recipe that a message has to name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.run_dir import service_part


class Part(NamedTuple):
    """`name`: what the names of its files begin with; `section`: of the recipe; `plan`: its part of the plan."""

    name: str
    section: str
    plan: Mapping[str, Any]


def parts_of(plan: Mapping[str, Any]) -> Iterator[Part]:
    """The benchmarked service, its companions, and the clients."""
    companions = plan.get("companions", [])
    yield Part(service_part({}), "services[0]" if companions else "service", plan["service"])
    for number, companion in enumerate(companions, 1):
        yield Part(service_part({"companion": companion["name"]}), f"services[{number}]", companion)
    yield Part("clients", "client", plan["clients"])
