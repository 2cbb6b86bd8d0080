"""A few inputs of each kind; `make fuzz` reads 100 000 of each, guided by coverage where atheris is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import harness
from tests.fuzz.harness import Found, Kind, mutants
from tests.fuzz.kinds import kind

FILES = {
    "launch": 30,
    "site": 30,
    "baseline": 150,
    "record": 30,
    "dbc": 60,
    "urdf": 60,
    "mesh": 300,
    "card": 60,
    "film": 30,
    "jpeg": 200,
    "can": 100,
    "slcan": 300,
    "message": 500,
}
"""Number of inputs of each kind that is only read, which fit into a fifth of a second."""

WIRES = {
    "bus": 20,
    "autopilot": 60,
    "px4": 40,
    "box": 60,
    "replies": 60,
    "servos": 40,
    "answers": 60,
    "stream": 20,
    "headers": 60,
    "viewer": 60,
    "port": 30,
    "peer": 60,
    "ring": 60,
    "run": 60,
}
"""The same of those with servers and drivers of their own; `requests` are tested in `test_hostile`."""

_WIRES = """
import sys
from pathlib import Path
from tests.fuzz import harness
from tests.fuzz.kinds import kind
for name, count in zip(sys.argv[2::2], sys.argv[3::2]):
    tally = harness.run(kind(name), int(count), 1, Path(sys.argv[1]))
    print(name, tally.right, tally.refused, flush=True)
"""


@pytest.mark.parametrize("name", FILES)
def test_what_is_brought_is_right_or_one_clear_error(name: str, tmp_path: Path) -> None:
    tally = harness.run(kind(name), FILES[name], 1, tmp_path)
    assert tally.right
    assert tally.right + tally.refused == FILES[name]


@pytest.fixture(scope="module")
def wires(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, tuple[int, int]], str]:
    """Fuzz the wires; return how many inputs of each were right and refused, and what was said.

    They keep servers, drivers and threads until their process ends, which is one of its own: what those print would be
    taken for the output of later tests.
    """
    words = [word for name, count in WIRES.items() for word in (name, str(count))]
    ended = subprocess.run(
        [sys.executable, "-c", _WIRES, str(tmp_path_factory.mktemp("wires")), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (line.split() for line in ended.stdout.splitlines())
    return {line[0]: (int(line[1]), int(line[2])) for line in lines if line and line[0] in WIRES}, ended.stderr


@pytest.mark.parametrize("name", WIRES)
def test_what_comes_over_a_wire_is_right_or_one_clear_error(
    name: str, wires: tuple[dict[str, tuple[int, int]], str]
) -> None:
    tallies, said = wires
    assert name in tallies, said
    right, refused = tallies[name]
    assert right
    assert right + refused == WIRES[name]


def test_a_model_cannot_end_its_reader() -> None:
    # In a process of its own, as ONNX Runtime is native code.
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "onnx", "--count", "60", "--seed", "1", "--plain"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "onnx: " in ended.stdout
    assert "none else" in ended.stdout


def broken(read: harness.Read) -> Kind:
    return Kind(name="broken", examples=lambda: [b"right", b"fine"], words=(b"!",), read=read, modules=())


def raises(data: bytes, _: Path) -> str:
    if b"!" in data:
        raise KeyError("Enable")
    return ""


@pytest.mark.parametrize(
    ("read", "problem"),
    [
        (raises, "KeyError: 'Enable'"),
        (lambda data, _: "x" * 5000 if b"!" in data else "", "an error of 5000 letters"),
        (lambda data, _: "Traceback (most recent call last)" if b"!" in data else "", "Traceback"),
        (lambda data, _: "no example is right", "an example of broken is refused"),
    ],
)
def test_what_is_neither_is_found_and_kept(read: harness.Read, problem: str, tmp_path: Path) -> None:
    with pytest.raises(Found, match=problem):
        harness.run(broken(read), 400, 0, tmp_path)
    if "example" not in problem:
        assert b"!" in (tmp_path / "broken.input").read_bytes()


def test_what_does_not_end_is_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "SECONDS_MOST", 0.05)

    def endless(data: bytes, folder: Path) -> str:
        os.mkfifo(folder / "pipe")
        (folder / "pipe").read_bytes()
        return ""

    with pytest.raises(Found, match="TimeoutError: it is still being read"):
        harness.run(broken(endless), 3, 0, tmp_path)


def test_the_same_seed_makes_the_same_inputs() -> None:
    examples = [b"one example", b"another"]
    inputs = list(mutants(examples, [b"word"], 200, 5))
    assert inputs == list(mutants(examples, [b"word"], 200, 5))
    assert inputs != list(mutants(examples, [b"word"], 200, 6))
    assert len(set(inputs)) > 150
