# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is let in, and what a page may do. All but PUBLIC needs the token, or a session made with it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import deque
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.errors import API
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import exceptions, flask
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import Settings

PUBLIC = ("login.show", "login.enter", "assets.give", "assets.health")
_SAFE = ("GET", "HEAD", "OPTIONS")
_WHO, _CSRF = "who", "csrf"
# Styles may be inline: plotly makes them while it draws. No script is, and none comes from elsewhere.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Throttle:
    """Counts wrong tokens by who shows them: after `most` within `within_s`, none is looked at until they are past."""

    def __init__(self, most: int = 5, within_s: float = 60.0, known: int = 1000) -> None:
        self._most, self._within_s, self._known = most, within_s, known
        self._lock = threading.Lock()
        self._wrong: dict[str, deque[float]] = {}

    def wait_s(self, who: str) -> float:
        """How long this one has to wait; 0 when a token of theirs may be looked at."""
        with self._lock:
            times = self._recent(who)
            return times[0] + self._within_s - time.monotonic() if len(times) >= self._most else 0.0

    def wrong(self, who: str) -> None:
        """Note a wrong token."""
        with self._lock:
            times = self._recent(who)
            times.append(time.monotonic())
            self._wrong[who] = times
            while len(self._wrong) > self._known:
                del self._wrong[next(iter(self._wrong))]

    def _recent(self, who: str) -> deque[float]:
        times = self._wrong.get(who) or deque(maxlen=self._most)
        while times and time.monotonic() - times[0] > self._within_s:
            times.popleft()
        return times


class Door:
    """Compares tokens."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self.mark = hashlib.sha256(b"session " + self._token).hexdigest()  # a new token ends all sessions
        self.throttle = Throttle()

    def opens(self, given: str) -> bool:
        """Whether this is the token. Raises TooManyRequests for who showed wrong ones."""
        who = flask.request.remote_addr or ""
        wait_s = self.throttle.wait_s(who)
        if wait_s > 0:
            text = f"too many wrong tokens: wait {wait_s:.0f} s"
            raise exceptions.TooManyRequests(text, retry_after=int(wait_s) + 1)
        is_right = hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._token)
        if not is_right:
            self.throttle.wrong(who)
        return is_right


def guard(app: Any, settings: Settings) -> None:
    """Ask for the token everywhere, for proof of a page of ours where something is changed; send headers."""
    app.extensions["door"] = Door(settings.token())
    app.before_request(_let_in)
    app.after_request(_with_headers)


def _let_in() -> Any:
    request, door = flask.request, flask.current_app.extensions["door"]
    if not _is_our_name(request.host):
        raise exceptions.BadRequest(f"this server does not go by the name {request.headers.get('Host')!r} (web_hosts)")
    if request.endpoint in PUBLIC:
        return None
    kind, _blank, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        if door.opens(token.strip()):
            return None
        raise exceptions.Unauthorized("this is not the token of this server")
    if hmac.compare_digest(flask.session.get(_WHO, ""), door.mark):
        if request.method not in _SAFE:
            _of_our_page()
        return None
    if request.path.startswith(API) or request.endpoint == "metrics.show":
        raise exceptions.Unauthorized("this needs the token: send the header Authorization: Bearer TOKEN")
    return flask.redirect(flask.url_for("login.show", next=request.script_root + request.full_path.rstrip("?")))


def _is_our_name(host: str) -> bool:
    """Whether a browser that asks for this host means this server (werkzeug's own check knows no IPv6 addresses)."""
    try:
        return urlsplit(f"//{host}").hostname in flask.current_app.config["SETTINGS"].answers_to
    except ValueError:
        return False


def _of_our_page() -> None:
    """Refuse what another site's page sent with this user's cookie.

    The cookie is SameSite=Strict, but a site is a host without its port: another server of this machine is the same.
    """
    origin = flask.request.headers.get("Origin")
    if origin is not None and _address(origin) != _address(flask.request.host_url):
        raise exceptions.Forbidden("this was sent by a page of another server")
    given = flask.request.headers.get("X-CSRF-Token") or flask.request.form.get(_CSRF) or ""
    if not hmac.compare_digest(given.encode("utf-8", "replace"), csrf_token().encode()):
        raise exceptions.Forbidden("this page is out of date: go back, load it again, and repeat what you did")


def _address(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def csrf_token() -> str:
    """What the forms of this session carry; another site's page can't read it."""
    return flask.session.setdefault(_CSRF, secrets.token_urlsafe(32))


def enter() -> None:
    """Begin a session."""
    flask.session.clear()
    flask.session[_WHO] = flask.current_app.extensions["door"].mark
    csrf_token()


def leave() -> None:
    """End the session."""
    flask.session.clear()


def is_in() -> bool:
    """Whether there is a session."""
    return hmac.compare_digest(flask.session.get(_WHO, ""), flask.current_app.extensions["door"].mark)


def own_path(target: str | None) -> str:
    """A path of this server, for a redirect; the front page in the place of anything else."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return flask.url_for("runs.show")
    parts = urlsplit(target)
    return flask.url_for("runs.show") if parts.scheme or parts.netloc else target


def _with_headers(response: Any) -> Any:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response
