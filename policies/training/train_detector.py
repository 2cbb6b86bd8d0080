"""Train the block detector: `python -m policies.training.train_detector TRAINING VALIDATION`, with the extra `train`.

Both folders come from `render_blocks`, the second with depth. Writes the model and its card.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from embodied.messages import Vector
from embodied.node import generator
from policies.card import Card, digest
from policies.detector import COLUMNS, HEIGHT, LABELS, ROWS, STRIDE, WIDTH, Detector
from policies.training.detector_network import DetectorNetwork, ShippedDetector, normalised
from policies.training.render_blocks import Renders
from policies.training.score_detector import GREY, score

BATCH = 16
SEEN, HIDDEN = 0.45, 0.20  # visible parts above and below which an object must, and must not, be reported
SPREAD = 1.0  # of a peak [cells]
_GRID = np.stack(np.meshgrid(np.arange(COLUMNS), np.arange(ROWS)), axis=-1).astype(np.float64)

Targets = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
"""Heatmaps, where they count, geometry, where its offsets count, where its angles count."""


def targets(objects: np.ndarray[tuple[int], np.dtype[np.void]]) -> tuple[Vector, Vector, Vector, Vector, Vector]:
    """What the network should answer for one image, shapes (channels, rows, columns).

    Args:
        objects: those of the image, as `Renders` has them.
    """
    heat = np.zeros((len(LABELS), ROWS, COLUMNS))
    counts = np.ones_like(heat)
    geometry = np.zeros((4, ROWS, COLUMNS))
    offsets, angles = np.zeros((2, 1, ROWS, COLUMNS))
    for thing in np.sort(objects, order="visible"):
        centre = (thing["pixel"] - (STRIDE - 1) / 2) / STRIDE
        column, row = np.rint(centre).astype(int)
        if not (0 <= column < COLUMNS and 0 <= row < ROWS):
            continue
        away = centre - _GRID
        peak = np.exp(-np.einsum("rck,rck->rc", away, away) / (2 * SPREAD**2))
        kind, visible = thing["kind"], min(thing["visible"], thing["face"])
        if visible < SEEN:
            # Neither right nor wrong in between: which side it falls on is a matter of a few pixels.
            counts[kind][peak > 0.1] = float(visible < HIDDEN)
            continue
        peak[row, column] = 1.0
        heat[kind] = np.maximum(heat[kind], peak)
        near = peak > 0.3
        geometry[:2, near] = away[near].T
        geometry[2:, near] = np.array([[np.sin(4 * thing["angle"])], [np.cos(4 * thing["angle"])]])
        offsets[0, near] = peak[near]
        angles[0, near] = 0.0 if kind == GREY else peak[near]
    return heat, counts, geometry, offsets, angles


def batches(renders: Renders, rng: np.random.Generator) -> Iterator[tuple[Tensor, Targets]]:
    """All images once, in random order, each mirrored and lit a little differently."""
    by_image = np.split(renders.objects, np.searchsorted(renders.objects["image"], np.arange(1, len(renders.rgb))))
    order = rng.permutation(len(renders.rgb))
    for start in range(0, len(order) - BATCH + 1, BATCH):
        chosen = np.sort(order[start : start + BATCH])
        images, answers = [], []
        for index in chosen:
            image, objects = _mirrored(renders.rgb[index], by_image[index], rng)
            images.append(image)
            answers.append(targets(objects))
        parts = [torch.from_numpy(np.stack(part).astype(np.float32)) for part in zip(*answers, strict=True)]
        heat, counts, geometry, offsets, angles = parts
        yield _relit(normalised(torch.from_numpy(np.stack(images))), rng), (heat, counts, geometry, offsets, angles)


def loss(heat: Tensor, geometry: Tensor, wanted: Targets) -> Tensor:
    """CenterNet's focal loss of the heatmaps (arXiv:1904.07850, eq. 1) and absolute errors of the geometry at peaks."""
    peaks, counts, places, offsets, angles = wanted
    log_yes, log_no = functional.logsigmoid(heat), functional.logsigmoid(-heat)
    yes = torch.sigmoid(heat)
    centre = (peaks == 1.0).float()
    focal = centre * (1 - yes) ** 2 * log_yes + (1 - centre) * (1 - peaks) ** 4 * yes**2 * log_no
    apart = (geometry - places).abs()
    total = -(focal * counts).sum() / centre.sum().clamp(min=1)
    total = total + 2.0 * (apart[:, :2] * offsets).sum() / offsets.sum().clamp(min=1)
    return total + 0.5 * (apart[:, 2:] * angles).sum() / angles.sum().clamp(min=1)


