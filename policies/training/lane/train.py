"""Train lane perception: `python -m policies.training.lane.train VALIDATION TRAINING...`, with the extra `train`.

Both are sets from `policies.training.lane.render`. Writes the model and its card, with scores of the exported model.
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from embodied.node.node import generator
from policies.perception.lane import HEIGHT, NEAR, SCALES, WIDTH, LaneDetector
from policies.perception.model_card import ModelCard
from policies.perception.model_file import digest
from policies.training.lane.network import LaneNetwork, ShippedLane
from policies.training.lane.render import Views

BATCH = 32
"""Images in a batch."""

FINE = 0.1
"""Multiple of SCALES below which errors count by their square."""

AIM = 1.5
"""Distance ahead at which the middle of the lane is scored [m]."""

CLOSE = 3.0
"""Distance below which an obstacle must not be missed [m]."""


def train(data: Views, epochs: int, seed: int) -> LaneNetwork:
    """Train the lane network; the same data and seed give the same network on one kind of machine."""
    torch.manual_seed(seed)
    rng = generator(seed, "lanes", "batches")
    # Channels last are twice as fast on a processor.
    network = LaneNetwork()
    network.to(memory_format=torch.channels_last)
    values, present = _wanted(data)
    images = torch.from_numpy(data.images)
    steps = epochs * (len(images) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=steps, pct_start=0.1)
    for epoch in range(epochs):
        total, began = 0.0, time.perf_counter()
        order = torch.from_numpy(rng.permutation(len(images)))
        for start in range(0, len(images) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            seen, wanted = _augmented(images[chosen], values[chosen], rng)
            loss = _loss(network(seen), wanted, present[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        took = time.perf_counter() - began
        print(f"epoch {epoch + 1}/{epochs}: loss {total / (len(images) // BATCH):.4f}, {took:.0f} s", flush=True)
    network.eval()
    return network


def _wanted(data: Views) -> tuple[Tensor, Tensor]:
    """Return targets: values in multiples of SCALES, NaN if absent, (n, 5), and presence, 0 or 1, (n, 3)."""
    target = data.targets
    ways = [np.log(target[name] / NEAR) for name in ("obstacle", "stop_line")]
    values = np.stack([target["offset"], target["heading"], target["curvature"], *ways], axis=1) / SCALES
    # Off the lane only the score of the lane is trained.
    values[target["inside"] == 0.0] = np.nan
    there = [target["inside"], *(np.isfinite(way).astype(np.float32) for way in ways)]
    return torch.from_numpy(values.astype(np.float32)), torch.from_numpy(np.stack(there, axis=1))


def _augmented(images: Tensor, values: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Mirror half of the images, and scale the brightness of each; noise is in them already."""
    mirrored = torch.from_numpy(rng.random(len(images)) < 0.5)
    turned = torch.where(mirrored[:, None, None, None], images.flip(2), images)
    # Left becomes right in offset, heading and curvature; ways ahead stay.
    signs = torch.ones_like(values)
    signs[mirrored, :3] = -1.0
    gain = torch.from_numpy(rng.uniform(0.8, 1.2, (len(images), 1, 1, 1)).astype(np.float32))
    seen = (turned.permute(0, 3, 1, 2).to(torch.float32) * (gain / 127.5)).clamp_max_(2.0) - 1.0
    return seen, values * signs


def _loss(outputs: tuple[Tensor, Tensor], wanted: Tensor, present: Tensor) -> Tensor:
    values, logits = outputs
    known = torch.isfinite(wanted)
    error = functional.smooth_l1_loss(values, torch.where(known, wanted, values.detach()), reduction="none", beta=FINE)
    decided = functional.binary_cross_entropy_with_logits(logits, present, reduction="none")
    # Near objects weigh more: they must not be missed, and their distance matters most.
    close = torch.exp(-torch.nan_to_num(wanted[:, 3:], nan=0.0) * torch.from_numpy(SCALES[3:])).clamp(0.5, 2.0)
    weight = torch.cat([torch.ones_like(decided[:, :1]), torch.where(known[:, 3:], 2.0 * close, 1.0)], dim=1)
    inside = torch.cat([torch.ones_like(present[:, :1]), present[:, :1], present[:, :1]], dim=1)
    return error.sum() / len(values) + (decided * weight * inside).sum() / len(values)


def export(network: LaneNetwork, path: Path) -> None:
    """Export the trained lane network as one ONNX file."""
    with warnings.catch_warnings():
        # The newer exporter writes a second file for the weights; here a model is one file.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            ShippedLane(network).eval(),
            (torch.zeros(1, HEIGHT, WIDTH, 3, dtype=torch.uint8),),
            str(path),
            dynamo=False,
            input_names=list(LaneDetector.inputs),
            output_names=list(LaneDetector.outputs),
            opset_version=17,
        )


