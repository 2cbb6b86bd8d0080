"""The plugin as pytest runs it: in processes of its own, on a project of its own."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from embodied.runtime.digest import Mark
from embodied.testing.repetition import Trace, compared
from tests.embodied.conftest import Command

ROOT = Path(__file__).parents[3]
CELL = Path(__file__).with_name("cell.yaml").read_text(encoding="utf-8")
SETTINGS = """\
[pytest]
addopts = --strict-markers -p no:cacheprovider
filterwarnings = error
"""


Case = ET.Element


def played(folder: Path, files: Mapping[str, str], *words: str) -> tuple[str, list[Case]]:
    """Run pytest on the tests of a project; return what it says, and the cases of its report."""
    for name, text in {"pytest.ini": SETTINGS, "launch/cell.yaml": CELL, **files}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    line = [sys.executable, "-m", "pytest", "--junitxml", "report.xml", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    return done.stdout, [*ET.parse(folder / "report.xml").getroot().iter("testcase")]


MARKERS = {
    '"launch/cell.yaml", seeds=range(5, 3)': "the seeds range(5, 3) are empty; write range(20)",
    '"launch/cell.yaml", seeds="0:3"': "expected seeds such as range(20), got '0:3'",
    '"launch/cell.yaml", seeds=[1, 2.5]': "expected seeds, whole numbers from 0, got 2.5",
    '"launch/cell.yaml", seeds=[1, 1]': "a seed is repeated in [1, 1]",
    '"launch/cell.yaml", seeds=range(10**12)': "more than 100000 seeds",
    '"launch/cell.yaml", sedes=[1]': "there is no 'sedes'; did you mean 'seeds'?",
    '"launch/cell.yaml", repeat=-1': "repeat must be a whole number from 0 to 100, got -1",
    "seeds=[1]": 'expected one launch file, @pytest.mark.scenario("launch/…", …), got 0',
    "3": "expected the path of a launch file, got 3",
}
"""Markers that make no sense, and what is said of them."""

FILES = {
    "launch/bad.yaml": CELL.replace("joints: clock", "joints: clok"),
    "launch/tidy.yaml": """\
        embodied: 1
        clock: lockstep
        nodes: {clock: {use: "tidy:Tidy"}, rude: {use: "tidy:Rude"}, last: {use: "tidy:Tidy"}}
        """,
    "launch/told.yaml": CELL + "profiles: {plain: {}}\n",
    "test_cell.py": """
        import pytest

        @pytest.mark.scenario("launch/cell.yaml", seeds=range(3, 6))
        def test_it_passes(scenario):
            run = scenario()
            run.until(lambda: run.verdict)
            run.silence("double", 0.5)
            run.seconds(0.25)
            assert run.verdict.passed
        """,
    "tidy.py": """
        from tests.embodied.nodes import Clock

        closed = []

        class Tidy(Clock):
            def close(self): closed.append("tidy")

        class Rude(Clock):
            def close(self):
                closed.append("rude")
                raise OSError("the port is gone")
        """,
    "test_tidy.py": """
        import tidy

        def test_breaks(scenario):
            scenario("launch/tidy.yaml")
            scenario("launch/tidy.yaml").seconds(0.1)
            raise RuntimeError("in the test")

        def test_afterwards():
            assert tidy.closed == ["rude", "tidy", "tidy"] * 2
        """,
    "launch/kept.yaml": CELL.replace("nodes:Clock", "suite.waiting:Remembers"),
    "test_kept.py": """
        import pytest

        @pytest.mark.scenario("launch/kept.yaml", seeds=[3])
        def test_the_first(scenario):
            scenario().seconds(0.1)

        @pytest.mark.scenario("launch/kept.yaml", seeds=[4], repeat=1)
        def test_the_second(scenario):
            scenario().seconds(0.1)
        """,
    "test_bad.py": """
        def test_missing(scenario): scenario("launch/nowhere.yaml")
        def test_wrong(scenario): scenario("launch/bad.yaml")
        def test_profile(scenario): scenario("launch/cell.yaml", profile="smi")
        def test_setting(scenario): scenario("launch/cell.yaml", sets="fails=[]")
        def test_seed(scenario): scenario("launch/cell.yaml", seed=-1)
        def test_nothing(scenario): scenario()
        """,
    "test_quick.py": """
        import pytest

        WORLD = "world=tests.embodied.suite.waiting:Told"

        @pytest.mark.scenario("launch/told.yaml", seeds=[7], profile="plain", sets=["hold.kp=50"], swaps=[WORLD])
        def test_it_is_quick(scenario):
            run = scenario()
            run.until(lambda: run.verdict, within=0.75)
        """,
    **{
        f"test_{number}.py": f"import pytest\n@pytest.mark.scenario({marked})\ndef test_it(scenario): ...\n"
        for number, marked in enumerate(MARKERS)
    },
    "test_9.py": "import pytest\n@pytest.mark.scenario('x', seeds=[1])\ndef test_it(): ...\n",
}
"""A project most of whose tests fail, each in its way."""


@dataclass
class Told:
    """What pytest says of the project in a folder."""

    folder: Path
    text: str
    cases: list[Case]

    def why(self, file: str, kind: str) -> list[str]:
        """Return what the report has of the failures, or of the errors, in a file."""
        found = [case for case in self.cases if file in (case.attrib["classname"], case.attrib["name"])]
        return [element.text or "" for case in found for element in case.iter(kind)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("project")
    return Told(folder, *played(folder, FILES, "-n", "1", "-p", "no:randomly", "--continue-on-collection-errors"))


def test_each_seed_is_an_item_of_its_own_in_any_process_and_in_the_report_of_ci(told: Told) -> None:
    assert "test_cell.py::test_it_passes[seed-4]" in told.text
    assert len(told.why("test_cell", "failure")) == 1
    text = told.text.partition("_ test_it_passes[seed-4] _")[2]
    cases = {case.attrib["name"]: case for case in told.cases if case.attrib["classname"] == "test_cell"}
    assert sorted(cases) == [f"test_it_passes[seed-{seed}]" for seed in (3, 4, 5)]
    (reproduce,) = cases["test_it_passes[seed-4]"].iter("property")
    assert reproduce.attrib["value"] == "embodied run launch/cell.yaml --seed 4 --for 1.25s"
    for row in ("file       launch/cell.yaml", "profile    (the file itself)", "seed       4", "simulated  1.25 s"):
        assert row in text
    assert re.search(r"digest     [0-9a-f]{64}\n", text)
    assert "did        silence double at 1 s for 500 ms (the test's own doing" in text


def test_what_cannot_be_opened_fails_in_one_message_without_a_traceback(told: Told) -> None:
    found = told.why("test_bad", "failure")
    assert len(found) == 6
    text = "\n".join(found)
    assert "Traceback" not in text
    assert "During handling" not in text
    assert not re.search(r"test_bad\.py:\d", text)
    for said in (
        "error[E105]: cannot read launch/nowhere.yaml: there is no such file",
        f"= help: looked for in {told.folder}, and among those that are installed",
        "error[E302]: 'hold.joints' is wired to 'clok', and there is no node 'clok'",
        "--> launch/bad.yaml:8:",
        "error[E108]: there is no profile 'smi'",
        "scenario(…): sets: expected a list such as ['robot=xarm6'], got 'fails=[]'",
        "scenario(…): expected a seed, a whole number from 0, got -1",
        "scenario(…): name the launch file, or mark the test: @pytest.mark.scenario(file)",
    ):
        assert said in text


def test_a_marker_that_makes_no_sense_is_an_error_of_collection(told: Told) -> None:
    assert told.text.count(" ERROR collecting ") == len(MARKERS) + 1
    for number, said in enumerate(MARKERS.values()):
        (text,) = told.why(f"test_{number}", "error")
        assert f"test_{number}.py::test_it: @pytest.mark.scenario: {said}" in text
        assert "Traceback" not in text
        assert "plugin.py" not in text
    (text,) = told.why("test_9", "error")
    assert "test_9.py::test_it: @pytest.mark.scenario: the test does not take the fixture" in text


def test_what_a_test_opened_is_closed_whatever_happens(told: Told) -> None:
    (failure,), (error,) = (told.why("test_tidy", kind) for kind in ("failure", "error"))
    assert "RuntimeError: in the test" in failure
    assert "node 'rude' failed in close(): OSError: the port is gone" in error
    assert "test_afterwards" in [case.attrib["name"] for case in told.cases if not [*case]]


def test_the_command_of_a_failure_makes_the_same_run_without_the_test(
    told: Told, tmp_path: Path, embodied: Command
) -> None:
    text = told.text.partition("_ test_it_is_quick[seed-7] _")[2]
    assert "truth    red: {'label': 'red', 'position': [" in text
    digest = re.search(r"digest     ([0-9a-f]{64})\n", text)
    words = re.search(r"reproduce  embodied (.*)\n", text)
    assert digest is not None
    assert words is not None
    for about in ("--profile plain", "--set hold.kp=50", "--swap world=", "--seed 7", "--for 750ms"):
        assert about in words[1]
    shutil.copytree(told.folder / "launch", tmp_path / "launch")
    again = embodied(*shlex.split(words[1]))
    assert again.code == 0, again.stderr
    assert digest[1] in again.stdout


def test_a_repetition_notices_what_earlier_tests_left_in_the_process(told: Told) -> None:
    (why,) = told.why("test_kept", "failure")
    assert "seed 4: two runs differ first in clock.joint_state at 0.000000 s (microstep 1), here and in a" in why
    assert "a module or a cache keeps something of earlier tests" in why
    assert "reproduce  embodied run launch/kept.yaml --seed 4 --for 100ms" in told.text


def test_a_difference_of_repetitions_is_the_order_of_a_set_and_one_from_this_process_what_it_keeps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    one, other = ([Trace(3, str(value), [Mark(0, 1, "a.b", value)])] for value in (1, 2))
    where = "seed 3: two runs differ first in a.b at 0.000000 s (microstep 1)"
    assert compared(one, [one, one]) == ""
    assert compared(one, [one, one, other]) == (
        f"{where}; run it with PYTHONHASHSEED=7 and PYTHONHASHSEED=9 before the command"
    )
    kept = "a module or a cache keeps something of earlier tests"
    assert compared(other, [one, one]) == f"{where}, here and in a process of its own: {kept}"
    assert compared(other, [[], []]).startswith("the test opened 1 runs, and when it was repeated 0, here and in")
    monkeypatch.delenv("PYTHONHASHSEED")
    assert compared(other, [one]).endswith(f"it depends on the order of a set, or {kept}")


def test_the_plugin_loads_nothing_heavy_before_it_is_used() -> None:
    heavy = "{'numpy', 'yaml', 'msgpack', 'embodied.node.node'}"
    code = f"import sys, embodied.testing.plugin; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
