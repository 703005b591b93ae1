# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all parts of the API have in common: names, errors, and how a part is made."""

from __future__ import annotations

from typing import Annotated, Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.models import BaseModel, ConfigDict, Field
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RUN_ID
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import openapi

PREFIX = "/api/v1"
ORDER = r"^-?(created_at|recipe|cluster|service|workload|state|verdict)$"
Name = Annotated[str, Field(max_length=200)]
RunId = Annotated[str, Field(pattern=RUN_ID.pattern.replace(r"\d", "[0-9]"), max_length=100, description="id of a run")]
RECIPE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
TEXT_MOST = 1_000_000

SECURITY = [{"token": []}]
_PROBLEMS = {
    400: "the request can't be read", 401: "without the token", 403: "without proof that a page of this server sent it",
    404: "what is named is not there", 413: "the request is too large", 422: "a field is wrong",
    429: "too many wrong tokens",
    503: "the store does not answer",
}  # fmt: skip


def api(name: str, about: str) -> Any:
    """A part of the API, with its errors."""
    return openapi.APIBlueprint(
        f"api_{name}",
        __name__,
        url_prefix=PREFIX,
        abp_tags=[{"name": name, "description": about}],
        abp_security=SECURITY,
        abp_responses=problems(*_PROBLEMS),
    )


def problems(*statuses: int) -> dict[str, Any]:
    """Errors for the document."""
    words = {**_PROBLEMS, 409: "not now: what is asked for does not fit what is there", 501: "a library is missing"}
    return {
        str(status): {
            "description": words[status], "content": {"application/json": {"schema": {"$ref": _PROBLEM}}},
        }
        for status in statuses
    }  # fmt: skip


_PROBLEM = "#/components/schemas/Problem"


class Strict(BaseModel):
    """What a program sends: an unknown field is a mistake."""

    model_config = ConfigDict(extra="forbid")
