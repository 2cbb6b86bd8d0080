"""What a suite keeps of a seed beside its verdict: what its nodes print, with their names, in a file of the seed.

Bytes are UTF-8 inside, and replaced where they cannot be shown. What a node starts ends with the suite.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from embodied.graph.graph import Graph
from embodied.suite import Result, run_suite
from embodied.suite.fingerprint import fingerprint
from embodied.suite.junit import junit
from embodied.suite.report import report
from embodied.suite.seed_output import KEPT_MOST
from tests.embodied.conftest import Command
from tests.embodied.suite.waiting import Waiting, counted, job, launch_file, quiet

ROOT = Path(__file__).parents[3]

PRINTED = r"""clock: opened
clock: step 1 \x1b[31mof 0 °
a library�
clock: 20 %step 2 \x1b[31mof 10000000 °
a library�
clock: 20 %
clock: closed
"""


def test_what_nodes_print_is_kept_for_each_seed_with_their_names_and_stands_in_the_report_and_in_junit(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    work = job(tmp_path, "suite.printing:Prints", {"logs": tmp_path / "logs", "repeat": 2}, fails=[1])
    results = run_suite([work], [0, 1], 1, quiet)
    assert capfd.readouterr() == ("", "")
    assert [result.files for result in results] == [{"logs": f"logs/cell/seed-{seed}.log"} for seed in (0, 1)]
    texts = [(tmp_path / result.files["logs"]).read_text(encoding="utf-8") for result in results]
    assert texts == [PRINTED, PRINTED]
    assert results[0].output == PRINTED.rstrip("\n")
    assert Result.from_dict(json.loads(json.dumps(results[0].as_dict()))).output == results[0].output
    summary = counted(results, work)
    cases = ET.fromstring(junit(summary)).findall("testsuite/testcase")
    assert all(r"step 1 \x1b[31mof 0 °" in (case.findtext("system-out") or "") for case in cases)
    page = report(summary, tmp_path)
    (card,) = page.split("<article")[1:]
    assert '<a href="logs/cell/seed-1.log">printed</a>' in card
    assert r"clock: step 1 \x1b[31mof 0 °" in card


NODES = {
    "endless": "suite.printing:PrintsALot",
    "silent": "nodes:Clock",
    "interrupts": "suite.printing:Interrupts",
    "dies": "suite.printing:Dies",
}
"""Nodes whose seeds one suite runs, by the names of their scenarios."""


Ended = tuple[Path, dict[str, list[Result]]]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The folder of a suite, and by scenario what became of its two seeds."""
    folder = tmp_path_factory.mktemp("suite")
    work = []
    for name, node in NODES.items():
        (folder / name).mkdir()
        made = job(folder / name, node, {"logs": folder / "logs"})
        work.append(replace(made, scenario=replace(made.scenario, name=name)))
    results = run_suite(work, [0, 1], 1, quiet)
    return folder, {name: [result for result in results if result.scenario == name] for name in NODES}


def test_what_a_seed_printed_before_its_process_was_killed_is_kept(ended: Ended) -> None:
    for result in ended[1]["dies"]:
        assert result.status == "infrastructure"
        assert result.output == "clock: the last words"


def test_output_without_end_is_cut_and_counted(ended: Ended) -> None:
    for result in ended[1]["endless"]:
        assert result.status == "passed"
        assert (ended[0] / result.files["logs"]).stat().st_size < 3 * KEPT_MOST


def test_a_seed_that_prints_nothing_leaves_no_file(ended: Ended) -> None:
    for result in ended[1]["silent"]:
        assert (result.status, result.files, result.output) == ("passed", {}, "")
    assert not [*(ended[0] / "logs" / "silent").rglob("*.log")]


def test_a_keyboard_interrupt_that_a_node_raises_is_an_error_of_its_seed(ended: Ended) -> None:
    for result in ended[1]["interrupts"]:
        assert result.status == "error"
        assert "node 'clock' failed in step() at 0.000000 s (microstep 0): KeyboardInterrupt" in result.note
        assert "printing.py" in result.note
        assert "Traceback" not in result.output


def started(file: Path) -> list[str]:
    """Return the processes of a list that still run; those that have ended may wait for their parent to take notice."""
    stats = {number: Path(f"/proc/{number}/stat") for number in file.read_text().split()}
    return [number for number, stat in stats.items() if stat.exists() and ") Z " not in stat.read_text()]


def test_what_nodes_start_ends_with_the_suite_in_a_session_of_its_own_too(tmp_path: Path) -> None:
    work = job(tmp_path, "suite.printing:Starts", {"logs": tmp_path / "logs"})
    text = work.scenario.file.read_text(encoding="utf-8")
    path = tmp_path / "started"
    work.scenario.file.write_text(text.replace('Starts"', f'Starts", with: {{path: "{path}"}}'), encoding="utf-8")
    results = run_suite([work], [0, 1], 2, quiet)
    assert [result.status for result in results] == ["passed", "passed"]
    assert len(path.read_text().split()) == 4
    assert not started(path)


def test_what_nodes_start_ends_with_a_run_in_lockstep_and_holds_no_pipe(tmp_path: Path) -> None:
    file = launch_file(tmp_path, "suite.printing:Starts")
    path = tmp_path / "started"
    text = file.read_text(encoding="utf-8").replace('Starts"', f'Starts", with: {{path: "{path}"}}')
    file.write_text(text, encoding="utf-8")
    code = "from embodied.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "run", file.name],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert not started(path)


def test_what_an_editor_leaves_beside_a_module_is_not_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "beside.py").write_text("from tests.embodied.suite.waiting import Waiting\nclass World(Waiting): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = __import__("beside")
    graph = Graph(clock="lockstep", world=module.World())
    before = fingerprint(graph)
    (tmp_path / ".#beside.py").symlink_to("somebody@elsewhere.1234:5678")
    (tmp_path / ".beside.py.swp").write_bytes(b"\xff")
    assert fingerprint(graph) == before
    (tmp_path / "more.py").write_text("")
    assert fingerprint(graph) != before
    assert isinstance(module.World(), Waiting)


def test_a_launch_file_whose_name_is_not_utf_8_is_tested_and_reported(tmp_path: Path, embodied: Command) -> None:
    name = os.fsdecode(b"cell-\xff.yaml")
    text = launch_file(tmp_path).read_text(encoding="utf-8") + "profiles: {sim: {}}\n"
    (tmp_path / name).write_text(text, encoding="utf-8")
    done = embodied("test", name, "--seeds", "0:1", "--video", "none")
    assert (done.code, done.stderr) == (0, "1/1: 1/1 passed, 21% to 100%, 0 s left\n")
    (folder,) = (tmp_path / "runs").iterdir()
    assert r"cell-\udcff" in (folder / "report.html").read_text(encoding="utf-8")
    assert "cell-" in (folder / "junit.xml").read_text(encoding="utf-8")
    assert embodied("run", name, "--sim").code == 0
    assert embodied("graph", name, "--sim", "--output", "cell.svg").code == 0
    assert r"cell-\udcff" in (tmp_path / "cell.svg").read_text(encoding="utf-8")


def test_a_keyboard_interrupt_that_a_node_raises_is_an_error_of_its_run(tmp_path: Path, embodied: Command) -> None:
    done = embodied("run", str(job(tmp_path, "suite.printing:Interrupts").scenario.file))
    assert done.code == 3
    assert "node 'clock' failed in step() at 0.000000 s (microstep 0): KeyboardInterrupt" in done.stderr
    assert "printing.py" in done.stderr
    assert "interrupted" not in done.stderr
