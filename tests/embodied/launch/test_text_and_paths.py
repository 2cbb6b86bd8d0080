"""Text stays text, and a path is relative to the file it stands in.

A setting of type text takes a number as it is written: `00012345` and `5E20012345` are serial numbers. Inside text a
reference goes in as it is written, and an empty one as nothing. A relative path belongs to the file, or to the command
line, in which its text stands, whatever references, includes, links and layers bring it to its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from embodied import Node
from embodied.errors import LaunchError
from embodied.launch import Overrides, load
from embodied.messages import JointState


@dataclass
class Nested:
    label: str = ""
    file: Path | None = None


@dataclass
class Reader(Node):
    """A node with a setting of each kind."""

    serial: str = ""
    optional: str | None = None
    count: int = 0
    gain: float = 0.0
    either: int | str = 0
    version: Literal["1.0", "2"] = "2"
    file: Path | None = None
    source: int | Path | str = 0
    names: list[str] = field(default_factory=list)
    table: dict[str, str] = field(default_factory=dict)
    nested: Nested | None = None

    rate = 10.0

    def step(self) -> JointState | None:
        return None


CELL = """\
embodied: 1
clock: lockstep
args: {{id: "{default}", other: null}}
nodes:
  reader: {{use: "tests.embodied.launch.test_text_and_paths:Reader", with: {{{settings}}}}}
"""


def write(path: Path, settings: str, default: str = "0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CELL.format(settings=settings, default=default), encoding="utf-8")
    return path


def reader(file: Path, **overrides: object) -> Reader:
    node = load(file, Overrides(**overrides)).graph().entries["reader"].node  # type: ignore[arg-type]
    assert isinstance(node, Reader)
    return node


NUMBERS = [
    "00012345",
    "5E20012345",
    "1e5",
    "0x1F",
    "0o17",
    "+7",
    "1.0",
    "12345",
    "true",
    ".inf",
    "1_000",
    "٣",
    "0" * 400,
]
"""Texts of serial numbers that YAML reads as something else, most of them."""


@pytest.mark.parametrize("text", NUMBERS)
def test_a_setting_of_type_text_takes_a_number_as_it_is_written(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAM", text)
    for settings in (f"serial: {text}", 'serial: "${env:CAM}"', 'serial: "${env:CAM:-1}"', f"serial: '{text}'"):
        assert reader(write(tmp_path / "cell.yaml", settings)).serial == text
    assert reader(write(tmp_path / "cell.yaml", ""), sets=[f"reader.serial={text}"]).serial == text
    by_argument = write(tmp_path / "cell.yaml", 'serial: "${args.id}", optional: "no ${args.id}!"')
    assert reader(by_argument, sets=[f"id={text}"]).serial == text
    assert reader(by_argument, sets=[f"id={text}"]).optional == f"no {text}!"
    inside = write(tmp_path / "cell.yaml", f"names: [{text}, a], table: {{k: {text}}}, nested: {{label: {text}}}")
    node = reader(inside)
    assert (node.names, node.table, node.nested) == ([text, "a"], {"k": text}, Nested(text))


def test_a_number_is_one_where_a_number_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N", "010")
    node = reader(write(tmp_path / "cell.yaml", 'count: "${env:N}", gain: 1e3, either: 7, version: 1.0'))
    assert (node.count, node.gain, node.either, node.version) == (10, 1000.0, 7, "1.0")
    # A number with zeros before it is nobody's quantity.
    assert reader(write(tmp_path / "cell.yaml", "either: 007")).either == "007"
    assert reader(write(tmp_path / "cell.yaml", "either: 1e400")).either == "1e400"
    for settings, expected in (("count: 1.5", "a whole number, got 1.5"), ("gain: .inf", "a finite number, got inf")):
        with pytest.raises(LaunchError, match=f"expected {expected}"):
            reader(write(tmp_path / "cell.yaml", settings))


def test_inside_text_an_empty_variable_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("YES", "True")
    settings = 'serial: "a${env:EMPTY}b${args.other}c${env:NONE:-}d", optional: "is ${env:YES}"'
    node = reader(write(tmp_path / "cell.yaml", settings))
    assert (node.serial, node.optional) == ("abcd", "is True")
    # As a whole value it is absent, as a written null is.
    assert reader(write(tmp_path / "cell.yaml", 'optional: "${env:EMPTY}"')).optional is None


@pytest.mark.parametrize("value", ["[1, 2]", "{a: 1}"])
def test_a_list_does_not_stand_inside_text(value: str, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"\$\{args\.id\} is a .*, which cannot stand inside text"):
        reader(write(tmp_path / "cell.yaml", 'serial: "no ${args.id}"'), sets=[f"id={value}"])


@pytest.mark.parametrize("text", ["${args.id", "${env:A:-${args.id}}", "a ${env:B"])
def test_a_reference_without_an_end_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="a reference has no end"):
        reader(write(tmp_path / "cell.yaml", f'serial: "{text}"'))


def test_braces_that_open_no_reference_stay_text(tmp_path: Path) -> None:
    settings = 'serial: "pa$${ss} {x} ${env:NONE:-{a}"'
    with pytest.raises(LaunchError, match=r"cannot read \$\{ss\}"):
        reader(write(tmp_path / "cell.yaml", settings))
    assert reader(write(tmp_path / "cell.yaml", 'serial: "{x} ${env:NONE:-{a} $ ${"')).serial == "{x} {a $ ${"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same name in the folder of the file, that of its fragment, of the site, and the current one."""
    for name in ("file", "fragment", "site", "here"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "it.dbc").write_text(name)
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def text(path: Path | int | str | None) -> str:
    assert isinstance(path, Path)
    return path.read_text()


