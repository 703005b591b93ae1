# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models of plays and clusters."""

from __future__ import annotations

from typing import Any, Literal

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.models import BaseModel, Field
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api.models.common import RECIPE, Name, Strict


class PlayPath(BaseModel):
    """A play in a path."""

    play_id: str = Field(pattern=r"^[0-9]{8}-[0-9]{6}-[a-z-]+-[0-9a-f]{4}$", max_length=100)


class PlayQuery(Strict):
    """What of a play's output is wanted."""

    offset: int = Field(0, ge=0, le=2**40, description="byte from which on")


class Play(BaseModel):
    """A play that was started here: a process of its own that outlives this server."""

    id: str
    kind: str
    subject: str
    limit: str | None
    state: Literal["starting", "running", "successful", "failed", "lost"]
    created_at: float
    runs: list[str]


class Plays(BaseModel):
    """Plays, newest first."""

    plays: list[Play]


class PlayDetail(Play):
    """A play with what it printed."""

    output: str
    offset: int = Field(description="where the output goes on")


class Launch(Strict):
    """A recipe that is to be run."""

    origin: Literal["own", "here", "shipped"] = "shipped"
    name: str = Field(pattern=RECIPE)
    limit: Name | None = Field(None, description="clusters, with commas; without, those of the recipe")
    check: bool = Field(False, description="a dry run: shows the scripts and submits nothing")


class Cluster(BaseModel):
    """A cluster of the inventory."""

    name: str
    asked_at: float | None
    found: dict[str, Any] | None = Field(description="as slurm_cluster_info returns it, when it was last asked")


class Clusters(BaseModel):
    """The clusters of the inventory."""

    clusters: list[Cluster]


class Ask(Strict):
    """Which clusters are asked."""

    limit: Name | None = None
