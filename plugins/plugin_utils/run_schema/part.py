# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all parts of the schema of run.json have in common."""

from __future__ import annotations

from ..recipe.models import BaseModel, ConfigDict

CASE = "Name of the case, as in cases.json."


class Part(BaseModel):
    """A part of run.json: it has no keys but these."""

    model_config = ConfigDict(extra="forbid")
