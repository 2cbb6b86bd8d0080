from __future__ import annotations

import xml.etree.ElementTree as ET
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.errors import LaunchError
from embodied.suite import Scenario, run_suite
from embodied.suite.plot import plot
from embodied.suite.seed_run import Job
from embodied.suite.summary import Summary
from embodied.suite.sweep import Axis, Point, grid, points
from tests.embodied.suite.waiting import launch_file, quiet

CHAIN = """\
embodied: 1
clock: lockstep
nodes:
  clock: {use: "tests.embodied.nodes:Clock", rate: 10}
  ramp: {use: "tests.embodied.nodes:Double", in: {joints: clock}, latency: 15ms}
  taker: {use: "tests.embodied.nodes:Double", in: {joints: ramp}}
"""


@pytest.mark.parametrize(
    ("written", "values", "unit"),
    [
        ("detector.latency=0:300ms:100ms", ("0ms", "100ms", "200ms", "300ms"), "ms"),
        ("detector.drop=0:0.3:0.1", ("0", "0.1", "0.2", "0.3"), ""),
        ("camera.rate=10:30:10", ("10", "20", "30"), ""),
        ("x.y=1:2.5:1", ("1", "2"), ""),
        ("x.y=5:5:1", ("5",), ""),
        ("x.y=-1:1:0.5", ("-1", "-0.5", "0", "0.5", "1"), ""),
        ("x.y=0,10ms,50ms", ("0", "10ms", "50ms"), "ms"),
    ],
)
def test_a_range_holds_both_of_its_ends_in_plain_numbers(written: str, values: tuple[str, ...], unit: str) -> None:
    axis = Axis.parse(written)
    assert (axis.values, axis.unit) == (values, unit)
    assert axis.numbers is not None
    assert Axis.from_dict(axis.as_dict()) == axis


@given(st.integers(-1000, 1000), st.integers(0, 400), st.integers(1, 50), st.integers(0, 4))
def test_no_range_gathers_rounding(first: int, length: int, step: int, digits: int) -> None:
    scale = Decimal(10) ** -digits
    a, b, c = (Decimal(n) * scale for n in (first, first + length, step))
    axis = Axis.parse(f"x.y={a:f}:{b:f}:{c:f}")
    assert [Decimal(value) for value in axis.values] == [a + n * c for n in range(length // step + 1)]
    assert all(len(value) <= 12 for value in axis.values)


def test_names_are_swept_too_and_stand_side_by_side() -> None:
    axis = Axis.parse("robot=panda,xarm6")
    assert (axis.values, axis.numbers) == (("panda", "xarm6"), None)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("latency", "cannot read --over latency"),
        ("=1:2:1", "cannot read --over"),
        ("x.y=3:1:1", "is empty or reversed"),
        ("x.y=1:3:0", "is empty or reversed"),
        ("x.y=1:3:-1", "is empty or reversed"),
        ("x.y=0:1s:10ms", "mixes units"),
        ("x.y=a:b:c", "cannot read the range"),
        ("x.y=0:1:0.00001", "has 100001 values"),
        ("x.y=1,,2", "missing or repeated"),
        ("x.y=1,1", "missing or repeated"),
    ],
)
def test_a_range_that_is_none_is_one_error(written: str, told: str) -> None:
    with pytest.raises(LaunchError, match=told):
        Axis.parse(written)


@pytest.fixture
def chain(tmp_path: Path) -> Scenario:
    file = tmp_path / "chain.yaml"
    file.write_text(CHAIN, encoding="utf-8")
    return Scenario("chain", file, None)


def test_ages_stay_as_they_are_launched(chain: Scenario) -> None:
    fast, slow = grid(chain, [Axis.parse("ramp.latency=50ms,250ms")])
    assert fast.overrides.sets == ("ramp.latency=50ms",)
    # Three of its periods of 100 ms, and not of the 250 ms that it takes at this point.
    assert slow.overrides.sets == ("ramp.latency=250ms", "taker.joints.max_age=300ms")
    assert "--set taker.joints.max_age=300ms" in slow.command(0)
    (written,) = grid(chain, [Axis.parse("taker.joints.max_age=1s,2s")])[:1]
    assert written.overrides.sets == ("taker.joints.max_age=1s",)


