"""Commands to a Tesla pass the safety code of opendbc: none is refused, whether nobody drives, or somebody does.

A frame that such a gateway refuses is one that the car never sees: the driver would believe in an order that was not
carried out.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.can_ev.codec import Codec
from drivers.can_ev.command_encoder import CommandEncoder
from drivers.can_ev.frame import Frame
from drivers.can_ev.tesla import TESLA
from drivers.can_ev.vehicle import DriveCommand, DriveReport
from embodied.messages import VehicleCommand
from tests.drivers.can_ev.bench import CanEVBench
from tests.drivers.can_ev.tesla_safety import OpendbcCode, OwnWords, SafetyRules

FRAMES = 10_000
"""Number of command frames of which none may be refused."""

CODEC = Codec(TESLA)


@pytest.fixture(params=["own words", "opendbc"])
def rules(request: pytest.FixtureRequest, tmp_path: Path) -> SafetyRules:
    """Return the rules in our words, or opendbc's own code."""
    if request.param == "own words":
        return OwnWords()
    if missing := OpendbcCode.missing():
        pytest.skip(f"not installed: {missing}")
    return OpendbcCode(tmp_path)


class Gateway:
    """Gateway between a host and a Tesla, in lockstep: a vehicle that moves as it is commanded, and the rules.

    Args:
        rules: rules for the commands.
    """

    def __init__(self, rules: SafetyRules) -> None:
        self.rules = rules
        self.encoder = CommandEncoder(CODEC)
        self.report = DriveReport(gear="D")
        self.sent = 0
        self.refused: list[tuple[float, DriveCommand]] = []
        self._cycle = 0

    def listen(self) -> None:
        """Report 20 ms of the vehicle."""
        for part in range(2):
            for name, signals in TESLA.encode_report(self.report).items():
                if part == 0 or name == "EPAS3S_sysStatus":
                    count = self._cycle * 2 + part if name == "EPAS3S_sysStatus" else self._cycle
                    self.rules.heard(self._cycle * 0.02, CODEC.encode(name, signals, count))
        self._cycle += 1

    def send(self, command: DriveCommand) -> DriveCommand:
        """Send a command, and return it as the vehicle reads it."""
        frames = self.encoder.encode(command)
        for frame in frames:
            self.sent += 1
            if not self.rules.allowed(self._cycle * 0.02, frame):
                self.refused.append((self._cycle * 0.02, command))
        return self.encoder.decode(frames)


def test_none_of_the_frames_of_an_idle_host_is_refused_whatever_the_wheel_does(rules: SafetyRules) -> None:
    gateway, dice = Gateway(rules), random.Random(1)
    while gateway.sent < FRAMES:
        angle = min(max(gateway.report.steering + dice.uniform(-0.03, 0.03), -0.8), 0.8)
        gateway.report = DriveReport(gear="D", steering=angle, speed=dice.uniform(0.0, 30.0))
        gateway.listen()
        clear = dice.random() < 0.1
        gateway.send(DriveCommand(clear=clear, steering=angle, acceleration=dice.choice([0.0, 2.0, 3.0])))
    assert not gateway.refused


def test_none_of_the_frames_of_a_ride_is_refused_whatever_is_commanded(rules: SafetyRules) -> None:
    gateway, dice = Gateway(rules), random.Random(2)
    before, goal = 0.0, DriveCommand()
    for cycle in range(FRAMES):
        if gateway.sent >= FRAMES:
            break
        if cycle % 40 == 0:
            speed = dice.choice([0.0, 0.5, 3.0, 8.0, 15.0, 30.0])
            goal = DriveCommand(
                enable=dice.random() < 0.9,
                ready=dice.random() < 0.9,
                steering=dice.uniform(-0.52, 0.52),
                speed=speed,
                acceleration=dice.uniform(0.0, 3.0),
            )
        driven = goal.enable and goal.ready
        moved = min(max((goal.speed if driven else 0.0) - gateway.report.speed, -0.06), 0.04)
        ready = goal.enable
        gateway.report = DriveReport(gear="D", steering=before, speed=gateway.report.speed + moved, ready=ready)
        gateway.listen()
        if not driven:
            gateway.send(DriveCommand(enable=goal.enable, ready=False, steering=before))
            continue
        before = gateway.send(TESLA.smooth(goal, before, gateway.report)).steering
    assert not gateway.refused


def test_rules_that_let_everything_through_would_be_seen(rules: SafetyRules) -> None:
    gateway = Gateway(rules)
    gateway.listen()
    for wrong in (
        DriveCommand(enable=True, speed=1.0, acceleration=2.0),
        DriveCommand(steering=0.2),
    ):
        gateway.refused.clear()
        gateway.send(wrong)
        assert gateway.refused, wrong
    gateway.report = DriveReport(gear="D", ready=True, speed=15.0)
    for _ in range(8):
        gateway.listen()
    gateway.refused.clear()
    gateway.send(DriveCommand(enable=True, steering=0.3, speed=15.0))
    assert gateway.refused, "an angle in which the car would leave the road"


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, bool, Frame]]:
    """Record what the driver's bus sends and receives, with time and direction."""
    from drivers.can_ev.bus import Bus

    log: list[tuple[float, bool, Frame]] = []
    send, receive = Bus.send, Bus.receive

    def sending(bus: Bus, frame: Frame) -> None:
        log.append((time.monotonic(), True, frame))
        send(bus, frame)

    def receiving(bus: Bus) -> Iterator[Frame | None]:
        for frame in receive(bus):
            if frame is not None:
                log.append((time.monotonic(), False, frame))
            yield frame

    monkeypatch.setattr(Bus, "send", sending)
    monkeypatch.setattr(Bus, "receive", receiving)
    return log


def test_the_driver_takes_over_drives_and_lets_go_without_one_refused_frame(
    rules: SafetyRules, recorded: list[tuple[float, bool, Frame]]
) -> None:
    bench = CanEVBench("tesla")
    ways: list[Callable[[Any], VehicleCommand | None]] = [
        lambda _: VehicleCommand(speed=2.5, steering=0.4, gear="D"),
        lambda _: VehicleCommand(speed=1.0, steering=-0.45, acceleration=1.0, gear="D"),
        lambda _: None,
    ]
    with bench.judged(), bench.served(), bench.ready() as drive:
        for way in ways:
            drive.go(0.8, way)
        assert any("applied" in step for step in drive.outputs)
        drive.driver.halt()
        drive.go(0.1)
    began = recorded[0][0]
    refused = []
    for at, ours, frame in recorded:
        if not ours:
            rules.heard(at - began, frame)
        elif not rules.allowed(at - began, frame):
            refused.append((at - began, frame))
    assert sum(ours for _, ours, _ in recorded) > 200
    assert not refused


def test_a_turn_is_bounded_by_what_passengers_bear_and_reached_step_by_step() -> None:
    report = DriveReport(speed=10.0)
    most = 3.0 / 100 * 2.89 * (1 + 0.000580374383851451 * 100)
    wanted, angle, steps = DriveCommand(enable=True, steering=0.5), 0.0, 0
    while not math.isclose(angle, most):
        angle, before = TESLA.smooth(wanted, angle, report).steering, angle
        assert angle - before <= most / 50 + 1e-12
        steps += 1
    assert steps == 50, "a second, at a jerk of 3 m/s³"
