# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Data frames that follow one another, into one file: no more of them in memory than a part, the file there at once."""

from __future__ import annotations

import filecmp
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.tables.frames import library

_ROWS = 200_000  # of a part
_TYPES = {
    "text": lambda arrow: arrow.string(),
    "whole": lambda arrow: arrow.int32(),
    "real": lambda arrow: arrow.float64(),
    "time": lambda arrow: arrow.timestamp("ms", tz="UTC"),
}


def csv_file(path: Path, frames: Iterator[Any], really: bool) -> bool | None:
    """Write frames as CSV; whether the file is new or changed, None where there is no frame. Raises RunError."""

    def write(temporary: Path) -> bool:
        is_first = True
        for frame in frames:
            times = {
                name: frame[name].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for name in frame.select_dtypes("datetimetz")
            }
            frame.assign(**times).to_csv(
                temporary, mode="a", index=False, header=is_first, lineterminator="\n", encoding="utf-8"
            )
            is_first = False
        return not is_first

    return _at_once("csv", path, write, really)


def parquet_file(path: Path, columns: dict[str, str], frames: Iterator[Any], really: bool) -> bool | None:
    """Write frames of these columns (see frames.RESULTS) as Parquet; returns and raises as `csv_file` does."""
    arrow = _arrow()
    schema = arrow.schema([(name, _TYPES[kind](arrow)) for name, kind in columns.items()])

    def write(temporary: Path) -> bool:
        first = next(frames, None)
        if first is None:
            return False
        with arrow.parquet.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for part in _parts(first, frames):
                writer.write_table(arrow.Table.from_pandas(part, schema=schema, preserve_index=False))
        return True

    return _at_once("parquet", path, write, really)


def _arrow() -> ModuleType:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ImportError("Parquet needs pyarrow on the controller: pip install -r requirements.txt") from None
    return pyarrow


def _parts(first: Any, frames: Iterator[Any]) -> Iterator[Any]:
    """Frames put together until they are large enough: a row group for each of many small runs reads slowly."""
    kept, rows = [first], len(first)
    for frame in frames:
        if rows >= _ROWS:
            yield library().concat(kept)
            kept, rows = [], 0
        kept.append(frame)
        rows += len(frame)
    yield library().concat(kept)


def _at_once(option: str, path: Path, write: Callable[[Path], bool], really: bool) -> bool | None:
    """Let `write` fill a file that takes the place of `path` when it is whole; one with the same content stays."""
    try:
        if really:
            path.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=".aifactory-", dir=path.absolute().parent if really else None
        ) as folder:
            temporary = Path(folder) / path.name
            if not write(temporary):
                return None
            changed = not path.is_file() or not filecmp.cmp(temporary, path, shallow=False)
            if changed and really:
                os.chmod(temporary, 0o644)
                with temporary.open("rb") as stream:
                    os.fsync(stream.fileno())
                os.replace(temporary, path)
            return changed
    except OSError as error:
        raise RunError(f"{option}={path} cannot be written: {error.strerror or error}") from error
