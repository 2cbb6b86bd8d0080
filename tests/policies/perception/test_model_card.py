"""Every model that ships has a card that tells the truth about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnxruntime
import pytest

import policies.perception.model_card
from policies.perception.model_card import ModelCard, overlap
from policies.perception.model_file import digest

ROOM = Path(policies.perception.model_card.__file__).parents[1]
MODELS = sorted((ROOM / "models").glob("*.onnx"))
EVALUATION = ((0, 1_000_000_000),)  # seeds below a billion are for evaluation alone


def test_models_ship() -> None:
    assert "blocks" in [model.stem for model in MODELS]


@pytest.fixture(params=MODELS, ids=lambda model: model.stem)
def model(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_the_card_is_about_these_bytes(model: Path) -> None:
    assert ModelCard.read(ModelCard.beside(model)).sha256 == digest(model)


def test_the_model_is_smaller_than_a_megabyte(model: Path) -> None:
    assert model.stat().st_size < 1_000_000


def test_no_evaluation_seed_was_trained_or_chosen_on(model: Path) -> None:
    card = ModelCard.read(ModelCard.beside(model))
    assert card.training_seeds
    assert overlap(card.training_seeds, EVALUATION) is None
    assert overlap(card.validation_seeds, EVALUATION) is None


def test_the_script_that_made_it_is_here(model: Path) -> None:
    assert (ROOM.parent / ModelCard.read(ModelCard.beside(model)).script).is_file()


def test_the_card_states_the_models_inputs_and_outputs(model: Path) -> None:
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    card = ModelCard.read(ModelCard.beside(model))
    assert list(card.inputs) == [entry.name for entry in session.get_inputs()]
    assert set(card.outputs) <= {entry.name for entry in session.get_outputs()}


def test_the_detectors_card_has_scores_on_two_renderers() -> None:
    scores = ModelCard.read(ROOM / "models" / "blocks.yaml").scores
    for prefix in ("", "tiny_"):
        assert scores[f"{prefix}position_error_p95_mm"] <= 5.0
        assert scores[f"{prefix}block_recall_percent"] >= 99.0


def test_the_markers_card_says_that_no_number_is_misread_and_how_exact_it_is() -> None:
    scores = ModelCard.read(ROOM / "models" / "markers.yaml").scores
    assert scores["position_error_p95_mm"] <= 50.0
    assert scores["board_recall_percent"] >= 98.0
    assert scores["pad_recall_percent"] >= 98.0
    assert scores["false_detections_per_100_images"] == 0.0


def test_overlapping_seeds_are_found() -> None:
    assert overlap(((0, 10),), ((9, 12),)) == (9, 10)
    assert overlap(((0, 10),), ((10, 12),)) is None


def test_a_card_whose_training_and_validation_overlap_is_refused(tmp_path: Path) -> None:
    card = ModelCard.read(ROOM / "models" / "blocks.yaml")
    replace(card, training_seeds=((10, 20),), validation_seeds=((19, 30),)).write(tmp_path / "bad.yaml")
    with pytest.raises(ValueError, match="seeds 19:20 in training and in validation"):
        ModelCard.read(tmp_path / "bad.yaml")
