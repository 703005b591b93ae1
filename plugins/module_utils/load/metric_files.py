# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Numbers that a command writes about itself: `metrics.json` and `metrics.jsonl` in its output directory.

`metrics.json` is one object, written anew by every execution (when read it becomes `metrics-last.json`);
`metrics.jsonl` has one object a line, added to. An object maps a metric's name to a number or to
{"value": number, "unit": str}.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os


class MetricFiles:
    """Reads what is new in a directory after each execution. Files from before it was made are not new."""

    def __init__(self, directory):
        self.object_path = os.path.join(directory, "metrics.json")
        self.lines_path = os.path.join(directory, "metrics.jsonl")
        self.last_path = os.path.join(directory, "metrics-last.json")
        self.offset = self._size()

    def collect(self, recorder, keep=True):
        """Give what is new to `recorder` (Recorder); with `keep` False it belongs to the warm-up and is dropped."""
        try:
            # Renamed, not compared by time: two executions may write the same size within one clock tick.
            os.rename(self.object_path, self.last_path)
        except FileNotFoundError:
            pass  # this execution wrote none
        else:
            if keep:
                with open(self.last_path, errors="replace") as stream:
                    self._take(stream.read(), recorder, self.object_path)
        if self._size() > self.offset:
            with open(self.lines_path, "rb") as stream:
                stream.seek(self.offset)
                block = stream.read()
            whole = block.rfind(b"\n") + 1  # the last line may still be being written
            self.offset += whole
            if keep:
                for line in block[:whole].decode("utf-8", "replace").splitlines():
                    if line.strip():
                        self._take(line, recorder, self.lines_path)

    @staticmethod
    def _take(text, recorder, path):
        try:
            found = json.loads(text)
            if not isinstance(found, dict):
                raise ValueError("not a JSON object: %s" % text[:100])
            for metric, given in sorted(found.items()):
                if isinstance(given, dict):
                    recorder.value(metric, given.get("value"), str(given.get("unit", "1")))
                else:
                    recorder.value(metric, given)
        except ValueError as e:  # also what is no JSON
            recorder.problem("metrics file", "%s: %s" % (path, e))

    def _size(self):
        try:
            return os.stat(self.lines_path).st_size
        except FileNotFoundError:
            return 0
