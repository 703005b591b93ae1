#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: web_server
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.2.0
short_description: Start and stop the web UI of this controller
description:
  - Starts the web UI of C(benchmark_home) as a process of the user who plays, or ends it.
  - A server that runs with the same options and the code that is installed is left alone; another one is started anew.
    Plays that it has launched go on.
  - It is reached with a token that only its user can read, in C(benchmark_home/web/token).
options:
  state:
    description:
      - V(started) makes sure that it runs, V(stopped) that it does not.
      - With V(foreground) the task stays until it is interrupted, and ends the server then.
    type: str
    choices: [started, stopped, foreground]
    default: started
  address:
    description: Where to listen; others than V(127.0.0.1), V(::1) and V(localhost) need O(hosts).
    type: str
    default: 127.0.0.1
  port:
    description: Port to listen at; V(0) takes a free one.
    type: int
    default: 5000
  hosts:
    description:
      - Host names by which browsers reach it besides the loopback ones, such as that of a reverse proxy.
      - Requests for other names are refused.
    type: list
    elements: str
    default: []
  proxies:
    description:
      - How many reverse proxies stand before it, whose C(X-Forwarded-*) headers are believed.
      - With one or more, the session's cookie is sent over TLS only.
    type: int
    default: 0
  inventory:
    description: Inventories for what it launches; by default those of this play.
    type: list
    elements: path
  directory:
    description: Where launches are started, and C(ansible.cfg) and C(recipes) are looked for; by default here.
    type: path
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Says whether it would be started or ended.
    support: full
  diff_mode:
    description: Nothing to show.
    support: none
notes:
  - It speaks HTTP without TLS. See docs/web.md for a reverse proxy.
"""

EXAMPLES = r"""
- name: Start the web UI at port 5000
  aifactory.benchmark.web_server:

- name: Behind a proxy that others reach as bench.example.org
  aifactory.benchmark.web_server:
    hosts: [bench.example.org]
    proxies: 1

- name: End it
  aifactory.benchmark.web_server:
    state: stopped
"""

RETURN = r"""
url:
  description: Where it is, for a browser on this machine.
  returned: when it runs
  type: str
  sample: http://localhost:5000
pid:
  description: Its process.
  returned: when it runs
  type: int
token_file:
  description: File with the token.
  returned: when it runs
  type: str
"""
