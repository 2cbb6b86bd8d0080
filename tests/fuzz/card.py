"""Fuzzer of model cards, the YAML files beside models."""

from __future__ import annotations

from pathlib import Path

from policies.perception.model_card import ModelCard
from tests.fuzz.harness import Kind


def read(data: bytes, folder: Path) -> str:
    """Find the card beside a model; if it is one, it is written and read again as it is."""
    model = folder / "blocks.onnx"
    model.touch()
    ModelCard.beside(model).write_bytes(data)
    try:
        card = ModelCard.find(model)
    except ValueError as error:
        return str(error)
    if card is not None:
        assert isinstance(card.sha256, str)
    return ""


def examples() -> list[bytes]:
    models = Path(__file__).parents[2] / "policies" / "models"
    return [path.read_bytes() for path in sorted(models.glob("*.yaml"))] + [b"nc: 80\nnames: {0: person}\n"]


KIND = Kind(
    name="card",
    examples=examples,
    words=(b"&a ", b"*a", b"!!python/object:os.system ", b"? ", b"- ", b": ", b"{", b"[", b"|", b"<<: ", b"2026-99-99"),
    read=read,
    modules=("policies.perception.model_card", "yaml"),
)
