from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from embodied import Time
from embodied.messages import Lane, Target, VehicleCommand, VehicleState
from policies.tasks.shuttle import Shuttle, ShuttlePhase

PERIOD, FRAME = 0.02, 3  # [s]; a picture every so many periods
DELAY = 2  # how many periods old a picture is


@dataclass
class Ride:
    """A policy, and a vehicle with one track on a lane: it gains speed with a lag, and turns its wheels no faster than
    it can.
    """

    policy: Shuttle = field(default_factory=Shuttle)
    bends: tuple[tuple[float, float], ...] = ((0.0, 0.0),)  # where [m], and how much [1/m]; in between, in between
    obstacle: float | None = None  # [m]
    line: float = 1e9  # [m]
    blind: float = 1.5  # nearer than this no line is seen [m]
    reach: float = 4.0  # how far it sees [m]
    score: float = 1.0
    offset: float = 0.0
    heading: float = 0.0
    gear: str = "P"

    def __post_init__(self) -> None:
        self.policy.open()
        self.n, self.way, self.speed, self.angle = 0, 0.0, 0.0, 0.0
        self.seen: list[Lane] = []
        self.offsets: list[float] = []
        self.phases = [ShuttlePhase.DRIVE]

    def bend(self, way: float) -> float:
        return float(np.interp(way, [at for at, _ in self.bends], [bend for _, bend in self.bends]))

    def look(self) -> Lane:
        line, obstacle = self.line - self.way, None if self.obstacle is None else self.obstacle - self.way
        return Lane(
            offset=self.offset,
            heading=self.heading,
            curvature=float(np.mean([self.bend(self.way + ahead) for ahead in np.arange(0.0, 1.5, 0.1)])),
            obstacle=obstacle if obstacle is not None and 0.0 < obstacle < self.reach else None,
            stop_line=line if self.blind < line < self.reach else None,
            score=self.score,
            acquired=Time(self.n * 20_000_000),
        )

    def step(self, *, blind: bool = False) -> VehicleCommand | None:
        if self.n % FRAME == 0:
            self.seen.append(self.look())
        now = Time(self.n * 20_000_000)
        ready = [lane for lane in self.seen if now - lane.acquired >= DELAY * 20_000_000]
        state = VehicleState(
            speed=self.speed,
            steering=self.angle,
            yaw_rate=self.speed * math.tan(self.angle) / 0.6,
            gear=self.gear,
            engaged=True,
            overridden=False,
            acquired=now,
        )
        self.n += 1
        command = self.policy.step(state, ready[-1] if ready and not blind else None, now)
        if self.policy.phase is not self.phases[-1]:
            self.phases.append(self.policy.phase)
        told = command or VehicleCommand(speed=0.0, steering=self.angle, gear=self.gear)
        self.drive(told)
        return command

    def drive(self, told: VehicleCommand) -> None:
        if self.speed < 0.03:
            self.gear = told.gear
        self.angle += min(max(told.steering - self.angle, -0.8 * PERIOD), 0.8 * PERIOD)
        most = 2.0 if told.acceleration is None else told.acceleration
        self.speed = max(0.0, self.speed + PERIOD * min(max(4.0 * (told.speed - self.speed), -most), most))
        here = self.bend(self.way)
        along = self.speed * PERIOD * math.cos(self.heading) / (1.0 - here * self.offset)
        self.offset += self.speed * PERIOD * math.sin(self.heading)
        self.heading += self.speed * PERIOD * math.tan(self.angle) / 0.6 - here * along
        self.way += along
        self.offsets.append(self.offset)

    def seconds(self, count: float) -> VehicleCommand | None:
        for _ in range(round(count / PERIOD)):
            command = self.step()
        return command


def test_it_stays_near_the_middle_through_bends_and_drives_them_slower() -> None:
    sharp = 1 / 3.5
    ride = Ride(bends=((4.0, 0.0), (5.0, sharp), (10.0, sharp), (12.0, -sharp), (16.0, -sharp), (17.0, 0.0)))
    speeds = {}
    while ride.way < 22.0:
        ride.step()
        speeds[ride.way] = ride.speed
    assert max(map(abs, ride.offsets)) < 0.05
    assert max(speeds.values()) == pytest.approx(1.4, abs=0.01)
    bent = [speed for way, speed in speeds.items() if 7.0 < way < 8.0]
    assert bent == pytest.approx([math.sqrt(0.4 * 3.5)] * len(bent), abs=0.02)


