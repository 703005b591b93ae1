# SPDX-License-Identifier: MIT
"""Archives that a cluster made to do harm: nothing is written outside the run, and nothing that it has is lost."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import resource
import tarfile
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import archive
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.shipment import unpack
from hypothesis import given
from hypothesis import strategies as st

RUN = "20261123-190212-postgresql-3f9a"


@pytest.fixture
def run(tmp_path):
    """A run with something collected before, beside a file of somebody else."""
    (tmp_path / "neighbour").write_text("theirs")
    run = RunDirectory(tmp_path / RUN)
    run.write_text("results.csv", "before")
    return run


class Entry(tarfile.TarInfo):
    """An entry with what it holds."""

    content = b""


def entry(name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE, target: str = "") -> Entry:
    info = Entry(name)
    info.type, info.linkname, info.size = kind, target, len(content) if kind == tarfile.REGTYPE else 0
    info.content = content
    return info


def pack(*entries: Entry, manifest: bool = True, form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    listed = "".join(f"{hashlib.sha256(info.content).hexdigest()}  {info.name}\n" for info in entries if info.isreg())
    if manifest:
        entries = (*entries, entry("manifest.sha256", listed.encode("utf-8", "surrogateescape")))
    with tarfile.open(fileobj=buffer, mode="w:gz", format=form) as tar:
        for info in entries:
            tar.addfile(info, io.BytesIO(info.content))
    return buffer.getvalue()


def around(run: RunDirectory) -> dict[str, bytes]:
    """All files beside and in the run's directory."""
    paths = (Path(folder) / name for folder, _folders, names in os.walk(run.path.parent) for name in names)
    return {str(path): path.read_bytes() for path in paths if path.is_file()}


def refused(run: RunDirectory, data: bytes, match: str) -> None:
    before = around(run)
    with pytest.raises(RunError, match=match) as error:
        unpack(data, run, lambda name: name)
    assert RUN in str(error.value)
    assert around(run) == before


@pytest.mark.parametrize(
    ("name", "more", "match"),
    [
        ("../neighbour", {}, "leads elsewhere"),
        ("logs/../../neighbour", {}, "leads elsewhere"),
        ("/etc/x", {}, "leads elsewhere"),
        ("logs/x", {"kind": tarfile.SYMTYPE, "target": "/etc/passwd"}, "is a link"),
        ("logs", {"kind": tarfile.SYMTYPE, "target": ".."}, "is a link"),
        ("logs/x", {"kind": tarfile.LNKTYPE, "target": "../neighbour"}, "is a link"),
        ("null", {"kind": tarfile.CHRTYPE}, "is a device"),
        ("disk", {"kind": tarfile.BLKTYPE}, "is a device"),
        ("pipe", {"kind": tarfile.FIFOTYPE}, "is a device"),
        (".", {}, "leads elsewhere"),
    ],
)
def test_what_is_no_plain_file_below_the_run_is_refused(run, name, more, match):
    refused(run, pack(entry("results.csv", b"after"), entry(name, **more)), match)


