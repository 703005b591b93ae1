# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is asked: made of common words to a length in tokens, or out of a file.

Without the model's tokenizer a length in tokens can only be aimed at. Two probes tell how many tokens the server
counts for so many words (Words); what a prompt really was is counted by the server's usage, and that is reported.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

# Short words of everyday English, most of which are one token in the usual vocabularies.
WORDS = (
    "the of and to in is you that it he was for on are as with his they at be this have from or one had by word "
    "but not what all were we when your can said there use an each which she do how their if will up other about "
    "out many then them these so some her would make like him into time has look two more write go see number no "
    "way could people my than first water been call who oil its now find long down day did get come made may part "
    "over new sound take only little work know place year live me back give most very after thing our just name "
    "good sentence man think say great where help through much before line right too mean old any same tell boy "
    "follow came want show also around form "
).split()


class Words:
    """tokens_per_word, overhead: tokens that a prompt of n words has, `overhead + n * tokens_per_word`."""

    def __init__(self, tokens_per_word=1.0, overhead=0.0):
        self.tokens_per_word, self.overhead = tokens_per_word, overhead

    @classmethod
    def measured(cls, few, few_tokens, many, many_tokens):
        """From two probes of so many words (int), for which the server counted so many tokens (int)."""
        if many_tokens <= few_tokens:
            return cls()
        slope = float(many_tokens - few_tokens) / (many - few)
        return cls(slope, max(0.0, few_tokens - slope * few))

    def words_for(self, tokens):
        """How many words (int >= 1) make about so many tokens."""
        return max(1, int((tokens - self.overhead) / self.tokens_per_word + 0.5))

    @staticmethod
    def text(count, random):
        """So many words (str)."""
        return " ".join(random.choices(WORDS, k=count))


def read_prompts(path):
    """The prompts of a file: list of (text, tokens of its answer or None), in its order.

    A JSON list or JSON lines: of ShareGPT ({"conversations": [{"from", "value"}, ...]}: the first turn of a person),
    of OpenAI's messages, or objects with `prompt` (or `question`, `text`) and perhaps `output_tokens`. Any other file:
    a prompt a line. Raises ValueError that names file and place.
    """
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    head = text.lstrip()[:1]
    if head == "[":
        records = _parse(path, text, 1)
    elif head == "{":
        lines = enumerate(text.splitlines(), 1)
        records = [_parse(path, line, number) for number, line in lines if line.strip()]
    else:
        records = [line for line in text.splitlines() if line.strip()]
    found = [_prompt(path, record, number) for number, record in enumerate(records, 1)]
    prompts = [prompt for prompt in found if prompt and prompt[0].strip()]
    if not prompts:
        raise ValueError("%s has no prompts" % path)
    return prompts


def _parse(path, text, line):
    try:
        return json.loads(text)
    except ValueError as e:
        raise ValueError("%s, line %d: no JSON: %s" % (path, line, e))


def _prompt(path, record, number):
    """(text, answer's tokens or None); None for a conversation in which no person speaks."""
    if isinstance(record, str):
        return record, None
    if not isinstance(record, dict):
        raise ValueError("%s, entry %d: a text or an object is expected, not %r" % (path, number, record))
    turns = record.get("conversations") or record.get("messages")
    if isinstance(turns, list):
        for turn in turns:
            if turn.get("from", turn.get("role")) in ("human", "user"):
                return str(turn.get("value", turn.get("content")) or ""), None
        return None
    for name in ("prompt", "question", "text"):
        if isinstance(record.get(name), str):
            tokens = record.get("output_tokens")
            return record[name], tokens if isinstance(tokens, int) and tokens > 0 else None
    raise ValueError("%s, entry %d has none of conversations, messages, prompt, question, text" % (path, number))
