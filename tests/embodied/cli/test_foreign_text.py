"""Text of others on the terminal: shown as text, whatever is in it; what cannot be written ends in one line.

Bytes are UTF-8 inside, and replaced where they cannot be shown.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.progress import Progress
from rich.table import Table

from embodied.cli.common.output import StatusLine, err, os_error_text, out
from embodied.errors import NodeFailed, error_text
from embodied.suite.annotations import annotation
from embodied.untrusted.text import written_out
from tests.embodied.cli.live_rig import CODE, ROOT
from tests.embodied.conftest import Command

HOSTILE = "\x1b[2J\x1b]0;title\x07\x9b31m\u202egnp.exe\r"

SHOWN = r"\x1b[2J\x1b]0;title\x07\x9b31m\u202egnp.exe"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ° and 猫\tand\n a line", "plain, ° and 猫\tand\n a line"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\rb\x00\x08\x7f", r"a\rb\x00\x08\x7f"),
        ("\x9b2J\x85", r"\x9b2J\x85"),
        ("\u202eabc\u2066", r"\u202eabc\u2066"),
        (os.fsdecode(b"cell-\xff"), r"cell-\udcff"),
    ],
)
def test_control_characters_become_visible_and_nothing_else_changes(text: str, shown: str) -> None:
    assert written_out(text) == shown


@pytest.mark.parametrize("markup", [True, False])
def test_no_escape_sequence_of_a_text_reaches_the_terminal(markup: bool, capfd: pytest.CaptureFixture[str]) -> None:
    out.print(HOSTILE, markup=markup)
    rows = Table("name")
    rows.add_row(HOSTILE)
    out.print(rows)
    err.print(HOSTILE, markup=markup)
    with Progress(console=err) as progress:
        progress.console.print(HOSTILE, markup=markup)
        progress.add_task(HOSTILE)
    with StatusLine(HOSTILE):
        pass
    said = capfd.readouterr()
    assert SHOWN in said.out
    assert SHOWN in said.err
    assert not {"\x1b", "\x9b", "\x07", "\r", "\u202e"} & {*said.out, *said.err}


def test_colons_and_brackets_of_a_text_are_no_pictures_and_no_colours(capfd: pytest.CaptureFixture[str]) -> None:
    out.print("range 0:-1:0.1 of [red] :x:", markup=False)
    assert capfd.readouterr().out == "range 0:-1:0.1 of [red] :x:\n"


def test_an_annotation_holds_no_escape_sequence() -> None:
    assert annotation(HOSTILE, title=HOSTILE) == annotation(SHOWN + "\r", title=SHOWN.replace("\x9b", r"\x9b") + "\r")


def test_names_of_a_launch_file_are_shown_as_text(tmp_path: Path, embodied: Command) -> None:
    text = 'embodied: 1\nnodes:\n  "a\\e[2Jb": {use: "tests.embodied.nodes:Clok\\e[31m"}\n'
    (tmp_path / "cell.yaml").write_text(text, encoding="utf-8")
    for words in (["check", "cell.yaml"], ["run", "cell.yaml"], ["graph", "cell.yaml"]):
        done = embodied(*words)
        assert "\x1b" not in done.stdout + done.stderr
    assert "\x1b" not in embodied("check", "cell.yaml", "--format", "github").stdout
    assert "\x1b" not in embodied("check", "cell\x1b[2J.yaml").stderr
    assert "\x1b" not in embodied("check", "--\x1b[2J").stderr


@pytest.mark.parametrize(
    "words", [("ps", "--json"), ("explain", "E000", "--json"), ("explain",), ("--help",), ("--version",)]
)
def test_output_that_cannot_be_written_is_one_line_and_exit_code_3(words: tuple[str, ...], tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-c", CODE, *words],
            env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(tmp_path)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == (2 if "E000" in words else 3), done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_reader_that_closes_the_pipe_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", CODE, "--help"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError(28, "No space left on device", "runs/x"), "No space left on device: runs/x"),
        (OSError(2, "No such file or directory", Path("a"), None, b"b"), "No such file or directory: a -> b"),
        (OSError("a sentence"), "OSError: a sentence"),
        (PermissionError(13, "Permission denied", 5), "Permission denied"),
    ],
)
def test_an_error_of_the_system_is_told_without_what_it_lacks(error: OSError, text: str) -> None:
    assert os_error_text(error) == text


@pytest.mark.parametrize(
    "words",
    [
        ("topic", "pub", "x", "{}", "--rate", "1e9"),
        ("topic", "pub", "x", "{}", "--rate", "inf"),
        ("topic", "pub", "x", "{}", "--rate", "nan"),
        ("topic", "echo", "x", "--rate", "nan"),
        ("param", "set", "x.y", "nan"),
        ("param", "set", "x.y", "inf"),
        ("test", "x.yaml", "--at-least", "nan"),
        ("calibrate", "board", "--square", "nan"),
    ],
)
def test_a_number_that_is_none_or_beyond_its_range_is_wrong_usage(words: tuple[str, ...], embodied: Command) -> None:
    done = embodied(*words)
    assert done.code == 2
    assert "than or equal to" in done.stderr or f"expected a finite number, got {words[-1]}" in done.stderr


def test_the_message_of_a_foreign_error_is_cut_and_without_escape_sequences() -> None:
    assert error_text(ValueError(HOSTILE)) == f"ValueError: {SHOWN}\\r"
    text = error_text(ValueError("x" * 1_000_000))
    assert len(text) < 5000
    assert "…" in text
    assert "\x1b" not in str(NodeFailed("a\x1bb", "step", ValueError(HOSTILE), location="\x1b"))
