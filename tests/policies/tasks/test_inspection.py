from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from embodied import Time
from embodied.bodies import WORLD
from embodied.messages import Detections, DroneCommand, DroneState, Image, Target, Vector
from policies.tasks.inspection import Inspect, InspectionPhase, InspectOutput

MARKER = np.array([3.0, -2.5, 0.0])
PICTURE = np.zeros((2, 2, 3), np.uint8)


@dataclass
class Flight:
    """A policy, and a drone that flies 5 m/s."""

    policy: Inspect = field(default_factory=lambda: Inspect(((4.0, -3.0), (4.0, 3.0)), dwell=2.0))
    things: dict[str, Vector] = field(default_factory=lambda: {"marker7": MARKER, "pad": np.array([0.1, 0.0, 0.0])})
    follows: bool = True
    n: int = 0

    def __post_init__(self) -> None:
        self.policy.open()
        self.photos: list[Image] = []
        self.flown: list[DroneCommand] = []
        self.phases: list[InspectionPhase] = [InspectionPhase.CLIMB]
        self.state = DroneState(
            position=np.array([0.0, 0.0, 0.06]),
            orientation=np.array([0.0, 0.0, 0.0, 1.0]),
            linear_velocity=np.zeros(3),
            angular_velocity=np.zeros(3),
            armed=False,
            landed=True,
            mode="",
            frame=WORLD,
            acquired=Time(0),
        )

    def step(self) -> InspectOutput:
        now = Time(self.n * 20_000_000)
        self.n += 1
        near = {label: at for label, at in self.things.items() if np.linalg.norm((at - self.state.position)[:2]) < 2.0}
        seen = Detections(
            labels=tuple(near),
            position=np.array(list(near.values())).reshape(-1, 3),
            yaw=np.zeros(len(near)),
            score=np.ones(len(near)),
            frame=WORLD,
            acquired=now,
        )
        image = Image(data=PICTURE, acquired=Time(now - 10_000_000))
        given = self.policy.step(self.state, [seen], Target(label="marker7"), image, now)
        if given.photo is not None:
            self.photos.append(given.photo)
        if self.policy.phase is not self.phases[-1]:
            self.phases.append(self.policy.phase)
        command = given.command
        if command is not None and command.position is not None:
            self.flown.append(command)
            if self.follows:
                way = command.position - self.state.position
                way *= min(1.0, 0.1 / max(float(np.linalg.norm(way)), 1e-9))
                self.state = replace(
                    self.state, position=self.state.position + way, armed=not command.land, landed=command.land
                )
        return given

    def many(self, count: int) -> InspectOutput:
        for _ in range(count):
            given = self.step()
        return given


def test_it_surveys_holds_over_the_marker_photographs_once_comes_back_and_lands() -> None:
    flight = Flight()
    last = flight.many(400)
    assert flight.phases == list(InspectionPhase)
    assert last.command is None
    assert len(flight.photos) == 1
    holds = [
        command.position
        for command in flight.flown
        if command.position is not None and np.allclose(command.position, MARKER + np.array([0.0, 0.0, 2.0]))
    ]
    # Two seconds there, and less than one on the way.
    assert 100 <= len(holds) < 150
    lands = [command for command in flight.flown if command.land]
    np.testing.assert_allclose(np.array([command.position for command in lands]), [[0.1, 0.0, 0.0]] * len(lands))
    assert not any(command.land for command in flight.flown[: -len(lands)])


def test_the_photograph_was_taken_while_it_held() -> None:
    flight = Flight()
    for _ in range(400):
        flight.step()
        if InspectionPhase.HOLD not in flight.phases:
            began = flight.n * 20_000_000
    assert flight.photos[0].acquired >= began + 1_900_000_000


def test_a_marker_that_is_nowhere_ends_the_survey_at_home_without_a_photograph() -> None:
    flight = Flight(things={"marker8": MARKER, "pad": np.zeros(3)})
    flight.many(400)
    assert flight.phases == [
        InspectionPhase.CLIMB,
        InspectionPhase.SURVEY,
        InspectionPhase.RETURN,
        InspectionPhase.LAND,
        InspectionPhase.DONE,
    ]
    assert not flight.photos


def test_a_marker_that_one_survey_showed_too_seldom_is_looked_for_again() -> None:
    flight = Flight()
    for count in range(1500):
        flight.things = {"marker7": MARKER} if count % 25 == 0 else {}
        flight.step()
        if flight.policy.phase is InspectionPhase.HOLD:
            break
    assert flight.phases == [InspectionPhase.CLIMB, InspectionPhase.SURVEY, InspectionPhase.HOLD]
    # Longer than one survey takes, and less than it has patience for.
    assert 250 < flight.n < 1500