def score(model: Path, data: Views) -> dict[str, float]:
    """Score a lane network on a set; names of the scores end in their units."""
    node = LaneDetector(model=model)
    node.open()
    measured, certain, took = [], [], []
    for image in data.images:
        began = time.perf_counter()
        outputs = node.run(image=image[None])
        took.append(time.perf_counter() - began)
        measured.append(outputs["values"][0] * SCALES)
        certain.append(outputs["scores"][0])
    node.close()
    values, scores, target = np.array(measured), np.array(certain), data.targets
    inside = target["inside"] == 1.0
    middle = inside & (np.abs(target["offset"]) < 0.15) & (np.abs(target["heading"]) < 0.15)
    off, turned, bent = (
        np.abs(values[:, k] - target[name]) for k, name in enumerate(("offset", "heading", "curvature"))
    )
    # Scored where the lane is in view and the vehicle steers to: under its nose it can only be extrapolated.
    wrong = values[:, :3] - np.stack([target["offset"], target["heading"], target["curvature"]], axis=1)
    aim = np.abs(wrong @ (-1.0, -AIM, AIM**2 / 2))
    scored = {
        "middle_ahead_error_p95_mm": 1e3 * _p95(aim[middle]),
        "offset_error_p95_mm": 1e3 * _p95(off[middle]),
        "offset_error_astray_p95_mm": 1e3 * _p95(off[inside & ~middle]),
        "heading_error_p95_deg": np.degrees(_p95(turned[inside])),
        "curvature_error_p95_per_m": _p95(bent[inside]),
        "lane_told_percent": 100 * np.mean(scores[inside, 0] >= 0.5),
        "off_lane_told_as_lane_percent": 100 * np.mean(scores[~inside, 0] >= 0.5),
    }
    for k, (name, near) in enumerate((("obstacle", CLOSE), ("stop_line", NEAR))):
        way, seen = target[name], scores[:, 1 + k] >= 0.5
        close, none = inside & (way < near), inside & np.isnan(way)
        error = np.abs(NEAR * np.exp(values[:, 3 + k]) - way)
        scored |= {
            f"{name}_below_{near:.0f}_m_error_p95_mm": 1e3 * _p95(error[close & seen]),
            f"{name}_below_{near:.0f}_m_missed": float(np.sum(close & ~seen)),
            f"{name}_below_{near:.0f}_m_images": float(np.sum(close)),
            f"{name}_recall_percent": 100 * np.mean(seen[inside & np.isfinite(way)]),
            f"{name}_false_percent": 100 * np.mean(seen[none]),
        }
    scored |= {"time_per_image_median_ms": 1e3 * np.median(took), "images": float(len(values))}
    return {name: round(float(value), 4 if "per_m" in name else 2) for name, value in scored.items()}


def _p95(errors: NDArray[np.floating]) -> float:
    """Return the 95th percentile of errors; infinite without any."""
    return float(np.quantile(errors, 0.95)) if len(errors) else math.inf


def main() -> None:
    """Train, export and score lane perception, and write its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("validation", type=Path)
    parser.add_argument("training", type=Path, nargs="+")
    parser.add_argument("--model", type=Path, default=LaneDetector.model)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1, help="more are slower where others compute too")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    data, held = Views.load(*chosen.training), Views.load(chosen.validation)
    print(f"{len(data.images)} images to train on, {len(held.images)} to score", flush=True)
    network = train(data, chosen.epochs, data.seeds[0][0])
    ModelCard.beside(chosen.model).unlink(missing_ok=True)
    export(network, chosen.model)
    scores = score(chosen.model, held)
    print(scores)
    ModelCard(
        name="lane",
        purpose="Where a vehicle is in its lane, and what lies ahead in it, from an image of its camera.",
        sha256=digest(chosen.model),
        licence="Apache-2.0",
        script="policies/training/lane/train.py",
        inputs={name: f"{a.dtype} {' '.join(map(str, a.shape))}" for name, a in LaneDetector.inputs.items()},
        outputs={name: f"{a.dtype} {' '.join(map(str, a.shape))}" for name, a in LaneDetector.outputs.items()},
        training_seeds=data.seeds,
        validation_seeds=held.seeds,
        data=f"{len(data.images)} images of simulated roads by policies/training/lane/render.py, and their mirrors",
        scores=scores,
    ).write(ModelCard.beside(chosen.model))


if __name__ == "__main__":
    main()
