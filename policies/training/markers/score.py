"""How well markers are found from above: `python -m policies.training.markers.score` scores the model into its card."""

from __future__ import annotations

import argparse
import importlib
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from embodied.clock import Time
from embodied.messages import CameraInfo, DroneState, Image
from embodied.node.settings import Context, make
from policies.perception.markers import Markers
from policies.perception.model_card import Card
from policies.training.markers.render import Sight, kind, sights

VALIDATION = (1_100_000_000, 1_100_000_060)
NEAR = 0.3  # what is found so far from where it is, is found [m]


def score(node: Markers, world: Any, seeds: tuple[int, int], count: int) -> dict[str, float]:
    """Measures by name, over so many pictures of each seed, with the pose of the camera as it is.

    What has all its corners in a picture counts as expected; what is told of a thing that is not there is false.

    Args:
        node: open.
        world: an airfield.
        seeds: from the first up to, but without, the second.
        count: pictures of each.
    """
    errors: dict[str, list[float]] = {"board": [], "pad": []}
    expected = dict.fromkeys(errors, 0)
    turns: list[float] = []
    seconds: list[float] = []
    false, number = 0, 0
    for seed in range(*seeds):
        for sight in sights(world, seed, count, vary=False):
            number += 1
            begin = time.perf_counter()
            seen = node.step(*_given(sight, number))
            seconds.append(time.perf_counter() - begin)
            for label in filter(sight.whole, sight.truth):
                expected[kind(label)] += 1
            for label, position, yaw in zip(seen.labels, seen.position, seen.yaw, strict=True):
                there = sight.truth.get(label)
                if there is None or math.dist(there[0], position) > NEAR:
                    false += 1
                elif sight.whole(label):
                    errors[kind(label)].append(math.dist(there[0], position))
                    half = math.pi if label == "pad" else math.tau
                    turns.append(abs(math.remainder(yaw - there[1], half)))
    both = errors["board"] + errors["pad"]
    return {
        "position_error_median_mm": round(1e3 * float(np.median(both)), 1),
        "position_error_p95_mm": round(1e3 * float(np.percentile(both, 95)), 1),
        "position_error_largest_mm": round(1e3 * max(both), 1),
        "yaw_error_p95_deg": round(math.degrees(float(np.percentile(turns, 95))), 2),
        **{f"{what}_recall_percent": round(100 * len(errors[what]) / expected[what], 2) for what in errors},
        "false_detections_per_100_images": round(100 * false / number, 2),
        "time_per_image_median_ms": round(1e3 * float(np.median(seconds)), 2),
        "images": float(number),
        "boards": float(expected["board"]),
    }


def _given(sight: Sight, number: int) -> tuple[Image, CameraInfo, list[DroneState]]:
    """What the node would be given: a body that stands where the camera is, and the camera in the middle of that."""
    level = np.array([0.0, 0.0, 0.0, 1.0])
    info = CameraInfo(
        width=sight.info.width,
        height=sight.info.height,
        matrix=sight.info.matrix,
        position=np.zeros(3),
        orientation=level,
        frame="drone",
    )
    state = DroneState(
        position=sight.info.position,
        orientation=sight.info.orientation,
        linear_velocity=np.zeros(3),
        angular_velocity=np.zeros(3),
        armed=True,
        landed=False,
        mode="hold",
        frame="world",
        acquired=Time(number),
    )
    return Image(data=np.ascontiguousarray(sight.rgb), acquired=Time(number)), info, [state]


def opened(world: str) -> Any:
    """The world of a name, `module:Class`, with as many boards as it has room for."""
    module, name = world.split(":")
    return make(getattr(importlib.import_module(module), name), {"boards": 6}, Context())


def scored(model: Path, world: Any) -> dict[str, float]:
    """Measures of a model on the validation seeds."""
    node = Markers(model=model)
    node.open()
    return score(node, world, VALIDATION, 8)


def publish(card: Card, path: Path) -> None:
    """Write a card, and say how good its model is."""
    card.write(path)
    for name, value in card.scores.items():
        print(f"{name}: {value}")


def main() -> None:
    """Score the model that is there, into its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="sims.airfield:Airfield")
    parser.add_argument("--model", type=Path, default=Markers.model)
    chosen = parser.parse_args()
    path = Card.beside(chosen.model)
    publish(replace(Card.read(path), scores=scored(chosen.model, opened(chosen.world))), path)


if __name__ == "__main__":
    main()