def test_a_marker_that_is_seen_once_only_is_not_looked_for_without_end() -> None:
    flight = Flight(things={})
    flight.policy.patience = 8.0
    flight.many(100)
    flight.things = {"marker7": flight.state.position}
    flight.step()
    flight.things = {}
    flight.many(900)
    assert flight.phases == [
        InspectionPhase.CLIMB,
        InspectionPhase.SURVEY,
        InspectionPhase.RETURN,
        InspectionPhase.LAND,
        InspectionPhase.DONE,
    ]
    # A survey takes less than half of its patience.
    survey = [command for command in flight.flown if command.position is not None and command.position[2] > 4.5]
    assert len(survey) > 350
    assert not flight.photos


def test_without_a_pad_in_sight_it_lands_where_it_began() -> None:
    flight = Flight(things={})
    flight.many(400)
    home = flight.flown[-1].position
    assert home is not None
    np.testing.assert_allclose(home, [0.0, 0.0, 0.06])
    assert flight.flown[-1].land


def test_a_phase_that_takes_too_long_ends_on_the_way_home() -> None:
    flight = Flight(follows=False)
    flight.policy.patience = 5.0
    flight.many(245)
    assert flight.phases == [InspectionPhase.CLIMB]
    flight.many(10)
    assert flight.phases[-1] is InspectionPhase.RETURN


def test_the_place_of_a_thing_is_the_mean_of_its_newest_looks() -> None:
    flight = Flight(follows=False)
    for count in range(20):
        flight.things = {"pad": np.array([float(count), 0.0, 0.0]) * 0.01}
        flight.step()
    flight.policy._enter(InspectionPhase.RETURN, Time(0))
    command = flight.step().command
    assert command is not None
    assert command.position is not None
    # 0.16, 0.17, 0.18, 0.19 and 0.19 again.
    np.testing.assert_allclose(command.position, [0.178, 0.0, 2.5])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"waypoints": ()}, "waypoints must have at least one point, got none"),
        ({"altitude": 0.0}, "altitude must be above 0 m and finite, got 0.0"),
        ({"near": -1.0}, "near must be above 0 m and finite, got -1.0"),
        ({"dwell": 40.0}, "dwell must be in [0, 40) s, got 40.0"),
    ],
)
def test_settings_with_which_nothing_is_inspected_are_refused(wrong: dict[str, object], says: str) -> None:
    (problem,) = Inspect(**{"waypoints": ((1.0, 1.0),), **wrong}).check()  # type: ignore[arg-type]
    assert problem.startswith(says)
    assert not list(Inspect(((1.0, 1.0),)).check())


def _sight(milliseconds: int, *positions: Vector) -> Detections:
    return Detections(
        labels=("marker7",) * len(positions),
        position=np.array(positions).reshape(-1, 3),
        yaw=np.zeros(len(positions)),
        score=np.ones(len(positions)),
        frame=WORLD,
        acquired=Time(milliseconds * 1_000_000),
    )


def _surveying(*sights: Detections) -> Inspect:
    """Let a policy that surveys, far from its waypoints, see something in each step."""
    flight = Flight(things={})
    while flight.policy.phase is not InspectionPhase.SURVEY:
        flight.step()
    state = replace(flight.state, position=np.array([0.0, 0.0, 1.5]))
    for n, sight in enumerate(sights):
        now = Time((flight.n + n) * 20_000_000)
        flight.policy.step(state, [sight], Target(label="marker7"), None, now)
    return flight.policy


def test_a_sight_that_comes_again_or_is_older_is_no_further_one() -> None:
    begin = 100_000
    stuck = _surveying(*[_sight(begin, MARKER)] * 50)
    assert stuck.phase is InspectionPhase.SURVEY
    older = _surveying(_sight(begin, MARKER), *[_sight(begin - n, MARKER) for n in range(1, 50)])
    assert older.phase is InspectionPhase.SURVEY
    assert _surveying(*[_sight(begin + n, MARKER) for n in range(50)]).phase is InspectionPhase.HOLD


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_sight_at_a_place_that_is_none_is_left_out(number: float, axis: int) -> None:
    begin, nowhere = 100_000, MARKER.copy()
    nowhere[axis] = number
    policy = _surveying(*[_sight(begin + n, nowhere) for n in range(50)])
    assert policy.phase is InspectionPhase.SURVEY
    policy = _surveying(*[_sight(begin + n, nowhere, MARKER) for n in range(50)])
    assert policy.phase is InspectionPhase.HOLD
    np.testing.assert_allclose(policy._mean("marker7"), MARKER)
