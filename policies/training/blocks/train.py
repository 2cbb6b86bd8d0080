"""Train the block detector: `python -m policies.training.blocks.train TRAINING VALIDATION [VALIDATION ...]`.

Needs the extra `train`. The folders come from `policies.training.blocks.render`. Writes the model and its card.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from embodied.node.node import generator
from policies.perception.detector import COLUMNS, HEIGHT, LABELS, ROWS, STRIDE, WIDTH, Detector
from policies.perception.model_card import ModelCard
from policies.perception.model_file import digest
from policies.perception.onnx_node import OnnxNode
from policies.training.blocks.network import DetectorNetwork, ShippedDetector
from policies.training.blocks.render import Objects, Renders
from policies.training.blocks.score import GREY, scores

BATCH = 16
"""Images in a batch."""

SEEN = 0.45
"""Visible part of an object from which it must be detected."""

HIDDEN = 0.20
"""Visible part of an object below which it must not be detected."""

SPREAD = 1.0
"""Standard deviation of a peak [cells]."""

REACH = 5
"""Distance from a peak up to which an object contributes to the targets [cells]."""

Map = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Targets = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
"""Heatmaps and their weights, geometry, and the weights of its offsets and of its angles."""


def targets(objects: Objects, labels: int) -> tuple[Map, Map, Map, Map, Map]:
    """Return the targets of the block detector's network for one image, shapes (channels, rows, columns).

    Args:
        objects: objects in the image, as in `Renders`.
        labels: number of labels.
    """
    heat = np.zeros((labels, ROWS, COLUMNS), np.float32)
    counts = np.ones_like(heat)
    geometry = np.zeros((4, ROWS, COLUMNS), np.float32)
    offsets, angles = np.zeros((2, 1, ROWS, COLUMNS), np.float32)
    for thing in np.sort(objects, order="visible"):
        centre = (thing["pixel"] - (STRIDE - 1) / 2) / STRIDE
        column, row = np.rint(centre).astype(int).tolist()
        if not (0 <= column < COLUMNS and 0 <= row < ROWS):
            continue
        rows, columns = slice(max(row - REACH, 0), row + REACH + 1), slice(max(column - REACH, 0), column + REACH + 1)
        right = centre[0] - np.arange(COLUMNS)[None, columns]
        down = centre[1] - np.arange(ROWS)[rows, None]
        peak = np.exp(-(right**2 + down**2) / (2 * SPREAD**2))
        kind, visible = thing["kind"], min(thing["visible"], thing["face"])
        if visible < SEEN:
            # No loss in between: a few pixels decide whether such an object can be detected.
            counts[kind, rows, columns][peak > 0.1] = float(visible < HIDDEN)
            continue
        near = peak > 0.3
        sides = np.sin(4 * thing["angle"]), np.cos(4 * thing["angle"])
        for channel, value in enumerate((right, down, *sides)):
            geometry[channel, rows, columns][near] = np.broadcast_to(value, peak.shape)[near]
        offsets[0, rows, columns][near] = peak[near]
        angles[0, rows, columns][near] = 0.0 if kind == GREY else peak[near]
        np.maximum(heat[kind, rows, columns], peak, out=heat[kind, rows, columns])
        heat[kind, row, column] = 1.0
    return heat, counts, geometry, offsets, angles


def batches(renders: Renders, labels: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Targets]]:
    """Yield training batches of table images of one epoch: in random order, mirrored and with random gain and noise."""
    by_image = np.split(renders.objects, np.searchsorted(renders.objects["image"], np.arange(1, len(renders.rgb))))
    order = rng.permutation(len(renders.rgb))
    # Noise is cut from a pool at random places: drawing it each time would take longer than the network does.
    pool = rng.standard_normal(8 * HEIGHT * WIDTH * 3, dtype=np.float32)
    for start in range(0, len(order) - BATCH + 1, BATCH):
        images = np.empty((BATCH, HEIGHT, WIDTH, 3), np.float32)
        answers = []
        for image, index in zip(images, np.sort(order[start : start + BATCH]), strict=True):
            seen, objects = _mirrored(renders.rgb[index], by_image[index], rng)
            gain = rng.uniform(0.8, 1.25) * rng.uniform(0.94, 1.06, 3) / 127.5
            np.multiply(seen, gain.astype(np.float32), out=image)
            at = rng.integers(len(pool) - image.size)
            image += pool[at : at + image.size].reshape(image.shape) * np.float32(rng.uniform(0.0, 0.04))
            answers.append(targets(objects, labels))
        np.clip(images - np.float32(1.0), -1.0, 1.0, out=images)
        heat, counts, geometry, offsets, angles = (
            torch.from_numpy(np.stack(part)) for part in zip(*answers, strict=True)
        )
        # Permuted to (b, 3, h, w) this is torch's channels_last layout, without a copy.
        yield torch.from_numpy(images).permute(0, 3, 1, 2), (heat, counts, geometry, offsets, angles)


def loss(heat: Tensor, geometry: Tensor, wanted: Targets) -> Tensor:
    """Return CenterNet's focal loss of the heatmaps (arXiv:1904.07850, eq. 1) plus L1 loss of the geometry at peaks."""
    peaks, counts, places, offsets, angles = wanted
    log_yes, log_no = functional.logsigmoid(heat), functional.logsigmoid(-heat)
    yes = torch.sigmoid(heat)
    centre = (peaks == 1.0).float()
    focal = centre * (1 - yes) ** 2 * log_yes + (1 - centre) * (1 - peaks) ** 4 * yes**2 * log_no
    apart = (geometry - places).abs()
    total = -(focal * counts).sum() / centre.sum().clamp(min=1)
    total = total + 2.0 * (apart[:, :2] * offsets).sum() / offsets.sum().clamp(min=1)
    return total + 0.5 * (apart[:, 2:] * angles).sum() / angles.sum().clamp(min=1)


