# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""scipy and numpy, or what says that they are missing."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import Missing

try:
    import numpy
    from scipy import special as scipy_special
    from scipy import stats as scipy_stats
except ImportError:
    numpy = scipy_special = scipy_stats = Missing(
        "comparing runs needs scipy on the controller: pip install -r requirements.txt"
    )

__all__ = ["numpy", "scipy_special", "scipy_stats"]
