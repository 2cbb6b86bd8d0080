"""Scores of the block detector on rendered images: `python -m policies.training.blocks.score FOLDER`.

Scores are those of the whole node, from the camera's bytes to positions in the base frame. An object counts when it is
mostly visible: at least 60 % of the pixels of its silhouette and of the 5 × 5 around its centre.
It is found if a detection of its label lies within 2 cm; a detection with no object of its label there is false.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from embodied.clock import Time
from embodied.messages import CameraInfo, Depth, Detections, Image, Vector
from policies.perception.detector import LABELS, Detector, quarter_turn
from policies.training.blocks.render import Renders

VISIBLE = 0.6
"""Visible part from which an object is expected to be detected."""

NEAR = 0.02
"""Position error up to which a detection is correct [m]."""

STANDING = 0.015
"""Distance of the centre from half a block's height up to which an object stands on the table or in the tray [m]."""

GREY = LABELS.index("grey")
"""Index of the label of obstacles."""


def score(detector: Detector, renders: Renders, *, flat: bool = False) -> dict[str, float]:
    """Score a block detector on all images of a set.

    Args:
        detector: opened detector.
        renders: images with their objects.
        flat: whether depth is withheld; then only objects on the table or in the tray are expected.
    """
    position: list[float] = []
    yaw: list[float] = []
    seconds: list[float] = []
    false = 0
    expected, found = np.zeros(2), np.zeros(2)
    for index in range(len(renders.rgb)):
        image = Image(data=np.ascontiguousarray(renders.rgb[index]), acquired=Time(0))
        depth = None if flat else Depth(data=np.ascontiguousarray(renders.depth[index]), acquired=Time(0))
        info = _info(renders, index)
        start = time.perf_counter()
        seen = detector.step(image, depth, info)
        seconds.append(time.perf_counter() - start)
        objects = renders.objects[renders.objects["image"] == index]
        false += _false(seen, objects)
        for thing in objects[(objects["visible"] >= VISIBLE) & (objects["face"] >= VISIBLE)]:
            grey = int(thing["kind"] == GREY)
            if flat and abs(thing["position"][2] - detector.block / 2) > STANDING:
                continue
            expected[grey] += 1
            away = _distance(seen, thing)
            if len(away) and (nearest := int(np.argmin(away))) is not None and away[nearest] < NEAR:
                found[grey] += 1
                if not grey:
                    position.append(float(away[nearest]))
                    yaw.append(float(abs(quarter_turn(seen.yaw[nearest : nearest + 1] - thing["yaw"])[0])))
    return {
        "position_error_median_mm": round(1e3 * float(np.median(position)), 2),
        "position_error_p95_mm": round(1e3 * float(np.percentile(position, 95)), 2),
        "position_error_largest_mm": round(1e3 * float(np.max(position)), 2),
        "yaw_error_median_deg": round(float(np.degrees(np.median(yaw))), 2),
        "yaw_error_p95_deg": round(float(np.degrees(np.percentile(yaw, 95))), 2),
        "block_recall_percent": round(100 * float(found[0] / expected[0]), 2),
        "obstacle_recall_percent": round(100 * float(found[1] / max(expected[1], 1)), 2),
        "false_detections_per_100_images": round(100 * false / len(renders.rgb), 2),
        "time_per_image_median_ms": round(1e3 * float(np.median(seconds)), 2),
        "images": len(renders.rgb),
        "blocks": int(expected[0]),
    }


def scores(detector: Detector, sets: Sequence[Renders]) -> dict[str, float]:
    """Score a block detector on several sets; names for all but the first begin with the renderer, `tiny_images`.

    Names for the first set without depth begin with `flat_`.

    Args:
        detector: opened detector.
        sets: sets of images, the first by the renderer of runs.
    """
    measured: dict[str, float] = {}
    for number, renders in enumerate(sets):
        prefix = f"{renders.renderer.split()[0]}_" if number else ""
        measured |= {prefix + name: value for name, value in score(detector, renders).items()}
    flat = score(detector, sets[0], flat=True)
    return measured | {f"flat_{name}": value for name, value in flat.items() if not name.startswith("time")}


def _info(renders: Renders, index: int) -> CameraInfo:
    camera = renders.cameras[index]
    height, width = renders.rgb.shape[1:3]
    return CameraInfo(
        width=width,
        height=height,
        matrix=camera["matrix"],
        position=camera["position"],
        orientation=camera["orientation"],
        frame="base",
    )


def _distance(seen: Detections, thing: np.void) -> Vector:
    away: Vector = np.linalg.norm(seen.position - thing["position"], axis=1)
    away[[label != LABELS[thing["kind"]] for label in seen.labels]] = np.inf
    return away


def _false(seen: Detections, objects: np.ndarray[tuple[int], np.dtype[np.void]]) -> int:
    count = 0
    for label, position in zip(seen.labels, seen.position, strict=True):
        same = objects[objects["kind"] == LABELS.index(label)]
        count += not (np.linalg.norm(same["position"] - position, axis=1) < NEAR).any()
    return count


def main() -> None:
    """Print the scores of a block detector on a set of images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a set from policies.training.blocks.render")
    parser.add_argument("--model", type=Path, default=Detector.model)
    parser.add_argument("--block", type=float, default=Detector.block, help="edge of a block [m]")
    parser.add_argument("--tallest", type=float, default=Detector.tallest, help="height of an obstacle [m]")
    parser.add_argument("--flat", action="store_true", help="withhold the depth")
    arguments = parser.parse_args()
    detector = Detector(model=arguments.model, block=arguments.block, tallest=arguments.tallest)
    detector.open()
    print(json.dumps(score(detector, Renders.load(arguments.folder), flat=arguments.flat), indent=1))


if __name__ == "__main__":
    main()
