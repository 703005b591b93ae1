# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which image a tag means now: asks the registry for the digest of its manifest. Standard library only.

Source: OCI Distribution Specification 1.1, "Pulling manifests"; Docker's "Token Authentication Specification".
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import hashlib
import json
import os
import re
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, build_opener

_TIMEOUT_S = 30
_MOST_BYTES = 4 << 20
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_DOCKER_HUB = "registry-1.docker.io"
_REFERENCE = re.compile(r"^(?:docker|oras)://(?P<host>[^/]+)/(?P<name>[^:@]+):(?P<tag>[^@]+)$")
_FIELD = re.compile(r'(\w+)="([^"]*)"')


def host_of(reference):
    """The registry (str) of a full reference such as `docker://quay.io/a/b:1`, None where it has none."""
    found = re.match(r"^(?:docker|oras)://([^/]+)/", reference)
    return found.group(1) if found else None


def resolve(reference, credentials=None, no_https=False):
    """The digest (`sha256:...`) that the tag of a full reference means now; None where it isn't to be had.

    credentials: (user, password), else those that the runtime and Docker keep for this registry.
    """
    found = _REFERENCE.match(reference)
    if found is None:
        return None
    host = found.group("host")
    server = _DOCKER_HUB if host == "docker.io" else host
    url = "{0}://{1}/v2/{2}/manifests/{3}".format(
        "http" if no_https else "https", server, found.group("name"), found.group("tag")
    )
    try:
        return _digest(url, credentials or known_credentials(host))
    except (OSError, ValueError, KeyError):
        return None  # the pull by its tag may succeed all the same, and says why where it does not


def _digest(url, credentials):
    try:
        digest, body = _manifest(url, {})
    except HTTPError as error:
        if error.code != 401:
            raise
        digest, body = _manifest(url, _login(error.headers.get("WWW-Authenticate", ""), credentials))
    found = digest or "sha256:" + hashlib.sha256(body).hexdigest()
    return found if re.match(r"^sha256:[0-9a-f]{64}$", found) else None


def _manifest(url, headers):
    """(the digest that the registry says, the manifest's bytes)."""
    answer = _open(url, dict(headers, Accept=", ".join(_MANIFESTS)))
    try:
        return answer.headers.get("Docker-Content-Digest"), answer.read(_MOST_BYTES)
    finally:
        answer.close()


def _open(url, headers):
    """In a job there is no ansible.module_utils.urls; proxies are those of the environment."""
    return build_opener().open(Request(url, headers=headers), timeout=_TIMEOUT_S)


def _login(challenge, credentials):
    """The header (dict) that the registry's answer 401 asks for."""
    basic = {}
    if credentials:
        word = "{0}:{1}".format(*credentials).encode("utf-8")
        basic = {"Authorization": "Basic " + base64.b64encode(word).decode("ascii")}
    if not challenge.lower().startswith("bearer "):
        return basic
    fields = dict(_FIELD.findall(challenge))
    asked = {name: fields[name] for name in ("service", "scope") if name in fields}
    answer = _open(fields["realm"] + "?" + urlencode(asked), basic)
    try:
        given = json.loads(answer.read(_MOST_BYTES).decode("utf-8"))
    finally:
        answer.close()
    return {"Authorization": "Bearer " + (given.get("token") or given["access_token"])}


def known_credentials(host):
    """(user, password) for a registry from the runtime's variables or its and Docker's files; None without."""
    for prefix in ("APPTAINER", "SINGULARITY"):
        user, password = (os.environ.get("{0}_DOCKER_{1}".format(prefix, what)) for what in ("USERNAME", "PASSWORD"))
        if user and password:
            return user, password
    hosts = ("https://index.docker.io/v1/", "index.docker.io", host) if host == "docker.io" else (host,)
    for path in ("~/.apptainer/docker-config.json", "~/.singularity/docker-config.json", "~/.docker/config.json"):
        try:
            with open(os.path.expanduser(path)) as stream:
                kept = json.load(stream).get("auths") or {}
        except (OSError, ValueError):
            continue
        for name in hosts:
            word = (kept.get(name) or {}).get("auth")
            if word:
                user, _colon, password = base64.b64decode(word).decode("utf-8").partition(":")
                return user, password
    return None


def environment(credentials):
    """Environment variables (dict) with which the runtime logs in as (user, password), under both of its names."""
    if not credentials:
        return {}
    return {
        "{0}_DOCKER_{1}".format(prefix, what): value
        for prefix in ("APPTAINER", "SINGULARITY")
        for what, value in zip(("USERNAME", "PASSWORD"), credentials)
    }
