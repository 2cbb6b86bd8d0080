"""Train the network that finds corners of boards and pads: `python -m policies.training.train_markers`.

Needs the extra `train`. It renders, trains as the block detector is trained, scores, and writes the model and its card.
The network's answer about the direction of a side helps it to learn what a corner is; `Markers` makes no use of it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from policies.card import Card, digest
from policies.markers import KINDS, Markers
from policies.training.render_markers import render
from policies.training.score_markers import VALIDATION, opened, publish, scored
from policies.training.train_detector import export, train

TRAINING = (1_000_000_000, 1_000_000_250)


def main() -> None:
    """Render, train, export, score and write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="sims.airfield:Airfield")
    parser.add_argument("--model", type=Path, default=Markers.model)
    parser.add_argument("--images", type=int, default=12, help="of each seed")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--threads", type=int, default=1, help="of torch; with 1 the same data give the same model")
    chosen = parser.parse_args()
    world, path = opened(chosen.world), Card.beside(chosen.model)
    torch.set_num_threads(chosen.threads)
    renders = render(world, TRAINING, chosen.images)
    network = train(renders, chosen.epochs, TRAINING[0], len(KINDS))
    # The card of the model before would refuse this one.
    path.unlink(missing_ok=True)
    export(network, chosen.model, Markers)
    card = Card(
        name=chosen.model.stem,
        purpose="Finds the corners of marker boards and of a landing pad in an image from above.",
        sha256=digest(chosen.model),
        licence="Apache-2.0",
        script="policies/training/train_markers.py",
        inputs={name: f"{a.dtype} {' '.join(map(str, a.shape))}" for name, a in Markers.inputs.items()},
        outputs={name: f"{a.dtype} {' '.join(map(str, a.shape))}" for name, a in Markers.outputs.items()},
        training_seeds=renders.seeds,
        validation_seeds=(VALIDATION,),
        data=f"{len(renders.rgb)} images of simulated fields, rendered by policies/training/render_markers.py.",
        scores=scored(chosen.model, world),
    )
    publish(card, path)


if __name__ == "__main__":
    main()
