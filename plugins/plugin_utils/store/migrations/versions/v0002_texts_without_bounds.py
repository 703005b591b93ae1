# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Texts without bounds, values that are not a number, indexes for the newest runs of a state or a verdict.

The number of the schema, which release 0.1.0 kept in a table of its own, is Alembic's now.
"""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import Missing

try:
    import sqlalchemy as sa
    from alembic import op
except ImportError:
    sa = op = Missing("the store needs SQLAlchemy 2 and Alembic on the controller: pip install -r requirements.txt")

revision = "0002"
down_revision = "0001"

# table → its columns that were VARCHAR; * cannot be NULL
_TEXTS = {
    "runs": ("id*", "group_id", "cluster", "recipe", "service", "workload", "state", "verdict"),
    "results": ("run_id*", "case_name*", "client*", "metric*", "unit*", "statistic*"),
    "events": ("run_id*", "source", "name*"),
}
_NUMBERS = {"results": "value", "events": "t"}


def upgrade() -> None:
    """Change them; SQLite copies each table once."""
    for table, columns in _TEXTS.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.alter_column(
                    column.rstrip("*"),
                    existing_type=sa.String(),
                    existing_nullable=not column.endswith("*"),
                    type_=sa.Text(),
                )
            if table in _NUMBERS:
                batch.alter_column(_NUMBERS[table], existing_type=sa.Float(), nullable=True)
    for column in ("state", "verdict"):
        op.drop_index(f"ix_runs_{column}", "runs")
        op.create_index(f"ix_runs_{column}_created", "runs", [column, "created_at"])
    if sa.inspect(op.get_bind()).has_table("schema_version"):
        op.drop_table("schema_version")
