"""Bad input is one error of bounded length, in bounded time, with its place and exit code 2; it is shown as text."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from embodied.suite.stored import Bent, check_shape, parse_json
from tests.embodied.conftest import Command

CELL = 'embodied: 1\nclock: lockstep\nnodes:\n  clock: {use: "tests.embodied.nodes:Clock"}\n'


def cell(folder: Path, text: str = CELL) -> Path:
    file = folder / "cell.yaml"
    file.write_text(text, encoding="utf-8")
    return file


HOSTILE = {
    "a list of 20 000 numbers": CELL.replace('Clock"', 'Hold", with: {goal: "' + "[1, 2], " * 20_000 + '"}'),
    "a name of 50 kB": CELL.replace("clock: {", "n" * 50_000 + "-: {"),
    "a value of 50 kB": CELL.replace("Clock", "C" * 50_000),
    "a key of 50 kB": CELL.replace("use:", "u" * 50_000 + ": 1, use:"),
    "100 wrong nodes": "embodied: 1\nnodes:\n" + "".join(f'  n{i}: {{use: "policies.no{i}:A"}}\n' for i in range(100)),
    "300 wrong keys": "embodied: 1\nnodes:\n" + "".join(f"  n{i}: {{wiht: 1}}\n" for i in range(300)),
    "references without an end": CELL.replace("tests.embodied.nodes:Clock", "${" * 50_000),
    "references": CELL.replace("tests.embodied.nodes:Clock", "${a" * 50_000 + "}"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_an_error_is_short_and_soon_however_long_the_input_is(what: str, tmp_path: Path, embodied: Command) -> None:
    file = cell(tmp_path, HOSTILE[what])
    begin = time.process_time()
    done = embodied("check", str(file))
    assert time.process_time() - begin < 5
    assert done.code == 2
    assert len(done.stderr) < 12_000
    assert done.stderr.count("error[") <= 20
    if what.startswith("300"):
        assert "+280 more problems" in done.stderr
    data = json.loads(embodied("check", str(file), "--json").stdout)
    assert all(len(problem["message"]) <= 700 for problem in data["problems"])


def test_a_list_where_a_number_belongs_is_shown_as_it_is_written(tmp_path: Path, embodied: Command) -> None:
    for key in ("rate: [1]", "latency: [a, 1]", "max_age: {b: 2}", "jitter: []"):
        done = embodied("check", str(cell(tmp_path, CELL.replace("use:", f"{key}, in: {{}}, use:"))))
        assert done.code == 2
        assert "Item(" not in done.stderr
        assert "Place(" not in done.stderr


def test_text_in_an_error_is_no_picture_no_markup_and_no_escape_sequence(tmp_path: Path, embodied: Command) -> None:
    done = embodied("sweep", str(cell(tmp_path)), "--over", "clock.drop=0:-1:0.1")
    assert done.code == 2
    assert "0:-1:0.1" in done.stderr
    (tmp_path / "passwd.yaml").write_text("root:x:0:0\n")
    done = embodied("check", str(cell(tmp_path)), "--site", "passwd.yaml")
    assert "root:x:0:0" in done.stderr
    red = tmp_path / "[red]x\x1b[31m"
    red.mkdir()
    done = embodied("check", str(cell(red)))
    assert "[red]x\\x1b[31m" in embodied("check", str(red / "none.yaml")).stderr
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("path", ["/", "x y", "Ünïcode", "[red]"])
def test_a_project_without_a_name_that_it_can_have_is_one_error(path: str, embodied: Command, tmp_path: Path) -> None:
    done = embodied("new", path)
    assert done.code == 2
    assert "write: embodied new " in done.stderr


def blocking(folder: Path) -> Path:
    os.mkfifo(folder / "it")
    return folder / "it"


@pytest.mark.parametrize("make", [blocking, lambda _: Path("/dev/zero"), lambda _: Path("/proc/kmsg"), lambda f: f])
def test_what_blocks_or_never_ends_is_refused_wherever_a_file_is_named(
    make: object, tmp_path: Path, embodied: Command
) -> None:
    assert callable(make)
    path = make(tmp_path)
    good = str(cell(tmp_path))
    for text in (f"include: [{path}]\n", f"include: [robots/panda.yaml]\nrobots: {{panda: {{urdf: {path}}}}}\n"):
        file = tmp_path / "other.yaml"
        file.write_text(CELL + text)
        done = embodied("check", str(file))
        assert done.code == 2, done.stdout
    for words in (
        ("check", str(path)),
        ("check", good, "--site", str(path)),
        ("test", good, "--for", "1s", "--baseline", str(path)),
        ("test", "--resume", str(path)),
    ):
        assert embodied(*words).code == 2, words


BENT = [
    "[" * 100_000,
    '{"scenarios": {}}',
    '{"scenarios": 7, "seeds": [0], "repeat": 1, "films": "none", "graphs": {}, "versions": {}}',
    '{"scenarios": [], "seeds": [], "repeat": 1, "films": "none", "graphs": {}, "versions": {}}',
    "null",
    "1e999",
    "9" * 10_000,
    '"\\ud800"',
    "{",
    "",
    "\x00",
]


@pytest.mark.parametrize("text", BENT)
def test_a_suite_whose_file_is_bent_is_one_sentence(text: str, tmp_path: Path, embodied: Command) -> None:
    folder = tmp_path / "runs" / "it"
    folder.mkdir(parents=True)
    for name in ("suite.json", "axes.json", "summary.json"):
        (folder / name).write_text(text, encoding="utf-8", errors="surrogatepass")
    good = str(cell(tmp_path))
    for words in (
        ("test", "--resume", "runs/it"),
        ("sweep", "--resume", "runs/it"),
        ("test", good, "--for", "1s", "--baseline", "runs/it"),
    ):
        done = embodied(*words)
        assert done.code == 2, done.stderr
        assert "fault in embodied itself" not in done.stderr


SHAPE = {"name": str, "count": int, "share?": float, "kind": ("a", None), "all": [{...: [int]}]}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "its content must be a mapping, got []"),
        ({}, "it has no 'name'"),
        ({"name": 3}, "name must be text, got 3"),
        ({"name": "n", "count": True}, "count must be a whole number, got True"),
        ({"name": "n", "count": 1 << 70}, "count must be a whole number"),
        ({"name": "n", "count": 1, "share": float("nan")}, "share must be a number, got nan"),
        ({"name": "n", "count": 1, "kind": "b"}, "kind must be 'a' or null, got 'b'"),
        ({"name": "n", "count": 1, "kind": "a", "all": {}}, "all must be a list, got {}"),
        (
            {"name": "n", "count": 1, "kind": "a", "all": [{"x": [1, "2"]}]},
            "all[0].x[1] must be a whole number, got '2'",
        ),
    ],
)
def test_what_is_bent_is_told_with_its_place(data: object, says: str) -> None:
    with pytest.raises(Bent) as caught:
        check_shape(data, SHAPE)
    assert says in str(caught.value)
    with pytest.raises(Bent):
        parse_json(json.dumps(data), SHAPE)


def test_what_has_the_shape_is_taken_with_whatever_else_it_holds() -> None:
    check_shape({"name": "n", "count": 1, "kind": None, "all": [{"x": [1]}], "more": object()}, SHAPE)


def test_an_annotation_names_its_file_as_the_repository_has_it(
    tmp_path: Path, embodied: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever folder the step runs in, and through whatever link the workspace is reached."""
    repository = tmp_path / "repository"
    (repository / "launch").mkdir(parents=True)
    cell(repository / "launch", "embodied: 1\n")
    (tmp_path / "link").symlink_to(repository)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "link"))
    # The fixture gives its commands in `tmp_path`.
    for file in (
        "repository/launch/cell.yaml",
        "link/launch/../launch/cell.yaml",
        str(repository / "launch/cell.yaml"),
    ):
        done = embodied("check", file, "--format", "github")
        assert "file=launch/cell.yaml," in done.stdout
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert "file=repository/launch/cell.yaml," in embodied(
        "check", "link/launch/cell.yaml", "--format", "github"
    ).stdout.replace("file=link/", "file=repository/")
    monkeypatch.delenv("GITHUB_WORKSPACE")
    assert "file=repository/launch/cell.yaml," in embodied("check", file, "--format", "github").stdout


