# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What set-ups and clean-ups have in common; nobody measures them."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import queue
import threading

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError


def in_parallel(clients, work, items, stop):
    """Call work(client, item) for all items, by as many threads as there are clients, until `stop` is set.

    clients: list of context managers; items: iterable; stop: threading.Event. Raises the first error.
    """
    waiting, failed = queue.Queue(), []
    for item in items:
        waiting.put(item)

    def take(client):
        with client:
            while not failed and not stop.is_set():
                try:
                    item = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    work(client, item)
                except Exception as e:  # raised by the caller's thread, below
                    failed.append(e)

    threads = [threading.Thread(target=take, args=(client,), daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def of_each(clearing, services):
    """Call clearing(service) for each of them, also when one fails. Raises the first LoadError."""
    failed = []
    for service in services:
        try:
            clearing(service)
        except LoadError as e:
            failed.append(e)
    if failed:
        raise failed[0]
