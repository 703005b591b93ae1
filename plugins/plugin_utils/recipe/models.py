# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""pydantic, or the words that say what is missing: the one place that imports it."""

from __future__ import annotations

from ..optional import Missing, require

try:
    from pydantic import (
        BaseModel,
        BeforeValidator,
        ConfigDict,
        Field,
        PlainSerializer,
        PlainValidator,
        ValidationError,
        WithJsonSchema,
    )
except ModuleNotFoundError:
    BaseModel = BeforeValidator = ConfigDict = Field = PlainSerializer = PlainValidator = WithJsonSchema = Missing(
        "recipes need pydantic 2 on the controller: pip install -r requirements.txt"
    )

    class ValidationError(Exception):
        """What pydantic would raise."""


__all__ = [
    "BaseModel",
    "BeforeValidator",
    "ConfigDict",
    "Field",
    "PlainSerializer",
    "PlainValidator",
    "ValidationError",
    "WithJsonSchema",
    "require_pydantic",
]


def require_pydantic() -> None:
    """Raise ImportError, with what to install, when pydantic is missing."""
    require(BaseModel)
