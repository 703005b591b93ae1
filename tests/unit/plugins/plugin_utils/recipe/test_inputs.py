# SPDX-License-Identifier: MIT
"""Files beside a recipe: found, checked, named in the plan, shipped; and those on the cluster."""

from __future__ import annotations

import hashlib
import shutil

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import inputs as inputs_module
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.errors import RecipeError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.inputs import cluster_paths
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.load import load_recipe

from .helpers import load_text, plan_of

pytestmark = pytest.mark.usefixtures("made_up_workloads")

TOP = """\
service: {image: 'nginx:1.27', command: nginx}
client:
  type: made_up
  settings: {%s}
benchmarks:
  duration: 10s
"""


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def problems_of(tmp_path, text: str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        load_text(tmp_path, text)
    return [line.replace(f"{tmp_path}/", "") for line in str(caught.value).splitlines()]


@pytest.fixture
def folder(tmp_path):
    """A folder with files beside the recipe."""
    (tmp_path / "data").mkdir()
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "data" / "a.txt").write_text("other a")
    (tmp_path / "data" / "bad.txt").write_text("bad")
    (tmp_path / "times.csv").write_text("t,what\n0.5,x\n1,y\n1,z\n")
    return tmp_path


def test_a_plan_without_files_has_none(folder):
    plan = plan_of(load_text(folder, TOP % ""))
    assert plan["inputs"] == {} and list(cluster_paths(plan)) == []


def test_files_beside_the_recipe_get_names_of_their_own(folder):
    text = TOP % "data: a.txt, more: [{file: data/a.txt}, {file: ./a.txt}, {file: ''}]"
    plan = plan_of(load_text(folder, text + "  rate: 5\n  arrival: {type: trace, path: times.csv}\n"))
    assert plan["clients"]["settings"] == {
        "data": "inputs/a.txt",
        "more": [{"file": "inputs/2-a.txt"}, {"file": "inputs/a.txt"}, {"file": ""}],
    }
    assert plan["benchmarks"]["arrival"]["trace"] == "inputs/times.csv"
    assert plan["inputs"] == {
        "inputs/a.txt": {"source": str(folder / "a.txt"), "sha256": sha256("a")},
        "inputs/2-a.txt": {"source": str(folder / "data" / "a.txt"), "sha256": sha256("other a")},
        "inputs/times.csv": {
            "source": str(folder / "times.csv"),
            "sha256": sha256((folder / "times.csv").read_text()),
        },
    }
    assert list(cluster_paths(plan)) == []


def test_files_are_swept_like_other_settings(folder):
    text = TOP % "" + "  sweep: {parameters: {settings.data: [a.txt, data/a.txt, /there/b.txt]}}\n"
    plan = plan_of(load_text(folder, text))
    assert [case["settings"] for case in plan["benchmarks"]["cases"]] == [
        {"data": "inputs/a.txt"}, {"data": "inputs/2-a.txt"}, {"data": "/there/b.txt"},
    ]  # fmt: skip
    assert sorted(plan["inputs"]) == ["inputs/2-a.txt", "inputs/a.txt"]
    assert list(cluster_paths(plan)) == [("benchmarks.sweep.settings.data", "/there/b.txt")]
    listed = TOP % "" + "  sweep: {mode: list, cases: [{settings: {data: a.txt}}, {settings: {data: data/a.txt}}]}\n"
    assert sorted(plan_of(load_text(folder, listed))["inputs"]) == ["inputs/2-a.txt", "inputs/a.txt"]


def test_files_in_the_current_folder_come_second(folder, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "a.txt").write_text("here")
    (elsewhere / "only-here.txt").write_text("only here")
    monkeypatch.chdir(elsewhere)
    plan = plan_of(load_text(folder, TOP % "data: a.txt, more: [{file: only-here.txt}]"))
    assert [file["source"] for file in plan["inputs"].values()] == [
        str(folder / "a.txt"),
        str(elsewhere / "only-here.txt"),
    ]


def test_a_run_can_be_run_again_from_its_directory(folder, tmp_path_factory):
    text = TOP % "data: a.txt, more: [{file: data/a.txt}]" + "  arrival: {type: trace, path: times.csv}\n"
    recipe = load_text(folder, text)
    run = tmp_path_factory.mktemp("run")
    (run / "recipe.yml").write_text(recipe.as_resolved_yaml())
    for name, file in recipe.inputs.items():
        (run / name).parent.mkdir(exist_ok=True)
        shutil.copy(file["source"], run / name)
    again, first = plan_of(load_recipe(str(run / "recipe.yml"))), plan_of(recipe)
    assert {name: file["sha256"] for name, file in again["inputs"].items()} == {
        name: file["sha256"] for name, file in first["inputs"].items()
    }
    assert (again["clients"], again["benchmarks"]) == (first["clients"], first["benchmarks"])


def test_files_of_the_cluster_are_looked_for_there(folder):
    text = TOP % "data: /data/x, more: [{file: /data/y}, {file: /data/x}, {size: 2}]"
    plan = plan_of(load_text(folder, text + "  arrival: {type: trace, path: /data/z}\n"))
    assert plan["inputs"] == {}
    assert list(cluster_paths(plan)) == [
        ("client.settings.data", "/data/x"),
        ("client.settings.more[0].file", "/data/y"),
        ("benchmarks.arrival.path", "/data/z"),
    ]


