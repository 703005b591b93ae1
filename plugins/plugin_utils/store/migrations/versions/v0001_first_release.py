# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tables of release 0.1.0."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import Missing

try:
    import sqlalchemy as sa
    from alembic import op
except ImportError:
    sa = op = Missing("the store needs SQLAlchemy 2 and Alembic on the controller: pip install -r requirements.txt")

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    _runs()
    _results()
    _events()


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("group_id", sa.String(80)),
        sa.Column("created_at", sa.Float),
        sa.Column("ended_at", sa.Float),
        sa.Column("cluster", sa.String(255)),
        sa.Column("recipe", sa.String(255)),
        sa.Column("service", sa.String(255)),
        sa.Column("workload", sa.String(255)),
        sa.Column("state", sa.String(32)),
        sa.Column("verdict", sa.String(16)),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_index("ix_runs_group_id", "runs", ["group_id"])
    op.create_index("ix_runs_created_at", "runs", ["created_at"])
    op.create_index("ix_runs_state", "runs", ["state"])
    op.create_index("ix_runs_verdict", "runs", ["verdict"])
    op.create_index("ix_runs_cluster_created", "runs", ["cluster", "created_at"])
    op.create_index("ix_runs_recipe_created", "runs", ["recipe", "created_at"])


def _results() -> None:
    op.create_table(
        "results",
        sa.Column("run_id", sa.String(80), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("case_name", sa.String(255), nullable=False),
        sa.Column("repetition", sa.Integer, nullable=False),
        sa.Column("client", sa.String(32), nullable=False),
        sa.Column("metric", sa.String(255), nullable=False),
        sa.Column("unit", sa.String(32), nullable=False),
        sa.Column("statistic", sa.String(32), nullable=False),
        sa.Column("value", sa.Float, nullable=False),
    )
    op.create_index("ix_results_metric", "results", ["metric", "statistic", "client"])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("run_id", sa.String(80), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("t", sa.Float, nullable=False),
        sa.Column("source", sa.String(32)),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
