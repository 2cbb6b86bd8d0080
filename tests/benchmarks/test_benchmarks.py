"""Each benchmark runs to its end at its smallest size, so that none can rot; nothing here is timed."""

from __future__ import annotations

import importlib.util

import pytest

from tests.benchmarks.__main__ import BENCHMARKS

SIMULATED = {"lockstep", "live", "rendering", "perception", "determinism", "success"}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_prints_a_table_with_figures(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name in SIMULATED and importlib.util.find_spec("pybullet") is None:
        pytest.skip("pybullet has no wheels for this Python")
    BENCHMARKS[name](True)
    printed = capsys.readouterr().out
    head, _, rows = printed.partition("---")
    assert head.strip()
    assert any(character.isdigit() for character in rows)