def test_a_grid_has_every_pair_once_with_a_name_of_its_own(chain: Scenario) -> None:
    made = grid(chain, [Axis.parse("ramp.latency=0:20ms:10ms"), Axis.parse("clock.rate=10,30000/1001")])
    assert len({scenario.name for scenario in made}) == 6
    assert all("/" not in scenario.name for scenario in made)
    assert [scenario.overrides.sets[:2] for scenario in made[:2]] == [
        ("ramp.latency=0ms", "clock.rate=10"),
        ("ramp.latency=0ms", "clock.rate=30000/1001"),
    ]


@pytest.mark.parametrize(
    ("axes", "told"),
    [
        (["rampp.latency=0,1ms"], r"there is no node 'rampp'[^$]*--over:1:1[^$]*did you mean 'ramp'"),
        (["ramp.latncy=0,1ms"], "has no setting 'latncy'"),
        (["ramp.latency=0,5"], "expected a duration with its unit"),
        (["ramp.latency=0,1ms", "ramp.latency=0,2ms"], "'ramp.latency' is swept twice"),
        (["ramp.latency=0:200ms:1ms", "taker.latency=0:200ms:1ms"], "the grid has 40401 points"),
    ],
)
def test_a_setting_that_there_is_not_is_one_error_before_anything_runs(
    chain: Scenario, axes: list[str], told: str
) -> None:
    with pytest.raises(LaunchError, match=told):
        grid(chain, [Axis.parse(text) for text in axes])


def test_each_point_counts_its_own_seeds(tmp_path: Path) -> None:
    base = Scenario("cell", launch_file(tmp_path), None)
    axes = [Axis.parse("world.pencil=1,2")]
    made = grid(base, axes)
    results = run_suite([Job(scenario) for scenario in made], range(3), 1, quiet)
    found = points(Summary(made, results, 1.0), axes)
    assert [(p.values["world.pencil"], p.passed, p.total, p.broken) for p in found] == [("1", 3, 3, 0), ("2", 3, 3, 0)]
    assert found[0].duration == 1.0


def point(rate: float, **values: str) -> Point:
    return Point(values, round(20 * rate), 20, rate, max(0.0, rate - 0.1), min(1.0, rate + 0.1), 0, 0, 4.0)


def test_a_plot_of_one_setting_is_to_scale() -> None:
    axis = Axis.parse("detector.latency=0,100ms,400ms")
    text = plot([axis], [point(r, **{axis.key: v}) for r, v in zip((1.0, 0.5, 0.0), axis.values, strict=True)], "a < b")
    assert text is not None
    root = ET.fromstring(text)
    dots = [element for element in root.iter() if element.tag.endswith("circle")]
    xs, ys = ([float(dot.get(name) or 0) for dot in dots] for name in ("cx", "cy"))
    assert (xs[2] - xs[0]) == pytest.approx(4 * (xs[1] - xs[0]), abs=0.3)
    assert (ys[2] - ys[1]) == pytest.approx(ys[1] - ys[0], abs=0.3)
    assert "a &lt; b" in text


def test_names_get_whiskers_and_no_line_between_them() -> None:
    axis = Axis.parse("robot=panda,xarm6")
    text = plot([axis], [point(1.0, robot="panda"), point(0.9, robot="xarm6")], "robots")
    assert text is not None
    ET.fromstring(text)
    assert text.count('class="whisker"') == 2
    assert "polyline" not in text


def test_two_settings_are_a_field_and_three_are_no_picture() -> None:
    axes = [Axis.parse("a.x=1,2"), Axis.parse("b.y=1:3:1")]
    found = [point(n / 6, **{"a.x": str(1 + n // 3), "b.y": str(1 + n % 3)}) for n in range(6)]
    text = plot(axes, found, "grid")
    assert text is not None
    assert text.count("<rect x=") == 6
    assert "a.x = 2, b.y = 3" in text
    ET.fromstring(text)
    assert plot([*axes, Axis.parse("c.z=1,2")], found, "grid") is None
