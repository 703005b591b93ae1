# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWX's interface: what is asked and said over HTTP, and what AWX refuses, in words."""

from __future__ import annotations

import base64
import json
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin

API_PATH = "/api/v2/"
PAGE_SIZE = 200
BUSY = ("new", "pending", "waiting", "running")  # states of a project that is fetched
PROJECT_POLL_S = 1.0


class AwxError(Exception):
    """AWX can't be reached, or refuses something; the text says what, and what to do."""


class Client:
    """One AWX server. With `token`, or with `username` and `password`. Paths are relative to `api_path`."""

    def __init__(
        self,
        host: str,
        *,
        api_path: str = API_PATH,
        token: str | None = None,
        username: str | None = None,
        password: str | None = None,
        validate_certs: bool = True,
        ca_path: str | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        if not host.startswith(("http://", "https://")):
            raise AwxError(f"{host!r} is no address of an AWX server: expected https://NAME")
        self.host = host.rstrip("/") + "/"
        self.root = urljoin(self.host, api_path.strip("/") + "/")
        self.timeout_s = timeout_s
        login = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._headers = {
            "Content-Type": "application/json", "Accept": "application/json",
            "Authorization": f"Bearer {token}" if token else f"Basic {login}",
        }  # fmt: skip
        # one for all questions: ansible.module_utils.urls reads all certificates anew for each, which takes 0.15 s
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=_tls(validate_certs, ca_path)), _NoRedirect()
        )

    def get(self, path: str, **query: Any) -> Any:
        """The answer to a GET."""
        return self._ask("GET", path + (f"?{urlencode(query)}" if query else ""))

    def post(self, path: str, data: Mapping[str, Any]) -> Any:
        """The answer to a POST."""
        return self._ask("POST", path, data)

    def patch(self, path: str, data: Mapping[str, Any]) -> Any:
        """The answer to a PATCH."""
        return self._ask("PATCH", path, data)

    def delete(self, path: str) -> None:
        """Remove an object."""
        self._ask("DELETE", path)

    def all(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every object of a list, page by page."""
        page = self.get(path, **query, page_size=PAGE_SIZE)
        while True:
            yield from page["results"]
            if not page.get("next"):
                return
            page = self._ask("GET", urljoin(self.host, page["next"]))

    def playbooks_of(self, project: int, playbook: str, deadline_s: float, say: Callable[[str], Any]) -> set[str]:
        """The playbooks of a project, as soon as AWX has fetched it and knows this one: it takes no template before.

        A project whose last update failed, or which lacks the playbook, is updated once more. Raises AwxError.
        """
        end, asked = time.monotonic() + deadline_s, False
        while True:
            state = self.get(f"projects/{project}/")
            if state["status"] not in BUSY:
                known = set(self.get(f"projects/{project}/playbooks/"))
                if state["status"] == "successful" and playbook in known:
                    return known
                if asked:
                    raise AwxError(_not_fetched(state, playbook))
                asked = True
                say(f"AWX fetches the project {state['name']}")
                self.post(f"projects/{project}/update/", {})
            if time.monotonic() > end:
                raise AwxError(f"project {state['name']}: not fetched after {deadline_s:.0f} s ({state['status']})")
            time.sleep(PROJECT_POLL_S)

    def _ask(self, method: str, path: str, data: Mapping[str, Any] | None = None) -> Any:
        url = urljoin(self.root, path)
        body = None if data is None else json.dumps(data).encode()
        try:
            request = urllib.request.Request(url, data=body, headers=self._headers, method=method)
            with self._opener.open(request, timeout=self.timeout_s) as answer:
                text = answer.read()
            return json.loads(text) if text else {}
        except HTTPError as error:
            raise AwxError(_refusal(method, url, error)) from None
        except (URLError, OSError) as error:
            raise AwxError(f"{self.host}: AWX can't be reached: {getattr(error, 'reason', error)}") from None
        except ValueError:
            raise AwxError(f"{url} answers with no JSON: is this an AWX server, and is awx_api_path right?") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like others: the token is for the server that was named."""

    def redirect_request(self, *_arguments: Any, **_more: Any) -> None:
        """Follow none."""


def _tls(validate_certs: bool, ca_path: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_path)
    except OSError as error:
        raise AwxError(f"the certificates in {ca_path} can't be read: {error}") from None
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _not_fetched(state: Mapping[str, Any], playbook: str) -> str:
    name = state["name"]
    if state["status"] != "successful":
        return f"project {name}: its update ended with {state['status']}; AWX shows why, under Projects, {name}, Jobs"
    return f"project {name} ({state.get('scm_url')}) lacks {playbook}: check its branch, and awx_playbook_folder"


def _refusal(method: str, url: str, error: HTTPError) -> str:
    """What AWX says against it, field by field."""
    if 300 <= error.code < 400:
        return f"{url} leads to {error.headers.get('Location')}: give that server's address as awx_host"
    try:
        said = json.loads(error.read())
    except ValueError:
        said = {}
    texts = []
    for field, value in said.items() if isinstance(said, dict) else [("", said)]:
        words = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
        texts.append(words if field in ("detail", "error", "msg", "") else f"{field}: {words}")
    remedy = {401: " Check the token, or user and password.", 403: " This account may not do that."}.get(error.code, "")
    return f"AWX refuses {method} {url} ({error.code}): {'; '.join(texts) or error.reason}.{remedy}"
