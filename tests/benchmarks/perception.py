"""The detector on renders it has never seen, and the inverse kinematics."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from embodied import Time
from embodied.launch import Overrides, load
from embodied.messages import Depth, Detections, Goal, Image, JointState
from sims.tabletop import Tabletop
from tests.benchmarks.table import median, show

PICK = Path(__file__).parents[2] / "launch" / "pick_place.yaml"


def main(small: bool = False) -> None:
    """Print the table.

    Args:
        small: two tables only, to see that it works.
    """
    seeds = range(2 if small else 200)
    graph = load(PICK).graph("sim")
    world, detector = graph.world, graph.entries["detector"].node
    assert isinstance(world, Tabletop)
    detector.open()  # type: ignore[attr-defined]
    step: Callable[..., Detections] = detector.step  # type: ignore[attr-defined]
    times, errors, seen, missed, extra = [], [], 0, 0, 0
    for seed in seeds:
        world.reset(seed)
        camera = world.camera("overhead")
        shot = camera.render(rgb=True, depth=True)
        assert shot.rgb is not None
        assert shot.depth is not None
        image = Image(data=shot.rgb, acquired=Time(0))
        depth = Depth(data=shot.depth, acquired=Time(0))
        begin = time.perf_counter()
        found = step(image, depth, camera.info())
        times.append(time.perf_counter() - begin)
        for label, true in world.truth().items():
            if label.startswith("grey"):
                continue
            at = [found.position[k] for k, name in enumerate(found.labels) if name == label]
            seen, missed, extra = seen + bool(at), missed + (not at), extra + max(0, len(at) - 1)
            if at:
                errors.append(float(np.linalg.norm(at[0][:2] - true.position[:2])) * 1000)
    world.close()
    rows = [["detector, 320x240, one thread", f"{len(seeds)} tables of seeds 0:{seeds.stop}, never trained on"]]
    rows.append(["whole step, image to detections", f"{median(times) * 1000:.2f} ms"])
    rows.append(["position error, median and p95", f"{np.median(errors):.2f} mm, {np.percentile(errors, 95):.2f} mm"])
    rows.append(["blocks found, missed, seen twice", f"{seen}, {missed}, {extra}"])
    show("Perception", rows)
    kinematics()


def kinematics() -> None:
    """Print the cost of a step of the inverse kinematics, for both arms."""
    rows = [["inverse kinematics, a step while moving", "µs"]]
    for robot in ("panda", "xarm6"):
        node = load(PICK, Overrides(sets=(f"robot={robot}",))).graph("truth").entries["ik"].node
        node.open()  # type: ignore[attr-defined]
        q = node.robot.limit("home")  # type: ignore[attr-defined]
        goal = Goal(
            position=np.array([0.5, 0.1, 0.1]), approach=np.array([0, 0, -1.0]), yaw=0.3, gripper=0.05, frame="base"
        )
        step: Callable[..., Any] = node.step  # type: ignore[attr-defined]
        times = []
        for n in range(80):
            state = JointState(position=q, velocity=np.zeros_like(q), acquired=Time(n * 10_000_000))
            begin = time.perf_counter()
            moved = step(state, goal)
            times.append(time.perf_counter() - begin)
            q = moved.command.position
        rows.append([robot, f"{median(times) * 1e6:.0f}"])
    show("Kinematics", rows)
