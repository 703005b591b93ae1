# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Images that are built from a file, an archive or a definition: known by what is in the file, wherever it lies.

Standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import re

ARCHIVES = ("oci-archive:", "docker-archive:")


def sha256_file(path):
    """The SHA-256 (str, hexadecimal) of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def file_of(reference):
    """The path (str) of the archive or definition that an image is built from; None for any other reference."""
    for scheme in ARCHIVES:
        if reference.startswith(scheme):
            return reference[len(scheme) :].partition(":")[0]
    return reference if "://" not in reference and reference.endswith(".def") else None


def content_of(reference):
    """`sha256:...` (str) of the file that an image is built from; None for any other reference.

    Raises OSError where the file can't be read.
    """
    path = file_of(reference)
    return None if path is None else "sha256:" + sha256_file(path)


def cache_name(reference, content):
    """The name (str) of the SIF file that is built from a file of this content (`sha256:...`): the same for all copies.

    An archive may hold several images: `oci-archive:FILE:NAME` says which one.
    """
    scheme = next((known for known in ARCHIVES if reference.startswith(known)), None)
    inside = reference[len(scheme) :].partition(":")[2] if scheme else ""
    which = "-" + hashlib.sha256(inside.encode("utf-8")).hexdigest()[:8] if inside else ""
    kind = re.sub(r"[^a-z-]", "", scheme or "definition")
    return "{0}-{1}{2}.sif".format(kind, content.partition(":")[2][:32], which)
