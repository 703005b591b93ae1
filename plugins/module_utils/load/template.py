# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Texts that differ from request to request.

`${seq}` 0, 1, 2, … of this client; `${client}` its number; `${random:LOW:HIGH}` an integer; `${hex:DIGITS}`;
`${secret:NAME}` a secret of the run; `$${` is `${` itself.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

_PLACE = re.compile(r"\$(\$\{)|\$\{([^}]*)\}")
_FORMS = {
    "seq": re.compile(r"seq$"),
    "client": re.compile(r"client$"),
    "random": re.compile(r"random:(-?[0-9]+):(-?[0-9]+)$"),
    "hex": re.compile(r"hex:([0-9]{1,6})$"),
    "secret": re.compile(r"secret:([A-Za-z0-9_.-]+)$"),
}


def parse(text):
    """The parts (list of str, or of tuples (form, arguments)) of a text. Raises ValueError for an unknown place."""
    parts, at = [], 0
    for found in _PLACE.finditer(text):
        parts.append(text[at : found.start()])
        at = found.end()
        parts.append("${" if found.group(1) else _place(found.group(2)))
    parts.append(text[at:])
    return [part for part in parts if part]


class Template:
    """text: see the module. client (int); random: a random.Random; secret: callable, name -> str.

    Raises ValueError for an unknown place.
    """

    def __init__(self, text, client, random, secret):
        self.random = random
        self.parts = [self._known(part, client, secret) for part in parse(text)]
        self.fixed = None
        if all(isinstance(part, str) for part in self.parts):
            self.fixed = "".join(self.parts)

    def text(self, seq):
        """The text (str) for the operation with this number."""
        if self.fixed is not None:
            return self.fixed
        return "".join([part if isinstance(part, str) else self._value(part, seq) for part in self.parts])

    @staticmethod
    def _known(part, client, secret):
        """What does not change from request to request."""
        if isinstance(part, str):
            return part
        form, arguments = part
        if form == "client":
            return str(client)
        return secret(arguments[0]) if form == "secret" else part

    def _value(self, part, seq):
        form, arguments = part
        if form == "seq":
            return str(seq)
        if form == "random":
            return str(self.random.randint(int(arguments[0]), int(arguments[1])))
        return "%0*x" % (int(arguments[0]), self.random.getrandbits(4 * int(arguments[0])))


def _place(inside):
    for form, pattern in _FORMS.items():
        found = pattern.match(inside)
        if found:
            arguments = found.groups()
            if form == "random" and int(arguments[0]) > int(arguments[1]):
                raise ValueError("${%s}: the lower end is above the upper one" % inside)
            if form == "hex" and not int(arguments[0]):
                raise ValueError("${%s}: at least one digit" % inside)
            return form, arguments
    raise ValueError(
        "${%s} is none of ${seq}, ${client}, ${random:LOW:HIGH}, ${hex:DIGITS}, ${secret:NAME}; $${ is a plain ${"
        % inside
    )
