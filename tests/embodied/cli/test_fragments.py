"""What a fragment lacks is checked in the file that includes it; what a profile does not use of a site is reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.embodied.conftest import Command

pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")

PART = """\
embodied: 1
include: [robots/panda.yaml]
nodes:
  hold: {use: "tests.embodied.nodes:Hold", with: {goal: [0, 0, 0, 0, 0, 0, 0]}, in: {joints: arm.state}, rate: 100}
  guard:
    use: "embodied.guards:ArmGuard"
    with: {robot: panda}
    in: {command: hold, joints: arm.state}
"""

WHOLE = """\
embodied: 1
include: [{file: part.yaml, namespace: left}]
profiles: {sim: {clock: lockstep, world: {use: "sims.tabletop:Tabletop", with: {robot: panda}}}}
"""


def write(folder: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return [f"{name}.yaml" for name in files]


def test_a_fragment_that_lacks_its_world_is_right_where_a_checked_file_includes_it(
    tmp_path: Path, embodied: Command
) -> None:
    files = write(tmp_path, part=PART, whole=WHOLE)
    alone = embodied("check", "part.yaml")
    assert (alone.code, "error[E702]" in alone.stderr) == (2, True)
    done = embodied("check", *files)
    assert done.code == 0, done.stderr
    assert "sim: ok, a part of whole.yaml, with which it is checked" in done.stdout
    data = json.loads(embodied("check", *files, "--json").stdout)
    assert [entry["ok"] for entry in data["files"]] == [True, True]
    # Also through a fragment between them, and whatever the order.
    write(tmp_path, middle="embodied: 1\ninclude: [part.yaml]\n", whole=WHOLE.replace("part", "middle"))
    assert embodied("check", "whole.yaml", "middle.yaml", "part.yaml").code == 0


def test_whatever_else_is_wrong_with_a_fragment_is_reported(tmp_path: Path, embodied: Command) -> None:
    files = write(tmp_path, part=PART.replace("robot: panda}", "robt: panda}"), whole=WHOLE)
    done = embodied("check", *files)
    assert (done.code, "did you mean 'robot'?" in done.stderr) == (2, True)
    # A wire that leads nowhere is found in the whole.
    files = write(tmp_path, part=PART.replace("command: hold", "command: hould"), whole=WHOLE)
    done = embodied("check", *files)
    assert (done.code, "there is no node 'left/hould'" in done.stderr) == (2, True)


def test_settings_of_a_site_that_a_profile_does_not_use_are_reported_by_every_verb(
    tmp_path: Path, embodied: Command
) -> None:
    other = 'profiles: {sim: {clock: lockstep, nodes: {arm: {use: "tests.embodied.nodes:Unseeded"}}}}'
    write(
        tmp_path,
        site="embodied: 1\nnodes:\n  arm: {with: {host: 10.0.0.7}}\n",
        cell=f'embodied: 1\nnodes: {{arm: {{use: "tests.embodied.nodes:Clock"}}}}\n{other}\n',
    )
    hint = (
        "hint: site.yaml:3:9: these settings of 'arm' are not used: they are for another class than profile 'sim' gives"
    )
    for words in (
        ("check", "cell.yaml", "--sim"),
        ("run", "cell.yaml", "--sim", "--for", "50ms"),
        ("test", "cell.yaml", "--for", "50ms", "--seeds", "0", "--video", "none"),
    ):
        assert hint in embodied(*words, "--site", "site.yaml").stderr
    # What is used is not mentioned.
    write(tmp_path, site="embodied: 1\nnodes:\n  arm: {rate: 20}\n")
    assert "hint" not in embodied("check", "cell.yaml", "--sim", "--site", "site.yaml").stderr


def test_one_wrong_joint_of_a_robot_is_one_error_at_its_place(tmp_path: Path, embodied: Command) -> None:
    for limits, place, says in (
        ("home: 3.1", "3:41", "home of panda_joint1 must be in [-2.8973, 2.8973], got 3.1"),
        ("velocity: fast", "3:45", "expected a number, got 'fast'"),
    ):
        write(tmp_path, site=f"embodied: 1\nrobots:\n  panda: {{joints: {{panda_joint1: {{{limits}}}}}}}\n")
        done = embodied("check", "pick_place", "--sim", "--site", "site.yaml")
        assert done.code == 2
        assert done.stderr.count("error[") == 1
        assert says in done.stderr
        assert f"site.yaml:{place}" in done.stderr
