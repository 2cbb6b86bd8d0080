"""YAML documents hold what YAML 1.2 says, value by value."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from embodied.launch import yaml_document
from embodied.launch.yaml_document import Item, parse, plain

LAUNCH = Path(__file__).parents[3] / "launch"
KEYS = st.text("abcdefgh", min_size=1, max_size=4)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text("nofyes ", max_size=5),
    lambda inner: st.dictionaries(KEYS, inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, TREES, min_size=1, max_size=5))
def test_documents_say_what_yaml_says(tree: dict[str, object]) -> None:
    parsed = parse(yaml.safe_dump(tree), "test")
    assert parsed is not None
    assert plain(parsed) == tree


def test_words_that_yaml_once_took_for_booleans_are_words_and_exponents_are_numbers() -> None:
    parsed = parse("{a: no, b: on, c: 1e-3, d: 0x10, e: 2026-01-01, f: 'true', g: true, h: 1_000}", "test")
    assert isinstance(parsed, Item)
    assert plain(parsed) == {
        "a": "no",
        "b": "on",
        "c": 0.001,
        "d": 16,
        "e": "2026-01-01",
        "f": "true",
        "g": True,
        "h": "1_000",
    }


@pytest.mark.skipif(yaml_document._LIBYAML is None, reason="PyYAML was installed without libyaml")
def test_with_and_without_libyaml_every_value_of_what_ships_has_the_same_place(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [path.read_text("utf-8") for path in LAUNCH.rglob("*.yaml")]
    fast = [parse(text, "file.yaml") for text in texts]
    monkeypatch.setattr(yaml_document, "_LIBYAML", None)
    assert [parse(text, "file.yaml") for text in texts] == fast
    assert len(texts) > 5
