from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.embodied.conftest import Command
from tests.embodied.suite.waiting import launch_file


@pytest.fixture
def cell(tmp_path: Path) -> str:
    file = launch_file(tmp_path)
    file.write_text(file.read_text("utf-8").replace("embodied: 1", "embodied: 1\nprofiles: {sim: {}}"), "utf-8")
    return file.name


def test_a_sweep_leaves_a_table_a_plot_and_results(tmp_path: Path, embodied: Command, cell: str) -> None:
    done = embodied("sweep", cell, "--over", "clock.drop=0:0.2:0.1", "--seeds", "0:3", "--jobs", "2")
    assert done.code == 0, done.stderr
    (folder,) = tmp_path.glob("runs/*")
    data = json.loads((folder / "results.json").read_text("utf-8"))
    assert [(p["values"], p["passed"], p["total"]) for p in data["points"]] == [
        ({"clock.drop": "0"}, 3, 3),
        ({"clock.drop": "0.1"}, 3, 3),
        ({"clock.drop": "0.2"}, 3, 3),
    ]
    dropped = [p["dropped"] for p in data["points"]]
    assert dropped[0] == 0
    assert 0 < dropped[1] < dropped[2], "drops are reported beside success"
    assert (folder / "plot.svg").read_text("utf-8").startswith("<svg")
    lines = done.stdout.splitlines()
    assert lines[0].split()[0] == "clock.drop"
    assert lines[3].split()[:4] == ["0.2", "3", "of", "3"]


def test_a_sweep_goes_on_where_it_was_ended(tmp_path: Path, embodied: Command, cell: str) -> None:
    assert embodied("sweep", cell, "--over", "clock.drop=0,0.1", "--seeds", "0:3").code == 0
    (folder,) = tmp_path.glob("runs/*")
    results = folder / "results.jsonl"
    results.write_text("".join(results.read_text("utf-8").splitlines(keepends=True)[:4]), "utf-8")
    again = embodied("sweep", "--resume", str(folder), "--json")
    assert again.code == 0, again.stderr
    assert [point["total"] for point in json.loads(again.stdout)["points"]] == [3, 3]
    assert json.loads((folder / "summary.json").read_text("utf-8"))["resumed"] == 4


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "what is swept?"),
        (("--over", "clock.drop"), "cannot read --over clock.drop"),
        (("--over", "clok.drop=0,1"), "did you mean 'clock'?"),
        (("--over", "clock.drop=0,1", "--seeds", "5:1"), "reversed"),
    ],
)
def test_a_wrong_sweep_is_one_error_and_leaves_nothing(
    tmp_path: Path, embodied: Command, cell: str, words: tuple[str, ...], told: str
) -> None:
    done = embodied("sweep", cell, *words)
    assert done.code == 2
    assert told in done.stderr
    assert not list(tmp_path.glob("runs/*"))


def test_a_suite_is_no_sweep(tmp_path: Path, embodied: Command, cell: str) -> None:
    assert embodied("test", cell, "--seeds", "0:2").code == 0
    (folder,) = tmp_path.glob("runs/*")
    done = embodied("sweep", "--resume", str(folder))
    assert done.code == 2
    assert "is a suite and no sweep" in done.stderr
