# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Server-sent events: what a page shows, again whenever it has changed.

Each stream keeps a thread of the server, so their number is bounded, and each ends after a while: the browser comes
back by itself, and one that has gone without a word is noticed at the next sign of life.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import exceptions, flask

MOST = 24  # streams at a time
LASTS_S = 300.0
LOOK_S = 1.0
SIGN_S = 15.0
AGAIN_MS = 3000  # after which a browser comes back
_free = threading.BoundedSemaphore(MOST)

Look = Callable[[], tuple[Any, Callable[[], dict[str, Any]], bool]]


def answer(look: Look, *, lasts_s: float = LASTS_S, look_s: float = LOOK_S) -> Any:
    """A response that goes on. `look` gives (a stamp that changes with the content, the content, whether it is over).

    Raises ServiceUnavailable when there are too many streams already.
    """
    look()  # an error is an answer of its own, not one in the middle of a stream
    if not _free.acquire(blocking=False):
        raise exceptions.ServiceUnavailable("too many pages follow something already: close some", retry_after=30)
    events = flask.stream_with_context(_events(look, lasts_s, look_s))
    response = flask.Response(events, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would gather the events
    response.call_on_close(_free.release)
    return response


def _events(look: Look, lasts_s: float, look_s: float) -> Iterator[str]:
    ends, sign_at, known = time.monotonic() + lasts_s, time.monotonic() + SIGN_S, None
    yield f"retry: {AGAIN_MS}\n\n"
    while time.monotonic() < ends:
        stamp, content, is_over = look()
        if stamp != known:
            known, sign_at = stamp, time.monotonic() + SIGN_S
            yield event("news", content())
        elif time.monotonic() > sign_at:
            sign_at = time.monotonic() + SIGN_S
            yield ": still here\n\n"
        if is_over:
            yield event("over", {})
            return
        time.sleep(look_s)


def event(name: str, content: dict[str, Any]) -> str:
    """One event of a stream; its id, where the content has an offset, is what a browser that comes back sends."""
    place = f"id: {content['offset']}\n" if "offset" in content else ""
    return f"{place}event: {name}\ndata: {json.dumps(content, ensure_ascii=False)}\n\n"
