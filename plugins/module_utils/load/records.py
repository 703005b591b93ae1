# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A record of every request, by columns: a NumPy archive (.npz), which numpy.load reads; written without NumPy.

Columns, one value a request: `due_s start_s first_s last_s end_s` (float64: seconds of the client's monotonic clock;
plus `clock_offset_s`, a single number beside them, they are epoch seconds; 0 in `first_s` and `last_s`: no token),
`status` (int16), `ok` (int8: 1 or 0), `kind` (int16: an index into the array `kinds` of names), `bytes_received
bytes_sent input_tokens output_tokens` (int64).
Formats: NumPy's NEP 1 (.npy, version 1.0); an .npz is a zip of them. The temporary file has the rows as they came, 77
bytes each, little-endian in the order of COLUMNS: that of a client which was killed can still be read.

Cost, measured with Python 3.11 on one core of an EPYC, rows coming by the thousand: 0.2 us of CPU and 77 bytes of
temporary file a request while the load runs; 1.1 us a request when it is over and the columns are compressed, to some
30 bytes (mostly the five times, whose last digits are noise). In memory: less than 3 MB, however many requests.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import struct
import sys
import zipfile
from itertools import starmap

# (name, NumPy's type, struct's code); a row's values come in this order, that of load.samples.
COLUMNS = (
    ("due_s", "<f8", "d"),
    ("start_s", "<f8", "d"),
    ("first_s", "<f8", "d"),
    ("last_s", "<f8", "d"),
    ("end_s", "<f8", "d"),
    ("status", "<i2", "h"),
    ("ok", "|i1", "b"),
    ("kind", "<i2", "h"),
    ("bytes_received", "<i8", "q"),
    ("bytes_sent", "<i8", "q"),
    ("input_tokens", "<i8", "q"),
    ("output_tokens", "<i8", "q"),
)

_ROW = struct.Struct("<" + "".join(code for _name, _dtype, code in COLUMNS))
_BLOCK_ROWS = 16384  # at once, when the columns are made: 1.3 MB
# The fastest: a third of the default's time for a thirtieth more bytes. Python 3.6 can't be told.
_LEVEL = {"compresslevel": 1} if sys.version_info >= (3, 7) else {}


class RecordWriter:
    """Writes `path` when it is closed; until then the rows are in a temporary file beside it. Not thread-safe.

    kinds (list of str): the names of the kinds of requests. clock_offset_s (float): epoch minus monotonic clock.
    """

    def __init__(self, path, kinds=("",), clock_offset_s=0.0):
        self.path = path
        self.kinds = list(kinds)
        self.clock_offset_s = clock_offset_s
        self.rows = 0
        self.part = open(path + ".part", "w+b")  # noqa: SIM115  (closed by close())

    def add_many(self, rows):
        """Add rows (list of tuple, a value a column). Raises struct.error for what doesn't fit, and has added none."""
        self.part.write(b"".join(starmap(_ROW.pack, rows)))
        self.rows += len(rows)

    def close(self):
        """Compress all that was added into `path`, which appears at once and whole; the temporary file goes."""
        target = self.path + ".tmp"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, **_LEVEL) as archive:
            offset = 0  # of the column in a row
            for name, dtype, code in COLUMNS:
                size = struct.calcsize("<" + code)
                with _member(archive, name, self.rows * size) as stream:
                    stream.write(_header(dtype, "(%d,)" % self.rows))
                    for column in self._column(offset, size):
                        stream.write(column)
                offset += size
            with _member(archive, "kinds") as stream:
                width = max([1] + [len(kind) for kind in self.kinds])
                stream.write(_header("<U%d" % width, "(%d,)" % len(self.kinds)))
                stream.write("".join(kind.ljust(width, "\0") for kind in self.kinds).encode("utf-32-le"))
            with _member(archive, "clock_offset_s") as stream:
                stream.write(_header("<f8", "()") + struct.pack("<d", self.clock_offset_s))
        os.replace(target, self.path)
        self.part.close()
        os.unlink(self.part.name)

    def _column(self, offset, size):
        """The values of a column, in pieces (bytearray): picked byte by byte out of the rows, at C's speed."""
        self.part.seek(0)
        while True:
            block = self.part.read(_BLOCK_ROWS * _ROW.size)
            if not block:
                return
            column = bytearray(len(block) // _ROW.size * size)
            for number in range(size):
                column[number::size] = block[offset + number :: _ROW.size]
            yield column


def _member(archive, name, size=0):
    """A member of an .npz to write to. size (int): bytes, about; zip needs to know before whether that is much."""
    return archive.open(name + ".npy", "w", force_zip64=size >= zipfile.ZIP64_LIMIT // 2)


def _header(dtype, shape):
    """The head (bytes) of an .npy file: magic, version, length and a Python literal, padded to 64 bytes."""
    text = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (dtype, shape)
    padding = -(10 + len(text) + 1) % 64
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + padding + 1) + (text + " " * padding + "\n").encode()
