"""What a shell is told when a key is pressed for more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from embodied.links.keys import Keys, default_folder
from tests.embodied.conftest import Command

CELL = """\
embodied: 1
args: {colour: red}
nodes:
  task: {use: "policies.tasks.target:NamedTarget", with: {label: "${args.colour}"}}
  spare: {rate: 10}
profiles:
  bench: {clock: lockstep}
  night: {base: bench, nodes: {spare: {use: "tests.embodied.nodes:Hold", with: {goal: [0]}}}}
"""

Complete = Callable[[str], list[str]]


@pytest.fixture
def complete(embodied: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Complete:
    """What bash gets for a line; the word to be completed is the last, empty behind a space."""
    (tmp_path / "launch").mkdir()
    (tmp_path / "launch" / "cell.yaml").write_text(CELL, encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    Keys(default_folder()).allow("arm_pc", bytes([9] * 32))
    (tmp_path / "launch" / "other.yaml").write_text("a: 1\n", encoding="utf-8")

    def offered(line: str) -> list[str]:
        monkeypatch.setenv("_EMBODIED_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        done = embodied()
        assert (done.code, done.stderr) == (0, "")
        return done.stdout.split()

    return offered


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("embodied check ", ["launch/cell.yaml"]),
        ("embodied run launch/cell.yaml --profile ", ["bench", "night"]),
        ("embodied run launch/cell.yaml -p n", ["night"]),
        ("embodied run launch/cell.yaml --set ", ["colour=", "task.", "spare."]),
        ("embodied run launch/cell.yaml --set task.la", ["task.label=", "task.latency="]),
        ("embodied run launch/cell.yaml -p night --set spare.k", ["spare.kp=", "spare.kd="]),
        ("embodied run launch/cell.yaml --swap ", ["task=", "spare="]),
        ("embodied run launch/cell.yaml --swap task=policies.tasks.tar", ["task=policies.tasks.target:NamedTarget"]),
        (
            "embodied nodes policies.motion.kin",
            ["policies.motion.kinematics:InverseKinematics", "policies.motion.kinematics"],
        ),
        ("embodied messages JointS", ["JointState"]),
        ("embodied explain E80", ["E801", "E802", "E803"]),
        ("embodied explain e30", ["e301", "e302", "e303", "e304", "e305", "e306"]),
        ("embodied keys revoke a", ["arm_pc"]),
        ("embodied run nowhere.yaml --profile ", []),
        ("embodied run launch/other.yaml --set ", []),
    ],
)
def test_a_shell_is_offered_what_may_stand_there(line: str, offers: list[str], complete: Complete) -> None:
    assert complete(line) == offers
