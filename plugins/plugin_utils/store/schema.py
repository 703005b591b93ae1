# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tables of the store. A change here needs a migration in `migrations/versions`, and a new HEAD in database.py.

Texts have no bounds: SQLite keeps none, and PostgreSQL would refuse a whole run for one long name.
"""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import Missing

try:
    import sqlalchemy as sa
except ImportError:
    sa = Missing("the store needs SQLAlchemy 2 on the controller: pip install -r requirements.txt")

METADATA = sa.MetaData()

# One run; `record` is the whole of run.json, the columns are what runs are filtered and sorted by.
RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("group_id", sa.Text),  # group is a word of SQL
    sa.Column("created_at", sa.Float),
    sa.Column("ended_at", sa.Float),
    sa.Column("cluster", sa.Text),
    sa.Column("recipe", sa.Text),
    sa.Column("service", sa.Text),
    sa.Column("workload", sa.Text),
    sa.Column("state", sa.Text),
    sa.Column("verdict", sa.Text),
    sa.Column("record", sa.Text, nullable=False),
    sa.Index("ix_runs_group_id", "group_id"),
    sa.Index("ix_runs_created_at", "created_at"),
    sa.Index("ix_runs_cluster_created", "cluster", "created_at"),
    sa.Index("ix_runs_recipe_created", "recipe", "created_at"),
    sa.Index("ix_runs_state_created", "state", "created_at"),
    sa.Index("ix_runs_verdict_created", "verdict", "created_at"),
)

# Rows of results.csv. A value that is not a number (NaN) is NULL.
RESULTS = sa.Table(
    "results",
    METADATA,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("case_name", sa.Text, nullable=False),
    sa.Column("repetition", sa.Integer, nullable=False),
    sa.Column("client", sa.Text, nullable=False),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("statistic", sa.Text, nullable=False),
    sa.Column("value", sa.Float),
    sa.Index("ix_results_metric", "metric", "statistic", "client"),
)

# Lines of events.jsonl; `detail` holds the fields that have no column, as JSON.
EVENTS = sa.Table(
    "events",
    METADATA,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("t", sa.Float),
    sa.Column("source", sa.Text),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)
