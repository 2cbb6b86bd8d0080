"""Scores of the marker detector: `python -m policies.training.markers.score` writes them into the model's card."""

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
from policies.perception.model_card import ModelCard
from policies.training.markers.render import AerialView, aerial_views, kind

VALIDATION = (1_100_000_000, 1_100_000_060)
"""Half-open range of the validation seeds."""

NEAR = 0.3
"""Position error up to which a detection is correct [m]."""


def score(node: Markers, world: Any, seeds: tuple[int, int], count: int) -> dict[str, float]:
    """Score a marker detector on rendered images, with the true pose of the camera.

    A marker with all its corners in an image counts as expected; a detection without a marker is false.

    Args:
        node: opened detector.
        world: airfield.
        seeds: half-open range of seeds.
        count: images of each seed.
    """
    errors: dict[str, list[float]] = {"board": [], "pad": []}
    expected = dict.fromkeys(errors, 0)
    turns: list[float] = []
    seconds: list[float] = []
    false, number = 0, 0
    for seed in range(*seeds):
        for view in aerial_views(world, seed, count, vary=False):
            number += 1
            begin = time.perf_counter()
            seen = node.step(*_inputs(view, number))
            seconds.append(time.perf_counter() - begin)
            for label in filter(view.whole, view.truth):
                expected[kind(label)] += 1
            for label, position, yaw in zip(seen.labels, seen.position, seen.yaw, strict=True):
                there = view.truth.get(label)
                if there is None or math.dist(there[0], position) > NEAR:
                    false += 1
                elif view.whole(label):
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


def _inputs(view: AerialView, number: int) -> tuple[Image, CameraInfo, list[DroneState]]:
    """Return the inputs of the detector: a carrier at the pose of the camera, and the camera at its origin."""
    level = np.array([0.0, 0.0, 0.0, 1.0])
    info = CameraInfo(
        width=view.info.width,
        height=view.info.height,
        matrix=view.info.matrix,
        position=np.zeros(3),
        orientation=level,
        frame="drone",
    )
    state = DroneState(
        position=view.info.position,
        orientation=view.info.orientation,
        linear_velocity=np.zeros(3),
        angular_velocity=np.zeros(3),
        armed=True,
        landed=False,
        mode="hold",
        frame="world",
        acquired=Time(number),
    )
    return Image(data=np.ascontiguousarray(view.rgb), acquired=Time(number)), info, [state]


def opened(world: str) -> Any:
    """Make the world of a class, `module:Class`, to score markers in, with as many boards as fit into it."""
    module, name = world.split(":")
    return make(getattr(importlib.import_module(module), name), {"boards": 6}, Context())


def scored(model: Path, world: Any) -> dict[str, float]:
    """Score a marker detector on the validation seeds."""
    node = Markers(model=model)
    node.open()
    return score(node, world, VALIDATION, 8)


def publish(card: ModelCard, path: Path) -> None:
    """Write the card of a marker detector, and print its scores."""
    card.write(path)
    for name, value in card.scores.items():
        print(f"{name}: {value}")


def main() -> None:
    """Score a marker detector, and update its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="sims.airfield:Airfield")
    parser.add_argument("--model", type=Path, default=Markers.model)
    chosen = parser.parse_args()
    path = ModelCard.beside(chosen.model)
    publish(replace(ModelCard.read(path), scores=scored(chosen.model, opened(chosen.world))), path)


if __name__ == "__main__":
    main()