@pytest.mark.parametrize(("offset", "heading"), [(0.3, 0.0), (-0.3, 0.2), (0.0, -0.35)])
def test_it_comes_back_to_the_middle(offset: float, heading: float) -> None:
    ride = Ride(offset=offset, heading=heading)
    ride.seconds(10.0)
    assert abs(ride.offset) < 0.01
    assert abs(ride.heading) < 0.01
    assert max(map(abs, ride.offsets)) < 0.36


def test_it_stops_with_its_nose_before_the_line_although_that_goes_out_of_sight_and_parks_there() -> None:
    ride = Ride(line=12.0)
    last = ride.seconds(20.0)
    assert ride.phases == [ShuttlePhase.DRIVE, ShuttlePhase.PARK, ShuttlePhase.DONE]
    assert (last, ride.gear) == (None, "P")
    assert ride.speed == pytest.approx(0.0)
    assert 0.15 < 12.0 - ride.way - ride.policy.nose < 0.35


def test_it_waits_before_an_obstacle_and_drives_on_once_the_view_was_clear_for_a_while() -> None:
    ride = Ride(obstacle=8.0, line=14.0)
    ride.seconds(12.0)
    assert ride.phases == [ShuttlePhase.DRIVE, ShuttlePhase.WAIT]
    assert ride.speed < 0.03
    stood = ride.way
    assert 0.7 < 8.0 - stood - ride.policy.nose < 0.9
    ride.obstacle = None
    ride.seconds(0.9)
    assert ride.way == pytest.approx(stood, abs=0.01)
    ride.seconds(15.0)
    assert ride.phases == [
        ShuttlePhase.DRIVE,
        ShuttlePhase.WAIT,
        ShuttlePhase.DRIVE,
        ShuttlePhase.PARK,
        ShuttlePhase.DONE,
    ]


def test_an_obstacle_that_is_seen_late_is_braked_for_as_hard_as_the_guard_allows() -> None:
    ride = Ride(obstacle=9.0, reach=2.2)
    ride.seconds(12.0)
    assert ride.phases == [ShuttlePhase.DRIVE, ShuttlePhase.WAIT]
    assert 9.0 - ride.way - ride.policy.nose > 0.4


def test_a_line_that_is_seen_once_and_not_again_is_not_stopped_at() -> None:
    ride = Ride()
    ride.seconds(3.0)
    ride.line = ride.way + 3.0
    ride.seconds(FRAME * PERIOD)
    ride.line = 1e9
    ride.seconds(5.0)
    assert ride.speed == pytest.approx(1.4, abs=0.01)
    assert ride.phases == [ShuttlePhase.DRIVE]


@pytest.mark.parametrize("score", [0.49, math.nan])
def test_without_a_view_and_with_one_that_is_not_sure_there_is_no_command(score: float) -> None:
    ride = Ride()
    assert ride.seconds(1.0) is not None
    assert ride.step(blind=True) is None
    assert ride.step() is not None
    ride.score = score
    assert ride.seconds((FRAME + DELAY) * PERIOD) is None
    ride.score = 0.5
    assert ride.seconds((FRAME + DELAY) * PERIOD) is not None


def test_where_a_permit_is_wired_it_drives_only_while_it_has_one() -> None:
    policy = Shuttle()
    policy.open()
    policy.wired = frozenset({"state", "lane", "permit"})
    lane, permit = Ride().look(), Target(label="red")
    state = VehicleState(
        speed=0.0, steering=0.0, yaw_rate=0.0, gear="P", engaged=True, overridden=False, acquired=Time(0)
    )
    assert policy.step(state, lane, Time(0)) is None
    assert policy.step(state, lane, Time(20_000_000), permit) is not None
    assert policy.step(state, lane, Time(40_000_000), None) is None