def test_a_link_of_the_run_does_not_lead_out_of_it(run, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (run.path / "logs").symlink_to(tmp_path / "elsewhere")
    refused(run, pack(entry("results.csv", b"after"), entry("logs/x")), "through a link that leads out of")
    (run.path / "neighbour").symlink_to(tmp_path / "neighbour")
    unpack(pack(entry("neighbour", b"mine")), run, lambda name: name)  # the link itself is replaced
    assert (tmp_path / "neighbour").read_text() == "theirs"
    assert run.read_text("neighbour") == "mine"


def test_a_link_to_the_home_of_all_runs_is_none_of_them(tmp_path):
    (tmp_path / "large" / RUN).mkdir(parents=True)
    (tmp_path / "runs").symlink_to(tmp_path / "large")
    assert unpack(pack(entry("logs/x")), RunDirectory(tmp_path / "runs" / RUN), lambda name: name)


@pytest.mark.parametrize(
    ("names", "match"),
    [(["a", "a"], "'a' twice"), (["a", "a/b"], "a file and a folder"), (["a/b", "a"], "a file and a folder")],
)
def test_a_name_is_one_file(run, names, match):
    refused(run, pack(*map(entry, names)), match)


def test_two_files_do_not_become_one(run):
    with pytest.raises(RunError, match="two files in it are 'x' here"):
        unpack(pack(entry("a"), entry("b")), run, lambda name: "x")


def test_a_folder_of_the_run_is_not_replaced_by_a_file(run):
    (run.path / "logs").mkdir()
    refused(run, pack(entry("logs")), "is a folder of the run")


def test_numbers_and_sizes_have_bounds(run, monkeypatch):
    monkeypatch.setattr(archive, "MOST_FILES", 10)
    refused(run, pack(*[entry(f"f{number}") for number in range(20)]), "more than 10 entries")
    monkeypatch.setattr(archive, "MOST_BYTES", 1 << 20)
    refused(run, pack(entry("a", bytes(1 << 20)), entry("b")), "more than 1 MiB, with 'b'")


def bomb(header: Entry, unpacked: int) -> bytes:
    """A header, and as many zeros as fit in little."""
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb", compresslevel=9) as stream:
        stream.write(header.tobuf(tarfile.GNU_FORMAT))
        for _mebibyte in range(unpacked >> 20):
            stream.write(bytes(1 << 20))
    return buffer.getvalue()


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_bomb_in_a_header_takes_no_memory(run, kind):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    header = entry("x", kind=kind)
    header.size = 256 << 20
    refused(run, bomb(header, 256 << 20), "a header of 268435456 bytes")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10  # KiB


def test_a_large_file_takes_no_memory(run):
    header = entry("x")
    header.size = 256 << 20
    data = bomb(header, 257 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(run, data, "its manifest did not arrive")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def test_headers_of_headers_end(run):
    block = entry("x", kind=tarfile.XGLTYPE).tobuf(tarfile.GNU_FORMAT)
    refused(run, gzip.compress(block * 5000), "cut short or damaged")


def test_a_disk_that_is_full_is_named(run, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device", "/there")

    monkeypatch.setattr(archive, "_write", full)
    refused(run, pack(entry("a")), "/there can't be written: No space left on device")


NAMES = st.lists(st.sampled_from(["..", ".", "", "a", "b", "logs", "neighbour", RUN, "é", "\udcff", "a\nb", "x" * 120]),
                 min_size=1, max_size=4).map("/".join)  # fmt: skip
KINDS = st.sampled_from([tarfile.REGTYPE] * 6 + [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
ENTRIES = st.lists(st.builds(entry, NAMES, st.binary(max_size=600), KINDS, NAMES), max_size=8)


def unpack_whatever(folder: Path, data: bytes) -> None:
    """Unpack into a fresh run: it works, or is a RunError that leaves all as it was."""
    run = RunDirectory(folder / RUN)
    (folder / "neighbour").write_text("theirs")
    run.write_text("results.csv", "before")
    before = around(run)
    try:
        unpack(data, run, lambda name: name)
    except RunError:
        assert around(run) == before
    after = around(run)
    assert {path for path in after if not path.startswith(f"{run.path}/")} == {str(folder / "neighbour")}
    assert after[str(folder / "neighbour")] == b"theirs"
    assert not [path for path in run.path.rglob("*") if path.is_symlink() or path.name.startswith(".unpacked")]


@given(entries=ENTRIES, form=st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]))
def test_whatever_is_in_it(entries, form, tmp_path_factory):
    unpack_whatever(tmp_path_factory.mktemp("any"), pack(*entries, form=form))


@given(
    entries=ENTRIES,
    damage=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6),
    inside=st.booleans(),
)
def test_whatever_is_damaged(entries, damage, inside, tmp_path_factory):
    """Bytes changed in the archive, or in what gzip unpacks."""
    data = bytearray(gzip.decompress(pack(*entries)) if inside else pack(*entries))
    for place, value in damage:
        data[place % len(data)] = value
    unpack_whatever(tmp_path_factory.mktemp("any"), gzip.compress(bytes(data)) if inside else bytes(data))


@given(data=st.binary(max_size=3000))
def test_whatever_it_is(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    unpack_whatever(folder, data)
    unpack_whatever(folder, gzip.compress(data))
