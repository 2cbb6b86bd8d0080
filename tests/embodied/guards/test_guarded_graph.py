"""Guards in a graph, in virtual time: wired inputs that fall silent, and commanders that take over."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from embodied import SECOND, Driver, Node, Stamped, Time
from embodied.errors import LaunchError
from embodied.graph.graph import Graph
from embodied.guards import ArmGuard
from embodied.messages import GuardReport, JointCommand, JointState, Separation
from embodied.node.identity import Identity
from embodied.runtime.lockstep import Lockstep
from tests.embodied.conftest import Command
from tests.embodied.guards.arm_rig import HIGH, LOW, ZONE
from tests.embodied.robots import robot

PANDA = robot("panda")
HOME = PANDA.limit("home")


class Moved(NamedTuple):
    state: JointState
    applied: JointCommand | None


class Arm(Driver):
    """Follows every command at once."""

    rate = 100.0

    def open(self) -> None:
        self._at = HOME

    def identify(self) -> Identity:
        return Identity(model="an arm in a test", virtual=True)

    def step(self, command: JointCommand | None, now: Time) -> Moved:
        if command is not None and command.position is not None:
            self._at = command.position
        return Moved(JointState(position=self._at, velocity=np.zeros(7), acquired=now), command)


@dataclass
class Turn(Node):
    """Turns the first joint at a steady speed."""

    speed: float = 0.2

    rate = 100.0

    def step(self, now: Time) -> JointCommand:
        return JointCommand(position=HOME + self.speed * now / SECOND * np.eye(7)[0])


class Scanner(Node):
    """Sees nobody within five metres."""

    rate = 50.0

    def step(self, now: Time) -> Separation:
        return Separation(distance=5.0, acquired=now)


def cell(guard: ArmGuard | None = None, **wires: Any) -> Graph:
    graph = Graph().add("arm", Arm(), command="guard").add("policy", Turn()).add("scanner", Scanner())
    graph.add("joystick", Turn(speed=-0.2))
    guard = guard or ArmGuard(PANDA, low=LOW, high=HIGH, zone=ZONE if "separation" in wires else None)
    return graph.add("guard", guard, command="policy", joints="arm.state", **wires)


def reports(graph: Graph, seconds: float) -> list[Stamped[GuardReport]]:
    run = Lockstep(graph.check())
    seen: list[Stamped[GuardReport]] = []
    run.observe("guard.report", seen.append)
    with run:
        run.advance(Time(round(seconds * SECOND)))
    return seen


def test_a_scanner_that_falls_silent_holds_the_arm_within_three_periods_and_motion_resumes_with_it() -> None:
    graph = cell(separation="scanner").fault("silence", "scanner", at="500ms", for_="300ms")
    seen = reports(graph, 1.2)
    held = [r.stamp / SECOND for r in seen if r.value.refusals == ("no fresh separation",)]
    assert held[0] <= 0.48 + 3 / 50 + 0.01 + 1e-9
    assert held[-1] == pytest.approx(0.8)
    assert [r.value.state for r in seen if r.stamp > 0.81 * SECOND] == ["following"] * 39
    within = [r.within for r in graph.check().reactions if r.node == "scanner"]
    assert within == [80_000_000]


def test_a_scanner_that_nobody_wired_holds_nothing() -> None:
    seen = reports(cell().fault("kill", "scanner", at="100ms"), 0.5)
    assert {r.value.state for r in seen if r.stamp > 0.05 * SECOND} == {"following"}


def test_an_operator_takes_the_arm_and_gives_it_back_only_after_the_lease() -> None:
    graph = cell(operator="joystick").fault("silence", "joystick", at="1s")
    seen = reports(graph, 2.0)
    followed = [(r.value.source, r.stamp / SECOND) for r in seen if r.value.source]
    assert {who for who, at in followed if at < 1.0} == {"operator"}
    assert next(at for who, at in followed if who == "command") == pytest.approx(0.99 + 0.5)


def test_a_zone_without_a_wire_and_a_wire_without_a_zone_are_refused() -> None:
    with pytest.raises(LaunchError, match="zone is set, but nothing is wired to 'separation'"):
        cell(ArmGuard(PANDA, low=LOW, high=HIGH, zone=ZONE)).check()
    with pytest.raises(LaunchError, match="zone must be set if 'separation' is wired"):
        cell(ArmGuard(PANDA, low=LOW, high=HIGH), separation="scanner").check()


def test_the_launch_file_of_the_page_on_guards_is_proven(tmp_path: Path, embodied: Command) -> None:
    page = (Path(__file__).parents[3] / "docs" / "guards.md").read_text("utf-8")
    for name, block in re.findall(r"```(?:yaml|python)\n# (\S+)\n(.*?)```", page, re.DOTALL):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(block, encoding="utf-8")
    done = embodied("check", "launch/shared_cell.yaml", "--json")
    assert done.code == 0, done.stdout + done.stderr
    held = {r["node"]: r["within_ns"] for r in json.loads(done.stdout)["profiles"][1]["reactions"]}
    assert held["joystick"] is None
    assert held["scanner"] == 3 * 40_000_000 + 20_000_000


def test_a_guard_that_is_wired_to_its_own_output_is_refused() -> None:
    with pytest.raises(
        LaunchError, match=r"'guard.operator' is wired to 'guard.command', which is what it gives itself"
    ):
        cell(operator="guard").check()