def test_the_world_is_swapped_as_a_node_is(tmp_path: Path, embodied: Command) -> None:
    text = CELL + 'world: {use: "tests.embodied.suite.waiting:Waiting", with: {fails: [0]}}\n'
    file = str(cell(tmp_path, text))
    done = embodied("run", file, "--swap", "world=tests.embodied.suite.waiting:Waiting", "--json")
    # A new class drops the settings of the old one, as for nodes; the same class keeps them.
    assert (done.code, json.loads(done.stdout)["passed"]) == (1, False)
    done = embodied("check", file, "--swap", "wrld=a:B")
    assert "did you mean 'world'?" in done.stderr
    done = embodied("check", str(cell(tmp_path)), "--swap", "world=tests.embodied.suite.waiting:Waiting")
    assert (done.code, "there is no node 'world'" in done.stderr) == (2, True)


@pytest.mark.parametrize(("lens", "why"), [("breaks", "the lens fell off"), ("gone", "there is no such camera")])
def test_a_picture_that_fails_takes_nothing_from_a_run(lens: str, why: str, tmp_path: Path, embodied: Command) -> None:
    """The verdict first, then why there is no picture."""
    text = CELL + 'world: {use: "tests.embodied.suite.waiting:Waiting", with: {lens: ' + lens + "}}\n"
    file = str(cell(tmp_path, text))
    done = embodied("run", file)
    assert done.code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("PASS")
    assert any(line.startswith("digest ") for line in lines)
    assert lines[-1].startswith("picture    none: ")
    assert why in lines[-1]
    data = json.loads(embodied("run", file, "--json").stdout)
    assert (data["passed"], data["picture"]) == (True, None)
    assert why in data["picture_trouble"]


def test_any_camera_that_works_takes_the_pictures(tmp_path: Path, embodied: Command) -> None:
    text = CELL + 'world: {use: "tests.embodied.suite.waiting:Waiting", with: {lens: gone, spare: true}}\n'
    done = embodied("run", str(cell(tmp_path, text)), "--json")
    assert json.loads(done.stdout)["picture"]
