"""The command line in this process, which is faster than one of its own where nothing is killed or piped."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from embodied.cli.main import main


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def embodied(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs a command in `tmp_path`."""

    def run(*words: str) -> Done:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["embodied", *words])
        monkeypatch.setenv("COLUMNS", "200")
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        said = capfd.readouterr()
        assert "Traceback" not in said.out + said.err
        return Done(int(code or 0), said.out, said.err)

    return run
