# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the store says of itself when it fails."""

from __future__ import annotations

WAIT_S = 60.0  # for other plays, all tries together
EXPECTED = "expected sqlite:////PATH/store.db or postgresql://USER@HOST/DATABASE"


class StoreError(Exception):
    """The store cannot be opened, read or written; the text is meant for the user and shows no password."""
