"""A node is slow if none of its outputs comes at its rate; an output that comes less often by its nature is not."""

from __future__ import annotations

from embodied.cli.common.slow_topics import slow_lines


def state(rate: float, declared: float | None = 100.0) -> dict[str, object]:
    good = declared is not None and rate >= 0.9 * declared
    return {"rate": rate, "declared": declared, "alive": good, "on_rate": good, "published": int(rate)}


def test_an_output_that_comes_now_and_then_beside_one_that_comes_always_is_no_slow_node() -> None:
    assert list(slow_lines({"arm.joints": state(100.0), "arm.gripper": state(18.0)})) == []


def test_a_slow_node_has_one_line_with_its_most_frequent_output() -> None:
    topics = {"left/arm.joints": state(40.0), "left/arm.gripper": state(8.0), "camera.rgb": state(30.0, 30.0)}
    assert list(slow_lines(topics)) == ["slow       left/arm.joints: 40 Hz of 100 Hz"]


def test_a_node_that_published_nothing_is_slow_and_one_without_a_rate_is_not() -> None:
    assert list(slow_lines({"a.out": state(0.0), "b.out": state(0.1, None)})) == ["slow       a.out: 0 Hz of 100 Hz"]
