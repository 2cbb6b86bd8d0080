"""The plugin as pytest runs it: in processes of its own, on a project of its own."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.embodied.cli.test_cli import command, simulated

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]
CELL = Path(__file__).with_name("cell.yaml").read_text(encoding="utf-8")
SETTINGS = """\
[pytest]
addopts = --strict-markers -p no:cacheprovider
filterwarnings = error
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makefile(".ini", pytest=SETTINGS)
    pytester.mkdir("launch").joinpath("cell.yaml").write_text(CELL, encoding="utf-8")
    return pytester


def test_each_seed_is_an_item_of_its_own_in_any_process_and_in_the_report_of_ci(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_cell="""
        import pytest

        @pytest.mark.scenario("launch/cell.yaml", seeds=range(3, 6))
        def test_it_passes(scenario):
            run = scenario()
            run.until(lambda: run.verdict)
            run.silence("double", 0.5)
            run.seconds(0.25)
            assert run.verdict.passed
        """
    )
    done = project.runpytest_subprocess("-n", "2", "--junitxml", "report.xml")
    done.assert_outcomes(passed=2, failed=1)
    text = done.stdout.str()
    assert "test_cell.py::test_it_passes[seed-4]" in text
    cases = {case.attrib["name"]: case for case in ET.parse(project.path / "report.xml").getroot().iter("testcase")}
    assert sorted(cases) == [f"test_it_passes[seed-{seed}]" for seed in (3, 4, 5)]
    (reproduce,) = cases["test_it_passes[seed-4]"].iter("property")
    assert reproduce.attrib["value"] == "embodied run launch/cell.yaml --seed 4 --for 1.25s"
    for row in ("file       launch/cell.yaml", "profile    (the file itself)", "seed       4", "simulated  1.25 s"):
        assert row in text
    assert re.search(r"digest     [0-9a-f]{64}\n", text)
    assert "did        silence double at 1 s for 500 ms (the test's own doing" in text


def test_what_cannot_be_opened_fails_in_one_message_without_a_traceback(project: pytest.Pytester) -> None:
    (project.path / "launch" / "bad.yaml").write_text(CELL.replace("joints: clock", "joints: clok"), encoding="utf-8")
    project.makepyfile(
        test_bad="""
        def test_missing(scenario): scenario("launch/nowhere.yaml")
        def test_wrong(scenario): scenario("launch/bad.yaml")
        def test_profile(scenario): scenario("launch/cell.yaml", profile="smi")
        def test_setting(scenario): scenario("launch/cell.yaml", sets="fails=[]")
        def test_seed(scenario): scenario("launch/cell.yaml", seed=-1)
        def test_nothing(scenario): scenario()
        """
    )
    done = project.runpytest_subprocess()
    done.assert_outcomes(failed=6)
    text = done.stdout.str()
    assert "Traceback" not in text
    assert "During handling" not in text
    assert not re.search(r"test_bad\.py:\d", text)
    for said in (
        "error[E105]: cannot read launch/nowhere.yaml: there is no such file",
        f"= help: looked for in {project.path}, and among those that are installed",
        "error[E302]: 'hold.joints' is wired to 'clok', and there is no node 'clok'",
        "--> launch/bad.yaml:8:",
        "error[E108]: there is no profile 'smi'",
        "scenario(…): sets: expected a list such as ['robot=xarm6'], got 'fails=[]'",
        "scenario(…): expected a seed, a whole number from 0, got -1",
        "scenario(…): name the launch file, or mark the test: @pytest.mark.scenario(file)",
    ):
        assert said in text


