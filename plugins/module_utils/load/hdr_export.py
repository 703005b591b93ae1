# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Histograms as HdrHistogram's interval log, which its viewers and libraries read.

Format: HdrHistogram (Java) AbstractHistogram.encodeIntoByteBuffer and HistogramLogWriter, log version 1.3. A line is
`[Tag=NAME,]start_s,length_s,max,BASE64`; the base64 is a V2 compressed histogram: cookie, length, and deflated (zlib)
V2 payload, itself a header of 40 bytes and the counts, ZigZag LEB128 each, runs of zeros as minus their length.

What is written: integer values in units of the histogram's `scale` (microseconds for times), from 1 to the largest
value (at least 2), 3 significant digits. Each of our buckets goes where its middle lies, which is 0.2 % off at most,
to which HdrHistogram's own buckets add up to 0.1 %; the smallest and the largest value are kept exactly. `max` in the
line is in milliseconds for times (log readers ignore it).
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import struct
import time
import zlib

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import middle_of

DIGITS = 3

# Sub-buckets: the power of two that tells 2 * 10**DIGITS single values apart.
_SUB_BITS = (2 * 10**DIGITS - 1).bit_length()
_HALF_BITS = _SUB_BITS - 1
_MASK = (1 << _SUB_BITS) - 1

_V2_COOKIE = 0x1C849303 | 0x10
_V2_COMPRESSED_COOKIE = 0x1C849304 | 0x10
_UNITS_IN_MAX = 1000.0


def encode(histogram):
    """A Histogram as HdrHistogram's V2 compressed form, in base64 (str)."""
    counts = _counts(histogram)
    highest = max(2, histogram.max or 0)
    payload = _leb128(counts)
    header = struct.pack(">IIIIQQd", _V2_COOKIE, len(payload), 0, DIGITS, 1, highest, 1.0)
    compressed = zlib.compress(header + payload)
    return base64.b64encode(struct.pack(">II", _V2_COMPRESSED_COOKIE, len(compressed)) + compressed).decode("ascii")


def line(histogram, start, end, tag=None):
    """A line (str) of the log for a Histogram of the time from `start` to `end` (epoch s); tag (str): without commas.

    Raises ValueError for a tag that the format can't hold.
    """
    if tag is not None and (not tag or set(tag) & set(", \t\r\n")):
        raise ValueError("a tag has no commas or blanks: %r" % tag)
    prefix = "" if tag is None else "Tag=%s," % tag
    largest = (histogram.max or 0) / _UNITS_IN_MAX
    return "%s%.3f,%.3f,%.3f,%s" % (prefix, start, end - start, largest, encode(histogram))


def log(intervals):
    """The text of a .hlog file; intervals: list of (Histogram, start, end, tag or None), in the order of time."""
    begin = min(start for _histogram, start, _end, _tag in intervals) if intervals else 0.0
    date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin))
    lines = [
        "#[Histogram log format version 1.3]",
        "#[StartTime: %.3f (seconds since epoch), %s]" % (begin, date),
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ]
    lines += [line(*interval) for interval in intervals]
    return "\n".join(lines) + "\n"


def _counts(histogram):
    """HdrHistogram's index (int) -> how many values (int)."""
    counts = {}
    if not histogram.count:
        return counts
    places = []
    for bucket in sorted(histogram.counts):
        places.append(_index(min(max(int(middle_of(bucket)), histogram.min), histogram.max)))
        counts[places[-1]] = counts.get(places[-1], 0) + histogram.counts[bucket]
    # One value of the first bucket is the smallest, one of the last the largest.
    for place, exact in ((places[0], _index(histogram.min)), (places[-1], _index(histogram.max))):
        if place != exact:
            counts[place] -= 1
            counts[exact] = counts.get(exact, 0) + 1
    return counts


def _index(value):
    """HdrHistogram's countsArrayIndex of a value (int), with the smallest value to be told from 0 being 1."""
    bucket = (value | _MASK).bit_length() - _SUB_BITS
    return ((bucket + 1) << _HALF_BITS) + (value >> bucket) - (1 << _HALF_BITS)


def _leb128(counts):
    """The counts from index 0 to the last one, encoded (bytes)."""
    encoded = bytearray()
    at = 0
    for index in sorted(index for index, count in counts.items() if count):
        zeros = index - at
        if zeros:
            _add(encoded, 0 if zeros == 1 else -zeros)
        _add(encoded, counts[index])
        at = index + 1
    return bytes(encoded)


def _add(encoded, number):
    """A signed number: ZigZag, then seven bits a byte, the lowest first, and the ninth byte whole."""
    number = (number << 1) ^ (number >> 63)
    for _byte in range(8):
        if number < 0x80:
            encoded.append(number)
            return
        encoded.append((number & 0x7F) | 0x80)
        number >>= 7
    encoded.append(number)
