"""Clone `PickPlace`: `python -m policies.training.cloned.train launch/pick_place.yaml`, with the extra `train`.

Demonstrations come from the launch file's simulation with true poses, so do the scores. Writes the model and its card.
"""

from __future__ import annotations

import argparse
import itertools
import math
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from embodied.launch import Overrides, load
from embodied.node.node import generator
from embodied.runtime.episode import play
from policies.perception.model_card import ModelCard
from policies.perception.model_file import digest
from policies.tasks.cloned import CHUNK, STATE, ClonedPickPlace
from policies.training.cloned.demonstrate import Samples, demonstrate

WIDTH = 224
"""Width of each hidden layer."""

BATCH = 512
"""Samples in a batch."""

SHARE = 20
"""Seeds that one process takes at a time."""

SCALES = (0.1, 0.01)
"""Scales at which translations and turns are also fed to the network, coarse and fine [m], [rad]."""


class ChunkNetwork(nn.Module):
    """Network that clones `PickPlace`: from a state to a chunk of motions, inputs at several scales for accuracy."""

    def __init__(self, mean: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        sizes = (STATE + 12 * len(SCALES), WIDTH, WIDTH, WIDTH)
        layers: list[nn.Module] = []
        for a, b in itertools.pairwise(sizes):
            layers += [nn.Linear(a, b), nn.SiLU()]
        self.body = nn.Sequential(*layers)
        self.motion = nn.Linear(WIDTH, CHUNK * 4)
        self.closing = nn.Linear(WIDTH, CHUNK)

    def forward(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """Compute motions (b, CHUNK, 4) [m], [rad], and logits of closing (b, CHUNK), from states (b, STATE)."""
        ways = state[:, :12]
        near = [torch.tanh(ways / scale) for scale in SCALES]
        features = self.body(torch.cat([(state - self.mean) / self.spread, *near], dim=1))
        return 0.1 * self.motion(features).reshape(-1, CHUNK, 4), self.closing(features)


def train(data: Samples, epochs: int, seed: int) -> ChunkNetwork:
    """Train the clone's network; the same data and seed give the same network on one kind of machine."""
    torch.manual_seed(seed)
    rng = generator(seed, "cloned", "batches")
    state, motion, closing = (torch.from_numpy(a) for a in (data.state, data.motion, data.closing))
    network = ChunkNetwork(state.mean(dim=0), state.std(dim=0).clamp_min(1e-3))
    steps = epochs * (len(state) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=2e-3, total_steps=steps, pct_start=0.05)
    for epoch in range(epochs):
        total = 0.0
        order = torch.from_numpy(rng.permutation(len(state)))
        for start in range(0, len(state) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            moved, logits = network(state[chosen])
            # L1 loss: the mean of two demonstrated motions would be one that nobody demonstrated.
            error = (moved - motion[chosen]).abs().mean() / 0.01
            decided = nn.functional.binary_cross_entropy_with_logits(logits, closing[chosen])
            loss = error + decided
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}/{epochs}: loss {total / (len(state) // BATCH):.4f}", flush=True)
    network.eval()
    return network


def export(network: ChunkNetwork, path: Path) -> None:
    """Export the clone of `PickPlace` as one ONNX file."""
    with warnings.catch_warnings():
        # The newer exporter writes a second file for the weights; here a model is one file.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.zeros(1, STATE),),
            str(path),
            dynamo=False,
            input_names=list(ClonedPickPlace.inputs),
            output_names=list(ClonedPickPlace.outputs),
            opset_version=17,
        )


def score(launch: Path, profile: str, model: Path, seeds: range) -> tuple[int, float]:
    """Return the number of seeds that the clone of `PickPlace` passes, and the mean duration of those runs [s]."""
    swap = f"policy={ClonedPickPlace.__module__}:{ClonedPickPlace.__name__}"
    chosen = Overrides(swaps=[swap], sets=[f"policy.model={model.resolve()}"])
    graph = load(launch, chosen).graph(profile)
    outcomes = [play(graph, seed) for seed in seeds]
    for outcome in outcomes:
        if not outcome.passed:
            print(f"seed {outcome.seed}: {outcome.reason}", flush=True)
    took = [outcome.simulated for outcome in outcomes if outcome.passed]
    return len(took), sum(took) / len(took) if took else math.nan


def collect(launch: Path, profile: str, seeds: range, jobs: int) -> tuple[Samples, int]:
    """Collect training samples for the clone from all demonstrations, in order of seeds, and the number that passed."""
    shares = [seeds[start : start + SHARE] for start in range(0, len(seeds), SHARE)]
    with ProcessPoolExecutor(jobs) as pool:
        parts = [part for share in pool.map(partial(_share, launch, profile), shares) for part in share]
    joined = (np.concatenate([getattr(part, name) for part in parts]) for name in ("state", "motion", "closing"))
    return Samples(*joined), len(parts)


def _share(launch: Path, profile: str, seeds: range) -> list[Samples]:
    return list(demonstrate(launch, profile, seeds))


def _seeds(text: str) -> range:
    low, high = text.split(":")
    return range(int(low), int(high))


def main() -> None:
    """Demonstrate, train, export and score the clone of `PickPlace`, and write its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("launch", type=Path)
    parser.add_argument("--profile", default="truth")
    parser.add_argument("--training", type=_seeds, default=range(1_000_000_000, 1_000_000_600))
    parser.add_argument("--validation", type=_seeds, default=range(1_000_100_000, 1_000_100_100))
    parser.add_argument("--model", type=Path, default=ClonedPickPlace.model)
    parser.add_argument("--data", type=Path, help="a file to keep the demonstrations in, and to take them from")
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    if chosen.data is not None and chosen.data.is_file():
        kept = np.load(chosen.data)
        data, ended = Samples(kept["state"], kept["motion"], kept["closing"]), int(kept["ended"])
    else:
        data, ended = collect(chosen.launch, chosen.profile, chosen.training, chosen.jobs)
        if chosen.data is not None:
            np.savez(chosen.data, state=data.state, motion=data.motion, closing=data.closing, ended=ended)
    print(f"{len(data.state)} samples from {ended} demonstrations", flush=True)
    network = train(data, chosen.epochs, chosen.training.start)
    chosen.model.parent.mkdir(parents=True, exist_ok=True)
    ModelCard.beside(chosen.model).unlink(missing_ok=True)
    export(network, chosen.model)
    passed, seconds = score(chosen.launch, chosen.profile, chosen.model, chosen.validation)
    print(f"{passed} of {len(chosen.validation)} in {seconds:.2f} s each")
    ModelCard(
        name="cloned",
        purpose="The next chunk of tool motions and gripper commands of pick-and-place, from tool, gripper and block.",
        sha256=digest(chosen.model),
        licence="Apache-2.0",
        script="policies/training/cloned/train.py",
        inputs={name: f"{a.dtype} {' '.join(map(str, a.shape))}" for name, a in ClonedPickPlace.inputs.items()},
        outputs={name: f"{a.dtype} {' '.join(map(str, a.shape))}" for name, a in ClonedPickPlace.outputs.items()},
        training_seeds=((chosen.training.start, chosen.training.stop),),
        validation_seeds=((chosen.validation.start, chosen.validation.stop),),
        data=f"{len(data.state)} moments of {ended} disturbed runs of PickPlace with the Panda on true poses",
        scores={
            "validation_true_poses_passed": float(passed),
            "validation_true_poses_total": float(len(chosen.validation)),
            "validation_duration_mean_s": round(seconds, 2),
        },
    ).write(ModelCard.beside(chosen.model))


if __name__ == "__main__":
    main()