HINT = "a relative path is a file beside the recipe or in the current folder, an absolute one is on the cluster"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("b.txt", f"no such file: b.txt; did you mean 'a.txt'? ({HINT})"),
        ("nothing/here.bin", f"no such file: nothing/here.bin; {HINT}"),
        ("data", "data is a folder; name a file"),
        ("~/a.txt", "expected a path, found the text '~/a.txt'; write a path relative to the recipe, or the absolute"),
        ("$HOME/a.txt", "expected a path, found the text '$HOME/a.txt'"),
        ("data/bad.txt", "data/bad.txt: line 1 is bad (data); correct the file, or name another one"),
        ("x" * 300, "can't be read: File name too long"),
    ],
)
def test_what_is_wrong_with_a_file(folder, path, expected):
    [found] = problems_of(folder, TOP % f"data: {path}")
    assert found.startswith("mine.yml:4: client.settings.data: ") and expected in found


def test_every_wrong_file_is_told(folder):
    text = TOP % "data: b.txt, more: [{file: a.txt}, {file: c.txt}]"
    text += "  sweep: {parameters: {settings.data: [a.txt, d.txt]}}\n  arrival: {type: trace, path: e.csv}\n"
    assert [line.split(": ")[1] for line in problems_of(folder, text)] == [
        "client.settings.data",
        "client.settings.more[1].file",
        "benchmarks.sweep.parameters.settings.data[1]",
        "benchmarks.arrival.path",
    ]


def test_large_files_belong_on_the_cluster(folder, monkeypatch):
    monkeypatch.setattr(inputs_module, "MOST_BYTES", 2 * 2**20)
    with open(folder / "large", "wb") as stream:
        stream.truncate(2 * 2**20)
    assert load_text(folder, TOP % "data: large").inputs
    with open(folder / "large", "wb") as stream:
        stream.truncate(5 * 2**20)
    assert problems_of(folder, TOP % "data: large") == [
        "mine.yml:4: client.settings.data: large has 5 MiB, more than the 2 MiB that are shipped with a run;"
        " put it on the cluster and give its absolute path"
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "has no times: write one number of seconds a line"),
        (b"# nothing\n\n", "has no times"),
        (b"t\n1\ntwo\n", "line 3: 'two' is no number of seconds"),
        (b"1\n0.5\n", "line 2: 0.5 comes before the line above"),
        (b"-1\n", "line 1: a time is at least 0 seconds, not -1"),
        (b"1\ninf\n", "line 2: a time is at least 0 seconds, not inf"),
        (b"\xff\xfe\x00", "times.csv is no text in UTF-8; name another file"),
    ],
)
def test_what_is_wrong_with_a_trace(folder, content, expected):
    (folder / "times.csv").write_bytes(content)
    [found] = problems_of(folder, TOP % "" + "  arrival: {type: trace, path: times.csv}\n")
    assert found.startswith("mine.yml:7: benchmarks.arrival.path: times.csv") and expected in found


def test_a_trace_that_begins_after_the_measurement(folder):
    (folder / "times.csv").write_text("10\n11\n")
    text = TOP % "" + "  arrival: {type: trace, path: times.csv}\n"
    assert problems_of(folder, text) == [
        "mine.yml:7: benchmarks.arrival.path: its first time, 10 s, is not before the measurement's end, 10 s;"
        " correct the file, or name another one"
    ]
    assert load_text(folder, text + "  rate: 1\n").inputs  # stretched


def test_names_are_safe(folder):
    (folder / "-ü b.txt").write_text("x")
    (folder / ".hidden").write_text("y")
    plan = plan_of(load_text(folder, TOP % "data: '-ü b.txt', more: [{file: .hidden}]"))
    assert sorted(plan["inputs"]) == ["inputs/_-__b.txt", "inputs/_.hidden"]


def with_image(image: str) -> str:
    return TOP.replace("'nginx:1.27'", f"'{image}'") % ""


def test_a_definition_file_beside_the_recipe_is_shipped(folder):
    (folder / "data/web.def").write_text("BootStrap: docker\nFrom: nginx:1.27\n")
    recipe = load_text(folder, with_image("data/web.def"))
    plan = plan_of(recipe)
    assert plan["service"]["image"] == plan["service"]["overrides"]["image"] == "inputs/web.def"
    assert plan["inputs"]["inputs/web.def"]["source"] == str(folder / "data/web.def")
    assert "image: inputs/web.def" in recipe.as_resolved_yaml()
    assert plan_of(load_text(folder, with_image("/there/web.def")))["inputs"] == {}


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("wbe.def", "service.image: no such file: wbe.def; did you mean 'web.def'?"),
        ("a.def", "service.image: {}/a.def is no definition file: it has no line 'Bootstrap: …'; correct"),
        ("~/a.def", "service.image: expected a path, found the text '~/a.def'; write a path relative to"),
        ("oci-archive:x.tar", "service.image: 'x.tar' of oci-archive: is no absolute path; write oci-arc"),
        ("x.sif", "service.image: 'x.sif' is no absolute path; write where it lies on the cluster"),
        ("dockr://x/y", "service.image: unknown scheme 'dockr://'; did you mean docker://? known are docker"),
    ],
)
def test_an_image_that_is_none(tmp_path, folder, image, words):
    (folder / "web.def").write_text("Bootstrap: docker\n")
    (folder / "a.def").write_text("nothing\n")
    with pytest.raises(RecipeError) as caught:
        load_text(folder, with_image(image))
    [line] = str(caught.value).splitlines()
    assert line.startswith(f"{tmp_path}/mine.yml:1: {words.format(folder)}"), line
