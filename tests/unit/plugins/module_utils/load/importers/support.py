# SPDX-License-Identifier: MIT
"""What the tests of the importers share: the fixtures, and reading one as the client would."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import foreign
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.recorder import Recorder

FIXTURES = Path(__file__).parents[4] / "fixtures" / "importers"

# The mock server behind the fixtures (tools/mock_openai.py): what the tools can't have seen less of.
FIRST_S, GAP_S, TOKENS, PROMPT_TOKENS, SLACK_S = 0.05, 0.01, 8, 16, 0.01


def read(parser, folder, *sources):
    """An Imported from copies of fixtures (paths below FIXTURES) that appear in `folder`."""
    module = foreign.load(parser)
    outputs = foreign.Outputs(str(folder), module.HINT)
    for source in sources:
        path = FIXTURES / source
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            shutil.copy(file, folder / file.name)
    return module.read(outputs)


def read_text(parser, folder, files):
    """An Imported from files (name -> text or JSON) that appear in `folder`."""
    module = foreign.load(parser)
    outputs = foreign.Outputs(str(folder), module.HINT)
    for name, content in files.items():
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return module.read(outputs)


def load_json(source):
    """A fixture as JSON."""
    return json.loads((FIXTURES / source).read_text())


def applied(imported, before_s=0.0):
    """(recorder, its result) after an import."""
    recorder = Recorder(0.0)
    foreign.apply(imported, recorder, before_s)
    return recorder, recorder.result()


def statistics(imported, metric):
    """Statistic -> value of a histogram."""
    return dict(imported.histograms[metric].statistics())
