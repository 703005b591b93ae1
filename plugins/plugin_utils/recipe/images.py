# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Image references: one spelling for the same image, and a cluster's own image in its place.

The rules are those of Docker references (distribution/reference): no registry means docker.io,
one name alone on docker.io means ``library/``, no tag means ``latest``. A reference that has a
digest loses its tag, because the digest alone says which image it is and Apptainer's OCI transport
refuses both together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_OTHER_SCHEMES = ("oras://", "library://", "shub://", "http://", "https://")
_LOCAL_TRANSPORTS = ("docker-archive:", "docker-daemon:", "oci-archive:", "oci:")
_PATH_STARTS = ("/", "./", "../", "~", "$")
_DOCKER = re.compile(
    r"(?P<name>[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}))?"
)
_REGISTRY = re.compile(r"[A-Za-z0-9.-]+(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?")


def is_path(reference: str) -> bool:
    """Whether the reference names a file or a directory (SIF, sandbox) on the cluster."""
    has_scheme = "://" in reference or reference.startswith(_LOCAL_TRANSPORTS)
    return not has_scheme and (reference.startswith(_PATH_STARTS) or reference.endswith((".sif", ".img")))


def normalise_image(reference: str) -> str:
    """The full form of an image reference; a path stays as it is.

    ``postgres:17`` becomes ``docker://docker.io/library/postgres:17``. Raises ``ValueError`` with
    the reason when it is no reference at all.
    """
    text = reference.strip()
    if not text:
        raise ValueError("an image reference is not empty")
    if is_path(text):
        return text
    if re.search(r"\s", text):
        raise ValueError(f"an image reference has no spaces: '{text}'")
    if text.startswith((*_OTHER_SCHEMES, *_LOCAL_TRANSPORTS)):
        return text
    if "://" in text and not text.startswith("docker://"):
        scheme = text.partition("://")[0]
        raise ValueError(f"unknown scheme '{scheme}://': docker://, oras://, library:// and https:// are known")
    return _normalise_docker(text.removeprefix("docker://"))


def _normalise_docker(text: str) -> str:
    first, slash, rest = text.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, name = first, rest
    else:
        registry, name = "docker.io", text
    if registry in ("index.docker.io", "registry-1.docker.io"):
        registry = "docker.io"
    match = _DOCKER.fullmatch(name)
    if not match or not _REGISTRY.fullmatch(registry):
        hint = (
            " (names on a registry are lower case)" if name.partition(":")[0].lower() != name.partition(":")[0] else ""
        )
        raise ValueError(f"'{text}' is no image reference of the form [REGISTRY/]NAME[:TAG][@sha256:DIGEST]{hint}")
    path = match["name"]
    if registry == "docker.io" and "/" not in path:
        path = f"library/{path}"
    version = f"@{match['digest']}" if match["digest"] else f":{match['tag'] or 'latest'}"
    return f"docker://{registry}/{path}{version}"


def substitute_image(reference: str, images: Mapping[str, str]) -> str:
    """The cluster's own image for ``reference`` (``benchmark_images``), else the reference; both in full form.

    Keys may be in any spelling of the reference. A value is used as it is, not substituted again.
    """
    wanted = normalise_image(reference)
    for asked, used in images.items():
        if normalise_image(asked) == wanted:
            return normalise_image(used)
    return wanted
