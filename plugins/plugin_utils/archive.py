# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Unpacks an archive that a cluster sent, which may hold anything: plain files only, into one empty directory.

What is made to write elsewhere, or to fill memory or disk, raises `Hostile` before it does; what is cut short or no
archive, `Damaged`. `tarfile`'s own filter would still make links, and reads headers of any size into memory.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_FILES = 500_000
MOST_BYTES = 16 << 30  # of all files together
_CHUNK_BYTES = 1 << 20
_BROKEN = (tarfile.TarError, ValueError, OverflowError, RecursionError)


class Hostile(Exception):
    """The archive is made to do harm; the text names the entry and what is wrong with it."""


class Damaged(Exception):
    """The archive is no archive, or not a whole one."""


@dataclass(frozen=True)
class Unpacked:
    """One file: where it lies now, and what it holds."""

    path: Path
    sha256: str
    size: int


def unpack_files(archive: bytes, folder: Path) -> dict[str, Unpacked]:
    """The files of a gzip tar archive, written into `folder` under numbers; by their names in the archive, cleaned.

    Raises Hostile, Damaged, and OSError where one can't be written.
    """
    found: dict[str, Unpacked] = {}
    folders: set[str] = set()
    total = 0
    for number, (name, entry, stream) in enumerate(_entries(archive)):
        if number >= MOST_FILES:
            raise Hostile(f"it has more than {MOST_FILES} entries")
        if stream is None:
            folders.add(name)
            continue
        total += entry.size
        if total > MOST_BYTES:
            raise Hostile(f"its files hold more than {MOST_BYTES >> 20} MiB, with {name!r}")
        if name in found:
            raise Hostile(f"it has {name!r} twice")
        found[name] = _write(stream, folder / str(number), entry.size)
    folders.update(parent for name in found for parent in _parents(name))
    if both := sorted(folders & set(found)):
        raise Hostile(f"{both[0]!r} is a file and a folder in it")
    return found


def _entries(archive: bytes) -> Iterator[tuple[str, tarfile.TarInfo, io.BufferedIOBase | None]]:
    """(clean name, entry, its content) of each file; a folder has no content."""
    try:
        with tarfile.open(fileobj=_Bounded(archive), mode="r:") as tar:
            for entry in tar:
                name = _clean(entry)
                tar.members = []  # it keeps all entries otherwise
                yield name, entry, tar.extractfile(entry) if entry.isreg() else None
    except _BROKEN as error:
        raise Damaged(str(error) or type(error).__name__) from None


def _clean(entry: tarfile.TarInfo) -> str:
    """The name of a file or folder that stays below the one where it is unpacked. Raises Hostile."""
    plain = entry.isdir() or (entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not entry.issparse())
    if not plain:
        kind = "link" if entry.issym() or entry.islnk() else "device" if entry.isdev() else "special file"
        raise Hostile(f"{entry.name!r} is a {kind}: only plain files are taken")
    parts = [part for part in entry.name.split("/") if part not in ("", ".")]
    if entry.name.startswith("/") or ".." in parts or "\0" in entry.name or not (parts or entry.isdir()):
        raise Hostile(f"{entry.name!r} is a path that leads elsewhere")
    if entry.size < 0:
        raise Hostile(f"{entry.name!r} has a negative size")
    return "/".join(parts)


def _parents(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _write(stream: io.BufferedIOBase, path: Path, size: int) -> Unpacked:
    """Copy one file in pieces, and sync it."""
    digest, left = hashlib.sha256(), size
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o644)) as target:
        while left:
            try:
                chunk = stream.read(min(left, _CHUNK_BYTES))
            except _BROKEN as error:
                raise Damaged(str(error)) from None
            if not chunk:
                raise Damaged("a file in it ends early")
            digest.update(chunk)
            target.write(chunk)
            left -= len(chunk)
        target.flush()
        os.fsync(target.fileno())
    return Unpacked(path, digest.hexdigest(), size)


class _Bounded(io.RawIOBase):
    """What gzip unpacks, for tarfile: which would read a header of any size at once, and never end with a bomb."""

    def __init__(self, archive: bytes) -> None:
        super().__init__()
        self.stream = gzip.GzipFile(fileobj=io.BytesIO(archive))
        self.position = 0
        self.last = self.again = b""  # the byte that was read last, and the same when it is to be read again

    def read(self, size: int | None = -1) -> bytes:
        """At most as much as an ordinary header or a piece of a file has."""
        if size is None or not 0 <= size <= 2 * _CHUNK_BYTES:
            raise tarfile.ReadError(f"a header of {size} bytes")
        if self.position > MOST_BYTES + MOST_FILES * 4 * tarfile.BLOCKSIZE:
            raise tarfile.ReadError("it unpacks to more than a run can have")
        data, self.again = self.again[:size], self.again[size:]
        try:
            data += self.stream.read(size - len(data))
        except (EOFError, OSError, zlib.error) as error:
            raise tarfile.ReadError(str(error)) from None
        self.position += len(data)
        self.last = data[-1:] or self.last
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Forwards, or back by the one byte that tarfile looks at: no entry of negative size leads back for ever."""
        ahead = offset - self.position
        if ahead == -1 and self.last and not self.again:
            self.again, self.position = self.last, offset
        elif whence != os.SEEK_SET or not 0 <= ahead <= MOST_BYTES:
            raise tarfile.ReadError(f"an entry that leads to {offset}")
        while self.position < offset and self.read(min(offset - self.position, _CHUNK_BYTES)):
            pass
        return self.position

    def tell(self) -> int:
        """Where it is, in what is unpacked."""
        return self.position

    def seekable(self) -> bool:
        """Within bounds."""
        return True

    def readable(self) -> bool:
        """It is."""
        return True