def test_a_marker_that_makes_no_sense_is_an_error_of_collection(project: pytest.Pytester) -> None:
    says = {
        '"launch/cell.yaml", seeds=range(5, 3)': "the seeds range(5, 3) are empty; write range(20)",
        '"launch/cell.yaml", seeds="0:3"': "expected seeds such as range(20), got '0:3'",
        '"launch/cell.yaml", seeds=[1, 2.5]': "expected seeds, whole numbers from 0, got 2.5",
        '"launch/cell.yaml", seeds=[1, 1]': "a seed is repeated in [1, 1]",
        '"launch/cell.yaml", seeds=range(10**12)': "more than 100000 seeds",
        '"launch/cell.yaml", sedes=[1]': "there is no 'sedes'; did you mean 'seeds'?",
        "seeds=[1]": 'expected one launch file, @pytest.mark.scenario("launch/…", …), got 0',
        "3": "expected the path of a launch file, got 3",
    }
    for index, marked in enumerate(says):
        text = f"import pytest\n@pytest.mark.scenario({marked})\ndef test_it(scenario): ...\n"
        project.makepyfile(**{f"test_{index}": text})
    project.makepyfile(test_8="import pytest\n@pytest.mark.scenario('x', seeds=[1])\ndef test_it(): ...\n")
    done = project.runpytest_subprocess()
    assert done.ret == pytest.ExitCode.INTERRUPTED
    done.assert_outcomes(errors=9)
    text = done.stdout.str()
    assert "Traceback" not in text
    assert "plugin.py" not in text
    for index, said in enumerate(says.values()):
        assert f"test_{index}.py::test_it: @pytest.mark.scenario: {said}" in text
    assert "test_8.py::test_it: @pytest.mark.scenario: the test does not take the fixture" in text


def test_what_a_test_opened_is_closed_whatever_happens(project: pytest.Pytester) -> None:
    nodes = 'clock: {use: "tidy:Tidy"}\n  rude: {use: "tidy:Rude"}\n  last: {use: "tidy:Tidy"}'
    (project.path / "launch" / "tidy.yaml").write_text(
        f"embodied: 1\nclock: lockstep\nnodes:\n  {nodes}\n", encoding="utf-8"
    )
    project.makepyfile(
        tidy="""
        from tests.embodied.nodes import Clock

        closed = []

        class Tidy(Clock):
            def close(self): closed.append("tidy")

        class Rude(Clock):
            def close(self):
                closed.append("rude")
                raise OSError("the port is gone")
        """,
        test_tidy="""
        import tidy

        def test_breaks(scenario):
            scenario("launch/tidy.yaml")
            scenario("launch/tidy.yaml").seconds(0.1)
            raise RuntimeError("in the test")

        def test_afterwards():
            assert tidy.closed == ["rude", "tidy", "tidy"] * 2
        """,
    )
    done = project.runpytest_subprocess("-p", "no:randomly")
    done.assert_outcomes(passed=1, failed=1, errors=1)
    assert "node 'rude' failed in close(): OSError: the port is gone" in done.stdout.str()


@simulated
def test_the_command_of_a_failure_makes_the_same_run_without_the_test(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_quick="""
        import pytest

        @pytest.mark.scenario("launch/pick_place.yaml", seeds=[7, 70], profile="truth", sets=["robot=xarm6"])
        def test_it_is_quick(scenario):
            run = scenario()
            run.until(lambda: run.verdict, within=0.75)
        """
    )
    done = project.runpytest_subprocess("test_quick.py", "-k", "[seed-7]")
    done.assert_outcomes(failed=1)
    text = done.stdout.str()
    assert "truth    red: {'label': 'red', 'position': [" in text
    digest = re.search(r"digest     ([0-9a-f]{64})\n", text)
    words = re.search(r"reproduce  embodied (.*)\n", text)
    assert digest is not None
    assert words is not None
    again = command(*shlex.split(words[1]), at=project.path)
    assert again.returncode == 0, again.stderr
    assert digest[1] in again.stdout


def test_the_plugin_loads_nothing_heavy_before_it_is_used() -> None:
    heavy = "{'numpy', 'yaml', 'msgpack', 'embodied.node.node'}"
    code = f"import sys, embodied.testing.plugin; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
