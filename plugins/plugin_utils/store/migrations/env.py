# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Alembic runs around the migrations; connection, transaction and lock are the caller's (migrate.py)."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import Missing

try:
    from alembic import context
except ImportError:
    context = Missing("the store needs Alembic on the controller: pip install -r requirements.txt")

context.configure(
    connection=context.config.attributes.get("connection"),
    target_metadata=context.config.attributes.get("metadata"),
    render_as_batch=True,  # SQLite changes a column by making the table anew
    transactional_ddl=True,
)
context.run_migrations()
