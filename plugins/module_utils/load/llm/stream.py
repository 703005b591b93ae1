# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads a streamed answer as it comes: server-sent events (OpenAI) or JSON lines (Ollama).

Tens of thousands of messages a second leave no time to parse each as JSON: whether one carries text is seen by a
regular expression (a quote within a JSON string is escaped, so the key can't be part of a text), and only those
with a usage, an error or the end are parsed.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import re

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.framing import UNREADABLE, BadResponse

_TEXT = re.compile(rb'"(?:content|text|reasoning_content|reasoning|response)"\s*:\s*"(?!")')
_PARSED = re.compile(rb'"usage"\s*:\s*\{|"error"\s*:|"done"\s*:\s*true')
_DATA = b"data:"
_MOST_LINE_BYTES = 1 << 20
_EXAMPLE_CHARACTERS = 400


class StreamReader:
    """api: of llm.apis; keeps_text: parse every message, and keep its text."""

    __slots__ = ("answer", "api", "error", "keeps_text", "rest", "saw_end", "text")

    def __init__(self, api, keeps_text=False):
        self.api, self.keeps_text = api, keeps_text
        self.rest = b""
        self.text = []
        self.answer = None  # of the message that had the usage
        self.error = None
        self.saw_end = False

    def feed(self, data):
        """Take a part (bytes) of the body. Returns how many messages of it carry text (int)."""
        if self.rest:
            data = self.rest + data
        stop = data.rfind(b"\n") + 1
        self.rest = data[stop:]
        if len(self.rest) > _MOST_LINE_BYTES:
            raise BadResponse("a message of the stream does not end within %d bytes" % _MOST_LINE_BYTES)
        if not stop:
            return 0
        if stop < len(data):
            data = data[:stop]
        if self.keeps_text:
            return sum(map(self._message, data.split(b"\n")))
        if self.api.done in data or _PARSED.search(data):
            for line in data.split(b"\n"):
                if self.api.done in line or _PARSED.search(line):
                    self._message(line)
        return len(_TEXT.findall(data))

    def _message(self, line):
        """Take one line. Returns whether (int) it carries text."""
        line = line.strip()
        if line.startswith(_DATA):
            line = line[len(_DATA) :].strip()
        elif not line.startswith(b"{"):
            return 0  # an empty line, a comment or another field of a server-sent event
        if line == b"[DONE]":
            self.saw_end = True
            return 0
        try:
            message = json.loads(line.decode("utf-8"))
            if message.get("error"):
                self.error = self.error or ("%s" % (message["error"],))[:_EXAMPLE_CHARACTERS]
                return 0
            if message.get("done"):
                self.saw_end = True
            text, answer = self.api.part(message)
            if not isinstance(text, str):
                raise TypeError(text)
        except UNREADABLE:
            self.error = self.error or "a message can't be read: %s" % line[:200].decode("utf-8", "replace")
            return 0
        self.answer = answer or self.answer
        if self.keeps_text and text:
            self.text.append(text)
        return 1 if text else 0
