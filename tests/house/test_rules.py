"""The rules of the house find what they are for, and leave alone what they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import rules
from tests.house.sources import ROOT, Source


def source(folder: Path, text: str, name: str = "core/thing.py") -> Source:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Source(path, folder)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("Return the age of a topic in nanoseconds.", False),
        ("Joint limiter with bounded velocity and acceleration.", False),
        ("What a node is given in one step.", True),
        ("It keeps the newest message of a topic.", True),
        ("The newest value.", True),
    ],
)
def test_a_first_line_is_a_verb_or_a_noun_phrase_of_five_words(line: str, wrong: bool, tmp_path: Path) -> None:
    text = f'"""Module that holds one public function."""\n\n\ndef public() -> None:\n    """{line}"""\n'
    assert len(list(rules.first_lines([source(tmp_path, text)]))) == wrong


def test_a_private_function_may_begin_as_it_likes(tmp_path: Path) -> None:
    text = '"""Module that holds one private function."""\n\n\ndef _own() -> None:\n    """What it is."""\n'
    assert not list(rules.first_lines([source(tmp_path, text)]))


def test_words_of_the_list_are_found_in_docstrings_messages_comments_and_pages(tmp_path: Path) -> None:
    text = '"""The hall."""\n# a taker\nMESSAGE = f"told by {1}"\nheadroom = "backroom"\nKEY = "takers"\n'
    page = ROOT / "README.md"
    found = list(rules.words([source(tmp_path, text)], [page]))
    assert [line.split(":")[1] for line in found if line.startswith("core")] == ["1", "2", "3"]
    assert "'hall' (core)" in found[0]


def test_a_class_name_stands_once_in_its_package(tmp_path: Path) -> None:
    files = [source(tmp_path, "class Judge: ...\n", f"{name}.py") for name in ("a/x", "a/y", "b/x")]
    assert list(rules.class_names(files)) == ["a: class Judge stands at a/x.py:1, a/y.py:1"]


def test_a_file_is_at_most_350_lines(tmp_path: Path) -> None:
    files = [source(tmp_path, "x = 1\n" * lines, f"n{lines}.py") for lines in (350, 351)]
    assert list(rules.lengths(files)) == ["n351.py:1: 351 lines, at most 350"]


def test_each_constant_has_a_line_of_its_own(tmp_path: Path) -> None:
    assert len(list(rules.constants([source(tmp_path, "A, B = 1, 2\nC = 3\n")]))) == 1


def test_a_cycle_is_found_whether_imported_lazily_or_for_types_alone(tmp_path: Path) -> None:
    lazy = "def later() -> None:\n    from p.b import x\n"
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.a import y\n"
    files = [source(tmp_path, lazy, "p/a.py"), source(tmp_path, typed, "p/b.py"), source(tmp_path, "", "p/c.py")]
    assert list(rules.cycles(files)) == ["import cycle: p.a, p.b"]
