"""`embodied calibrate arm` from end to end: a person at its questions, and an arm of which everything is known."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from drivers.so101 import jaw
from drivers.so101.control_table import TICK
from drivers.so101.servos import IDS
from embodied.clock import SECOND, Time
from embodied.launch import Overrides, load
from embodied.messages import JointCommand
from embodied.node.identity import differences
from tests.drivers.so101.bench import ROBOT
from tests.drivers.so101.held import STOPS, TRUTH, Watched, mounted, switched_on, true
from tests.embodied.conftest import Command
from tests.processes import Child
from tests.test_readme import blocks

ROOT = Path(__file__).parents[3]
PICK = ROOT / "launch" / "pick_place.yaml"


@pytest.fixture
def watched() -> Iterator[Watched]:
    with mounted(Watched(ROBOT, calibration=TRUTH)) as held:
        yield held


def test_a_driver_that_is_armed_with_the_site_file_is_where_it_says_and_goes_where_it_is_told(
    watched: Watched, embodied: Command, tmp_path: Path
) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("# cell 3\nembodied: 1\nargs: {robot: so101}\n", encoding="utf-8")
    here = ("--site", str(site), "--set", f"arm.port={watched.address}")
    words = ["calibrate", "arm", str(PICK), "--node", "arm", *here]
    told = answered(watched, tmp_path, [*words, "--json"])
    true(watched, told["calibration"])
    assert told["limits"]["shoulder_lift"]["upper"] == pytest.approx(1.69, abs=2 * TICK)

    assert site.read_text("utf-8").startswith("# cell 3\n")
    as_shown(yaml.safe_load(site.read_text("utf-8")))
    done = embodied("check", str(PICK), "--site", str(site))
    assert done.code == 0, done.stderr
    done = embodied(*words)
    assert done.code == 2
    assert "'arm' has a calibration" in done.stderr

    graph = load(PICK, Overrides(site, sets=(f"arm.port={watched.address}",))).graph(None)
    driver: Any = graph.entries["arm"].node
    driver.open()
    try:
        identity = driver.identify()
        assert list(differences(identity, driver)) == []
        (unlike,) = differences(identity, replace(driver, robot=ROBOT))
        assert unlike.startswith("shoulder_lift goes from -1.7")
        driver.arm()
        goal = ROBOT.limit("home") - np.copysign(0.3, ROBOT.limit("home"))
        for k in range(200):
            given = driver.step(JointCommand(position=goal, gripper=0.05), Time(k * SECOND // 100))
        assert np.abs(given.state.position - watched.position()).max() < 2.5 * TICK
        assert np.abs(watched.position() - goal).max() < 2.5 * TICK
    finally:
        driver.close()


def as_shown(written: dict[str, Any]) -> None:
    """What was written begins as the docs have it; they show two joints of this very arm."""
    _, block = blocks("yaml", (ROOT / "docs" / "calibration.md").read_text("utf-8"))
    shown = yaml.safe_load(block)
    for name, joint in shown["nodes"]["arm"]["with"]["calibration"].items():
        assert written["nodes"]["arm"]["with"]["calibration"][name] == pytest.approx(joint, abs=2 * TICK)
    limits = shown["robots"]["so101"]["joints"]["shoulder_lift"]
    assert written["robots"]["so101"]["joints"] == {"shoulder_lift": pytest.approx(limits, abs=2 * TICK)}


def answered(far: Watched, folder: Path, words: list[str]) -> dict[str, Any]:
    """Run a verb whose every question is answered once what it asks for is done."""
    objects: list[str] = []
    said = ""
    with Child(
        [sys.executable, "-m", "embodied", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        stdin, stdout = process.stdin, process.stdout
        reader = threading.Thread(target=lambda: objects.append(stdout.read()))
        reader.start()

        def answer() -> None:
            stdin.write("\n")
            stdin.flush()

        far.answer = answer
        for line in process.stderr:
            said += line
            if stop := re.match(r"Take (\w+) slowly to its (lower|upper) stop", line):
                far.wanted = (stop[1], STOPS[stop[1]][stop[2] == "upper"])
            elif again := re.match(r"(\w+) once more: put it at ([+-][\d.]+)°", line):
                far.wanted = (again[1], math.radians(float(again[2])))
            elif line.startswith("Is it in the pose"):
                far.wanted = ("gripper", jaw.CLOSED)
            elif line.rstrip().endswith("[Enter]"):
                answer()
        reader.join()
    assert process.returncode == 0, said
    assert "(virtual)" in said
    found: dict[str, Any] = json.loads(objects[0])
    return found


def test_what_cannot_be_calibrated_is_one_clear_error(embodied: Command, tmp_path: Path) -> None:
    site = ("--site", str(tmp_path / "site.yaml"), "--set", "robot=so101")
    for words, said in (
        (("--node", "policy"), "'policy' is no driver"),
        (("--node", "armm"), "did you mean 'arm'?"),
        (("--node", "arm", "--profile", "sim"), "has no device"),
        (("--node", "camera"), "by hand: so101"),
        (("--node", "arm", "--set", "robot=xarm6"), "by hand: so101"),
        (("--node", "arm", "--set", "arm.torque=7"), "torque must be in (0, 1], got 7"),
    ):
        done = embodied("calibrate", "arm", str(PICK), *site, *words)
        assert done.code == 2, done.stderr
        assert said in done.stderr
    assert not (tmp_path / "site.yaml").exists()


Refused = Callable[..., None]


@pytest.fixture
def refused(watched: Watched, embodied: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Refused]:
    """With nobody at its questions the verb ends with this, and the motors are still on."""

    def check(said: str, *more: str) -> None:
        site = tmp_path / "site.yaml"
        sets = ("--set", "robot=so101", "--set", f"arm.port={watched.address}", *more)
        done = embodied("calibrate", "arm", str(PICK), "--site", str(site), *sets)
        assert done.code == 2, done.stderr
        assert said in done.stderr
        assert switched_on(watched) == list(IDS)
        assert not site.exists()

    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        yield check


def test_where_nobody_answers_nothing_is_changed(refused: Refused) -> None:
    refused("nobody answers: standard input has ended")


def test_a_real_arm_is_not_let_go_unless_somebody_is_at_a_terminal(watched: Watched, refused: Refused) -> None:
    watched.forge()
    refused("this device is real: a person has to hold it")


def test_another_arm_than_the_one_that_is_meant_is_not_measured(refused: Refused) -> None:
    refused("the launch file wants FT42", "--set", "arm.serial=FT42")
