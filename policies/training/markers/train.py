"""Train the corner detector of boards and pads: `python -m policies.training.markers.train`.

Needs the extra `train`. It renders, trains as the block detector is trained, scores, and writes the model and its card.
The output for the direction of a side helps the network to learn what a corner is; `Markers` does not use it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from policies.perception.markers import KINDS, Markers
from policies.perception.model_card import ModelCard
from policies.perception.model_file import digest
from policies.training.blocks.train import export, train
from policies.training.markers.render import render
from policies.training.markers.score import VALIDATION, opened, publish, scored

TRAINING = (1_000_000_000, 1_000_000_250)
"""Half-open range of the training seeds."""


def main() -> None:
    """Train, export and score the corner detector of boards and pads from rendered images, and write its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="sims.airfield:Airfield")
    parser.add_argument("--model", type=Path, default=Markers.model)
    parser.add_argument("--images", type=int, default=12, help="of each seed")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument(
        "--threads", type=int, default=1, help="threads of torch; with 1 the same data give the same model"
    )
    chosen = parser.parse_args()
    world, path = opened(chosen.world), ModelCard.beside(chosen.model)
    torch.set_num_threads(chosen.threads)
    renders = render(world, TRAINING, chosen.images)
    network = train(renders, chosen.epochs, TRAINING[0], len(KINDS))
    # The card of the previous model would refuse this one.
    path.unlink(missing_ok=True)
    export(network, chosen.model, Markers)
    card = ModelCard(
        name=chosen.model.stem,
        purpose="Finds the corners of marker boards and of a landing pad in an image from above.",
        sha256=digest(chosen.model),
        licence="Apache-2.0",
        script="policies/training/markers/train.py",
        inputs={name: f"{a.dtype} {' '.join(map(str, a.shape))}" for name, a in Markers.inputs.items()},
        outputs={name: f"{a.dtype} {' '.join(map(str, a.shape))}" for name, a in Markers.outputs.items()},
        training_seeds=renders.seeds,
        validation_seeds=(VALIDATION,),
        data=f"{len(renders.rgb)} images of simulated fields, rendered by policies/training/markers/render.py.",
        scores=scored(chosen.model, world),
    )
    publish(card, path)


if __name__ == "__main__":
    main()
