"""Model card: provenance, seeds, checksum and scores of a model, in a file beside it.

A card is a YAML file with the model's stem: `models/blocks.onnx` has `models/blocks.yaml`.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from embodied.untrusted.files import read_text

Seeds = tuple[tuple[int, int], ...]
"""Half-open ranges of seeds, as pairs of first and end."""

SIZE_MOST = 1 << 20
"""Size of the largest model card that is read [B]."""

OWN_NAMES = frozenset({"sha256", "licence", "training_seeds", "validation_seeds"})
"""Names by which a file is a model card; what has none of them, but names that no card has, is another's."""

SHOWN_MOST = 200
"""Length up to which a value is shown in an error [letters]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """Provenance, checksum and scores of a model.

    Attributes:
        name: name of the model.
        purpose: purpose of the model, in one sentence.
        sha256: SHA-256 of the model file and of the files of its weights, in lower-case hexadecimal.
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
    def find(cls, model: Path) -> ModelCard | None:
        """Read the card beside a model; None if there is none, or the file of this name is about something else.

        Raises:
            ValueError: the card is incomplete or wrong, in one sentence.
        """
        path = cls.beside(model)
        if not path.exists():
            return None
        entries = _entries(path)
        names = {field.name for field in fields(cls)}
        if isinstance(entries, dict) and set(entries) - names and not OWN_NAMES & set(entries):
            return None
        return cls.read(path)

    @classmethod
    def read(cls, path: Path) -> ModelCard:
        """Read a card from its YAML file.

        Raises:
            ValueError: the card is incomplete, or its training and validation seeds overlap; in one sentence.
        """
        entries = _entries(path)
        if not isinstance(entries, dict):
            raise ValueError(
                f"the model card {path} must be a mapping of names to values, got {type(entries).__name__}"
            )
        names = [field.name for field in fields(cls)]
        for word, wrong in (("lacks", set(names) - set(entries)), ("does not know", set(entries) - set(names))):
            if wrong:
                listed = ", ".join(sorted(map(_shown, wrong)))
                raise ValueError(f"the model card {path} {word} {listed[:SHOWN_MOST]}")
        for which in ("name", "purpose", "sha256", "licence", "script", "data"):
            if not isinstance(entries[which], str):
                raise ValueError(f"the model card {path}: {which} must be text, got {_shown(entries[which])}")
        for which in ("inputs", "outputs", "scores"):
            if not isinstance(entries[which], dict):
                raise ValueError(
                    f"the model card {path}: {which} must be a mapping of names to values, got {_shown(entries[which])}"
                )
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


def overlap(one: Seeds, other: Seeds) -> tuple[int, int] | None:
    """Return the first range of seeds that both lists of a model card contain; None if there is none."""
    for low, high in one:
        for start, end in other:
            if max(low, start) < min(high, end):
                return max(low, start), min(high, end)
    return None


def _entries(path: Path) -> Any:
    """Read a YAML file that may be a model card.

    Raises:
        ValueError: it cannot be read, in one sentence.
    """
    try:
        return yaml.safe_load(read_text(path, SIZE_MOST))
    except OSError as error:
        raise ValueError(f"the model card {path} cannot be read: {error.strerror}") from error
    except RecursionError:
        raise ValueError(f"the model card {path} cannot be read: it is nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date or number that is none
        reason = " ".join(str(error).split())
        raise ValueError(f"the model card {path} cannot be read: {reason[:SHOWN_MOST]}") from error


def _shown(value: Any) -> str:
    # An alias may stand in itself, or a thousand times: what is shown of a value is bounded.
    return reprlib.repr(value)


def _seeds(path: Path, which: str, ranges: Any) -> Seeds:
    whole = isinstance(ranges, list) and all(
        isinstance(pair, list) and [type(seed) for seed in pair] == [int, int] and pair[0] < pair[1] for pair in ranges
    )
    if not whole:
        raise ValueError(
            f"the model card {path}: {which} must be a list of [first, end], first < end, got {_shown(ranges)}"
        )
    return tuple((low, high) for low, high in ranges)