def train(renders: Renders, epochs: int, seed: int, labels: int = len(LABELS)) -> DetectorNetwork:
    """Train the block detector's network for a number of labels, and return the moving average of its weights."""
    torch.manual_seed(seed)
    network = DetectorNetwork(labels).to(memory_format=torch.channels_last)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.998), use_buffers=True)
    steps = epochs * (len(renders.rgb) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=3e-3, total_steps=steps, pct_start=0.1)
    start = time.perf_counter()
    for epoch in range(epochs):
        total = 0.0
        for images, wanted in batches(renders, labels, generator(seed, "epoch", str(epoch))):
            with torch.autocast("cpu", torch.bfloat16):
                heat, geometry = network(images)
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


def export(network: DetectorNetwork, path: Path, node: type[OnnxNode] = Detector) -> None:
    """Export the trained block detector as one ONNX file, for a node that runs it."""
    shipped = ShippedDetector(network.to(memory_format=torch.contiguous_format)).eval()
    example = torch.zeros(1, HEIGHT, WIDTH, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        # The newer exporter writes a second file for the weights; here a model is one file.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            shipped,
            (example,),
            str(path),
            dynamo=False,
            input_names=list(node.inputs),
            output_names=list(node.outputs),
            opset_version=17,
        )


def _mirrored(image: Pixels, objects: Objects, rng: np.random.Generator) -> tuple[Pixels, Objects]:
    objects = objects.copy()
    for axis, size in ((1, WIDTH), (0, HEIGHT)):
        if rng.random() < 0.5:
            image = np.flip(image, axis)
            objects["pixel"][:, 1 - axis] = size - 1 - objects["pixel"][:, 1 - axis]
            objects["angle"] = -objects["angle"]
    return image, objects


def publish(model: Path, training: Renders, validation: Sequence[Renders]) -> ModelCard:
    """Score a trained block detector and write its card.

    Args:
        model: path of the ONNX file.
        training: training images.
        validation: validation images; the same scenes, by one renderer after the other.
    """
    path = ModelCard.beside(model)
    # The card of the previous model would refuse this one.
    path.unlink(missing_ok=True)
    detector = Detector(model=model)
    detector.open()
    card = ModelCard(
        name=model.stem,
        purpose="Finds coloured blocks and grey obstacles on a table in an image from above.",
        sha256=digest(model),
        licence="Apache-2.0",
        script="policies/training/blocks/train.py",
        inputs={name: f"{a.dtype} {' '.join(map(str, a.shape))}" for name, a in Detector.inputs.items()},
        outputs={name: f"{a.dtype} {' '.join(map(str, a.shape))}" for name, a in Detector.outputs.items()},
        training_seeds=training.seeds,
        validation_seeds=validation[0].seeds,
        data=f"{len(training.rgb)} images of simulated tables, rendered by policies/training/blocks/render.py.",
        scores=scores(detector, validation),
    )
    card.write(path)
    return card


def main() -> None:
    """Train, export and score the block detector, and write its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("training", type=Path)
    parser.add_argument("validation", type=Path, nargs="+", help="the first by the renderer of runs")
    parser.add_argument("--model", type=Path, default=Detector.model)
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument(
        "--threads", type=int, default=1, help="threads of torch; with 1 the same data give the same model"
    )
    parser.add_argument("--seed", type=int, default=1_000_000_000)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    training, validation = Renders.load(arguments.training), [Renders.load(folder) for folder in arguments.validation]
    export(train(training, arguments.epochs, arguments.seed), arguments.model)
    for name, value in publish(arguments.model, training, validation).scores.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
