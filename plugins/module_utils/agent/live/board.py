# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an agent has to say just now, as Prometheus' text: the newest value of everything, nothing of what is old.

Whoever knows something tells it (`tell`), or is asked when somebody wants to know (`ask`). A sample is a tuple
(name, labels as text, value); labels are as they stand between the braces.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.exposition import escaped
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.naming import PREFIX

VALID_S = 10.0  # what nobody has told again for so long is not true any more
MOST_SAMPLES = 20000  # of one part: a service may have as many as it likes
_COUNTER_ENDS = ("_total",)


class Board:
    """Thread-safe: each part is replaced as a whole."""

    def __init__(self):
        self.parts = {}
        self.asked = []

    def tell(self, part, make, *values, valid_s=VALID_S):
        """Say something that is true from now on, in place of what this part (str) said before.

        `make(*values)` gives its samples when somebody wants to see them: telling costs nothing.
        """
        self.parts[part] = (time.monotonic() + valid_s, make, values)

    def forget(self, part):
        """What this part said is not true any more."""
        self.parts.pop(part, None)

    def ask(self, source):
        """Have `source()` asked for samples whenever somebody wants to see them."""
        self.asked.append(source)

    def text(self):
        """All of it (str). The lines of a metric are together, as the format wants it."""
        now = time.monotonic()
        parts = [make(*values) for until, make, values in list(self.parts.values()) if now <= until]
        parts += [source() for source in self.asked]
        lines, left_out = {}, 0
        for part in parts:
            for number, (name, labels, value) in enumerate(part):
                if number >= MOST_SAMPLES:
                    left_out += 1
                    continue
                lines.setdefault(name, []).append("%s%s %s\n" % (name, "{%s}" % labels if labels else "", _text(value)))
        name = PREFIX + "live_left_out"
        lines[name] = ["%s %d\n" % (name, left_out)]
        return "".join(_type(name) + "".join(of_name) for name, of_name in sorted(lines.items()))


def labels(pairs):
    """Labels as text, of (name, value) pairs."""
    return ",".join('%s="%s"' % (name, escaped(str(value))) for name, value in pairs)


def _type(name):
    """What is ours has a type. What a service says of itself has none: a part of a histogram would need it whole."""
    if not name.startswith(PREFIX):
        return ""
    return "# TYPE %s %s\n" % (name, "counter" if name.endswith(_COUNTER_ENDS) else "gauge")


def _text(value):
    value = float(value)
    return "%d" % value if value.is_integer() and abs(value) < 1e15 else repr(value)