def train(renders: Renders, epochs: int, seed: int) -> DetectorNetwork:
    """A trained network, with the moving average of its weights."""
    torch.manual_seed(seed)
    network = DetectorNetwork().to(memory_format=torch.channels_last)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.998), use_buffers=True)
    steps = epochs * (len(renders.rgb) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=3e-3, total_steps=steps, pct_start=0.1)
    start = time.perf_counter()
    for epoch in range(epochs):
        total = 0.0
        for images, wanted in batches(renders, generator(seed, "epoch", str(epoch))):
            with torch.autocast("cpu", torch.bfloat16):
                heat, geometry = network(images.contiguous(memory_format=torch.channels_last))
            value = loss(heat.float(), geometry.float(), wanted)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            schedule.step()
            average.update_parameters(network)
            total += value.item()
        mean = total / (len(renders.rgb) // BATCH)
        print(f"epoch {epoch + 1}/{epochs}: loss {mean:.4f}, {time.perf_counter() - start:.0f} s", flush=True)
    trained = average.module
    assert isinstance(trained, DetectorNetwork)
    return trained


def export(network: DetectorNetwork, path: Path) -> None:
    """Write the model as one ONNX file."""
    shipped = ShippedDetector(network.to(memory_format=torch.contiguous_format)).eval()
    example = torch.zeros(1, HEIGHT, WIDTH, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        # The newer exporter writes a second file for the weights; a model is one file here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            shipped,
            (example,),
            str(path),
            dynamo=False,
            input_names=list(Detector.inputs),
            output_names=list(Detector.outputs),
            opset_version=17,
        )


def _mirrored(
    image: np.ndarray[tuple[int, int, int], np.dtype[np.uint8]],
    objects: np.ndarray[tuple[int], np.dtype[np.void]],
    rng: np.random.Generator,
) -> tuple[np.ndarray[tuple[int, int, int], np.dtype[np.uint8]], np.ndarray[tuple[int], np.dtype[np.void]]]:
    objects = objects.copy()
    for axis, size in ((1, WIDTH), (0, HEIGHT)):
        if rng.random() < 0.5:
            image = np.flip(image, axis)
            objects["pixel"][:, 1 - axis] = size - 1 - objects["pixel"][:, 1 - axis]
            objects["angle"] = -objects["angle"]
    return image, objects


def _relit(images: Tensor, rng: np.random.Generator) -> Tensor:
    count = len(images)
    gain = rng.uniform(0.8, 1.25, (count, 1, 1, 1)) * rng.uniform(0.94, 1.06, (count, 3, 1, 1))
    noise = rng.standard_normal(images.shape, dtype=np.float32) * rng.uniform(0.0, 0.04, (count, 1, 1, 1))
    brighter = (images + 1.0) * torch.from_numpy(gain).float() - 1.0 + torch.from_numpy(noise).float()
    return brighter.clamp(-1.0, 1.0)


def main() -> None:
    """Train, export, score and write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("training", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("--model", type=Path, default=Detector.model)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1_000_000_000)
    arguments = parser.parse_args()
    training, validation = Renders.load(arguments.training), Renders.load(arguments.validation)
    export(train(training, arguments.epochs, arguments.seed), arguments.model)
    Card.beside(arguments.model).unlink(missing_ok=True)
    detector = Detector(model=arguments.model)
    detector.open()
    scores = score(detector, validation)
    Card(
        name="blocks",
        purpose="Finds coloured blocks and grey obstacles on a table in an image from above.",
        sha256=digest(arguments.model),
        licence="Apache-2.0",
        script="policies/training/train_detector.py",
        inputs={name: f"{a.dtype} {' '.join(map(str, a.shape))}" for name, a in Detector.inputs.items()},
        outputs={name: f"{a.dtype} {' '.join(map(str, a.shape))}" for name, a in Detector.outputs.items()},
        training_seeds=training.seeds,
        validation_seeds=validation.seeds,
        data=f"{len(training.rgb)} images of simulated tables, rendered by policies/training/render_blocks.py.",
        scores=scores,
    ).write(Card.beside(arguments.model))
    for name, value in scores.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