def test_a_path_is_relative_to_the_file_it_stands_in(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = "file: it.dbc, source: it.dbc, nested: {file: it.dbc}"
    file = write(folders / "file" / "cell.yaml", settings)
    node = reader(file)
    assert node.nested is not None
    assert {text(node.file), text(node.source), text(node.nested.file)} == {"file"}
    site = folders / "site" / "site.yaml"
    site.write_text("embodied: 1\nnodes: {reader: {with: {file: it.dbc, nested: {file: it.dbc}}}}\n")
    node = reader(file, site=site)
    assert node.nested is not None
    assert (text(node.file), text(node.source), text(node.nested.file)) == ("site", "file", "site")
    node = reader(file, sets=["reader.file=it.dbc", "reader.nested={file: it.dbc}"])
    assert node.nested is not None
    assert (text(node.file), text(node.nested.file)) == ("here", "here")
    monkeypatch.setenv("DBC", "it.dbc")
    assert text(reader(write(file, 'file: "${env:DBC}"')).file) == "file"


def test_a_path_that_an_argument_brings_stays_where_it_was_written(folders: Path) -> None:
    write(folders / "fragment" / "part.yaml", 'file: "${args.id}"', default="it.dbc")
    outer = folders / "file" / "cell.yaml"
    for args, expected in (
        ("", "fragment"),
        (", args: {id: it.dbc}", "file"),
        (', args: {id: "${args.name}"}', "file"),
    ):
        include = f"include: [{{file: ../fragment/part.yaml{args}}}]\nargs: {{name: it.dbc}}\n"
        outer.write_text("embodied: 1\n" + include)
        assert text(reader(outer).file) == expected
    assert text(reader(outer, sets=["name=it.dbc"]).file) == "here"
    assert text(reader(folders / "fragment" / "part.yaml", sets=["id=it.dbc"]).file) == "here"


def test_what_is_no_path_is_taken_as_it_is_written(folders: Path) -> None:
    for written, expected in (
        ("0", 0),
        ("/dev/video3", Path("/dev/video3")),
        ("rtsp://host:554/a#b", "rtsp://host:554/a#b"),
        ("http://host/x.mp4", "http://host/x.mp4"),
    ):
        node = reader(write(folders / "file" / "cell.yaml", f"source: '{written}'" if "/" in written else "source: 0"))
        assert node.source == expected
    with pytest.raises(LaunchError, match=r"expected a path, got 'http://host/x\.dbc'"):
        reader(write(folders / "file" / "cell.yaml", "file: 'http://host/x.dbc'"))


def test_a_file_that_is_a_link_is_the_file_that_it_leads_to(folders: Path) -> None:
    """Its settings, its includes and its packages: all beside the target, none beside the link."""
    write(folders / "file" / "part.yaml", "file: it.dbc")
    write(folders / "here" / "part.yaml", "file: it.dbc")
    (folders / "file" / "cell.yaml").write_text("embodied: 1\ninclude: [part.yaml]\n")
    link = folders / "here" / "link.yaml"
    link.symlink_to(folders / "file" / "cell.yaml")
    assert text(reader(link).file) == "file"
    part = folders / "site" / "part.yaml"
    part.symlink_to(folders / "file" / "part.yaml")
    (folders / "site" / "cell.yaml").write_text("embodied: 1\ninclude: [part.yaml]\n")
    assert text(reader(folders / "site" / "cell.yaml").file) == "file"


def test_a_shipped_file_that_runs_in_a_project_takes_the_robots_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "launch" / "robots").mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "sub").mkdir()
    shipped = Path(__file__).parents[3] / "launch" / "robots" / "panda.yaml"
    own = shipped.read_text().replace("panda.urdf", str(shipped.with_name("panda.urdf")))
    (tmp_path / "launch" / "robots" / "mine.yaml").write_text(own.replace("\n  panda:", "\n  mine:"))
    (tmp_path / "launch" / "tables").mkdir()
    (tmp_path / "launch" / "tables" / "mine.yaml").write_text("embodied: 1\n")
    monkeypatch.chdir(tmp_path / "sub")
    assert "mine" in load("pick_place", Overrides(sets=["robot=mine"])).robots()
    with pytest.raises(LaunchError, match=r"did you mean 'robots/mine\.yaml'"):
        load("pick_place", Overrides(sets=["robot=mini"]))
