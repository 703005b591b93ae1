# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The web UI: pages, a JSON API and live data over what the controller knows; launches go through ansible-runner.

Reading is done in the server, from `benchmark_home` and the store. What changes anything is a playbook, in a process of
its own that outlives the server. See docs/web.md.
"""
