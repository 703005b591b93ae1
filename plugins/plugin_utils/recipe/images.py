# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Image references: one spelling for the same image, and a cluster's own image in its place.

The rules are those of Docker references (distribution/reference): no registry means docker.io,
one name alone on docker.io means ``library/``, no tag means ``latest``. A reference that has a
digest loses its tag, because the digest alone says which image it is and Apptainer's OCI transport
refuses both together. A path stays as it is: of a SIF file, a sandbox directory, a definition file, an archive.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...module_utils.apptainer import image, source
from .errors import nearest

REMEDY = (
    "write NAME:TAG, docker://…, oras://…, or the absolute path on the cluster of a .sif file, a sandbox directory, a "
    ".def file, or an archive (oci-archive:/…, docker-archive:/…)"
)
_SCHEMES = ("docker://", "oras://", "library://", "shub://", "http://", "https://")
_ELSEWHERE = {
    "oci:": "pack the folder (tar -cf FILE -C FOLDER .) and write oci-archive:/PATH/FILE",
    "docker-daemon:": "save the image (docker save -o FILE NAME) and write docker-archive:/PATH/FILE",
}
_DOCKER = re.compile(
    r"(?P<name>[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}))?"
)
_REGISTRY = re.compile(r"[A-Za-z0-9.-]+(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?")


class ImageMistake(ValueError):
    """What is no image; ``remedy`` says what would be one."""

    def __init__(self, message: str, remedy: str = REMEDY) -> None:
        super().__init__(message)
        self.remedy = remedy


def is_path(reference: str) -> bool:
    """Whether the reference names an image on the cluster that is used where it lies: a SIF file or a sandbox."""
    return image.kind(reference) == image.PATH


def is_definition(reference: str) -> bool:
    """Whether the reference names a definition file."""
    return image.kind(reference) == image.DEFINITION


def normalise_image(reference: str) -> str:
    """The full form of an image reference; a path stays as it is.

    ``postgres:17`` becomes ``docker://docker.io/library/postgres:17``. Raises ``ImageMistake`` (a ``ValueError``)
    with the reason when it is no reference at all.
    """
    text = reference.strip()
    if not text:
        raise ImageMistake("an image reference is not empty")
    kind = image.kind(text)
    if kind in (image.PATH, image.DEFINITION):
        return text
    if kind == image.ARCHIVE:
        return _archive(text)
    if re.search(r"\s", text):
        raise ImageMistake(f"an image reference has no spaces: '{text}'")
    if text.startswith(_SCHEMES[1:]):
        return text
    unknown = re.match(r"([A-Za-z][A-Za-z0-9+-]*)(://|:(?=[/.~]))", text.removeprefix("docker://"))
    if unknown:
        raise _unknown(unknown[1] + unknown[2])
    return _normalise_docker(text.removeprefix("docker://"))


def on_cluster(reference: str) -> str:
    """Like ``normalise_image``, of an image that the cluster has or gets: a path has to be absolute."""
    full = normalise_image(reference)
    if image.kind(full) in (image.PATH, image.DEFINITION) and not full.startswith("/"):
        raise ImageMistake(
            f"'{full}' is no absolute path", "write where it lies on the cluster, from / on; a ~ or $ is not expanded"
        )
    return full


def _archive(text: str) -> str:
    scheme = text.partition(":")[0] + ":"
    if scheme not in source.ARCHIVES:
        raise ImageMistake(f"{scheme} is nothing that a cluster's nodes could read", _ELSEWHERE[scheme])
    path = source.file_of(text) or ""
    if not path.startswith("/"):
        raise ImageMistake(f"'{path}' of {scheme} is no absolute path", f"write {scheme}/PATH/ON/THE/CLUSTER.tar")
    return text


def _unknown(scheme: str) -> ImageMistake:
    known = (*_SCHEMES, *source.ARCHIVES)
    meant = nearest(scheme, known)
    remedy = f"did you mean {meant}? " if meant else ""
    return ImageMistake(f"unknown scheme '{scheme}'", f"{remedy}known are {', '.join(known)}")


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
        raise ImageMistake(f"'{text}' is no image reference of the form [REGISTRY/]NAME[:TAG][@sha256:DIGEST]{hint}")
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
