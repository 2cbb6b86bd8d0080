"""Model card: provenance, seeds, checksum and scores of a model, in a file beside it.

A card is a YAML file with the model's stem: `models/blocks.onnx` has `models/blocks.yaml`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

Seeds = tuple[tuple[int, int], ...]
"""Half-open ranges of seeds, as pairs of first and end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """Provenance, checksum and scores of a model.

    Attributes:
        name: name of the model.
        purpose: purpose of the model, in one sentence.
        sha256: SHA-256 of the model file, in lower-case hexadecimal.
        licence: SPDX identifier.
        script: script that made the model, as a path in this project.
        inputs, outputs: dtype and shape by name, `uint8 1 240 320 3`.
        training_seeds: seeds of the scenes for training.
        validation_seeds: seeds of the scenes for model selection; none is a training seed.
        data: training data, in one sentence.
        scores: measured quality by name; the name ends in the unit.
    """

    name: str
    purpose: str
    sha256: str
    licence: str
    script: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    training_seeds: Seeds
    validation_seeds: Seeds
    data: str
    scores: Mapping[str, float]

    @staticmethod
    def beside(model: Path) -> Path:
        """Return the path at which a model has its card."""
        return model.with_suffix(".yaml")

    @classmethod
    def read(cls, path: Path) -> ModelCard:
        """Read a card from its YAML file.

        Raises:
            ValueError: the card is incomplete, or its training and validation seeds overlap; in one sentence.
        """
        try:
            entries = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ValueError(f"the model card {path} cannot be read: {' '.join(str(error).split())}") from error
        if not isinstance(entries, dict):
            raise ValueError(
                f"the model card {path} must be a mapping of names to values, got {type(entries).__name__}"
            )
        names = [field.name for field in fields(cls)]
        for word, wrong in (("lacks", set(names) - set(entries)), ("does not know", set(entries) - set(names))):
            if wrong:
                raise ValueError(f"the model card {path} {word} {', '.join(sorted(map(str, wrong)))}")
        for which in ("training_seeds", "validation_seeds"):
            entries[which] = _seeds(path, which, entries[which])
        card = cls(**entries)
        if shared := overlap(card.training_seeds, card.validation_seeds):
            raise ValueError(f"the model card {path} has seeds {shared[0]}:{shared[1]} in training and in validation")
        return card

    def write(self, path: Path) -> None:
        """Write the card, in the order of its attributes."""
        entries = asdict(self)
        for which in ("training_seeds", "validation_seeds"):
            entries[which] = [list(pair) for pair in entries[which]]
        text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
        path.write_text(text, encoding="utf-8")


def digest(model: Path) -> str:
    """Return the SHA-256 of a model's file for its card, in lower-case hexadecimal."""
    return hashlib.sha256(model.read_bytes()).hexdigest()


def overlap(one: Seeds, other: Seeds) -> tuple[int, int] | None:
    """Return the first range of seeds that both lists of a model card contain; None if there is none."""
    for low, high in one:
        for start, end in other:
            if max(low, start) < min(high, end):
                return max(low, start), min(high, end)
    return None


def _seeds(path: Path, which: str, ranges: Any) -> Seeds:
    whole = isinstance(ranges, list) and all(
        isinstance(pair, list) and [type(seed) for seed in pair] == [int, int] and pair[0] < pair[1] for pair in ranges
    )
    if not whole:
        raise ValueError(f"the model card {path}: {which} must be a list of [first, end], first < end, got {ranges!r}")
    return tuple((low, high) for low, high in ranges)