def test_a_view_that_is_not_sure_shows_neither_line_nor_obstacle() -> None:
    ride = Ride(score=0.4, obstacle=3.0, line=3.5)
    ride.seconds(1.0)
    ride.score, ride.obstacle, ride.line = 1.0, None, 1e9
    command = ride.seconds(0.2)
    assert command is not None
    assert command.speed == pytest.approx(1.4)


def test_an_old_view_is_carried_on_to_where_the_vehicle_is() -> None:
    policy = Shuttle()
    policy.open()
    lane = replace(Ride().look(), offset=0.0, heading=0.1)
    state = VehicleState(
        speed=1.0, steering=0.0, yaw_rate=0.0, gear="D", engaged=True, overridden=False, acquired=Time(0)
    )
    fresh = policy.step(state, lane, Time(0))
    old = policy.step(state, lane, Time(100_000_000))
    assert fresh is not None
    assert old is not None
    # It has gone 1 cm to the left since.
    assert old.steering < fresh.steering - 0.005


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"wheelbase": 0.0}, "wheelbase must be above 0 m and finite, got 0.0"),
        ({"nose": -1.0}, "nose must be above 0 m and finite, got -1.0"),
        ({"gap": math.nan}, "gap must be above 0 m and finite, got nan"),
        ({"distance": math.inf}, "distance must be above 0 m and finite, got inf"),
        ({"clear": -0.1}, "clear must be at least 0 s and finite, got -0.1"),
        ({"lag": math.inf}, "lag must be at least 0 s and finite, got inf"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float], says: str) -> None:
    (problem,) = Shuttle(**wrong).check()
    assert problem.startswith(says)
    assert not list(Shuttle(clear=0.0, lag=0.0).check())


def _lane(milliseconds: int, **changes: object) -> Lane:
    numbers = {"offset": 0.0, "heading": 0.0, "curvature": 0.0, "obstacle": None, "stop_line": None, "score": 1.0}
    return Lane(**{**numbers, **changes}, acquired=Time(milliseconds * 1_000_000))  # type: ignore[arg-type]


def _fed(*lanes: Lane | None) -> tuple[Shuttle, list[VehicleCommand | None]]:
    """Feed lanes to a shuttle that stands, one each 100 ms."""
    policy, given = Shuttle(), []
    policy.open()
    for n, lane in enumerate(lanes):
        now = Time((n + 1) * 100_000_000)
        state = VehicleState(
            speed=0.0, steering=0.0, yaw_rate=0.0, gear="D", engaged=True, overridden=False, acquired=now
        )
        given.append(policy.step(state, lane, now))
    return policy, given


def test_a_lane_that_comes_again_or_is_older_is_no_further_sight_of_a_line() -> None:
    seen = _lane(100, stop_line=2.0)
    for lanes in ([seen] * 20, [seen, _lane(50, stop_line=2.0), _lane(90, stop_line=2.0)] * 5):
        policy, given = _fed(*lanes)
        assert policy._line.distance(0.0) is None
        last = given[-1]
        assert last is not None
        assert last.speed > 1.0
    policy, _ = _fed(*[_lane(100 + n, stop_line=2.0) for n in range(3)])
    assert policy._line.distance(0.0) == pytest.approx(2.0)


def test_an_older_lane_without_the_obstacle_does_not_clear_the_road() -> None:
    with_it, before = _lane(2000, obstacle=1.5), _lane(500)
    policy, given = _fed(with_it, before, before, with_it, before)
    assert policy._obstacle.distance(0.0) == pytest.approx(1.5)
    assert all(command is not None and command.speed == 0.0 for command in given)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["offset", "heading", "curvature", "obstacle", "stop_line", "score"])
def test_a_lane_with_a_number_that_is_none_gives_no_command_and_stays_in_no_filter(field: str, number: float) -> None:
    lanes = [_lane(100 * n + 50, **({field: number} if n % 2 else {})) for n in range(1, 10)]
    _, given = _fed(*lanes)
    assert [command is None for command in given] == [n % 2 == 1 for n in range(1, 10)]
    last = _fed(*lanes, _lane(1000))[1][-1]
    assert last is not None
    assert math.isfinite(last.speed)
    assert last.speed > 1.0
    assert last.steering == pytest.approx(0.0)
