"""`embodied check` over several files, over fragments, and as GitHub takes its problems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from embodied.cli.common.check_text import actuator_line
from embodied.clock import show
from embodied.launch import load
from embodied.launch.shipped import SHIPPED
from embodied.suite.annotations import annotation
from tests.embodied.conftest import Command

GOOD = 'embodied: 1\nnodes: {task: {use: "policies.tasks.target:NamedTarget", with: {label: red}}}\n'


def test_every_file_is_checked_though_one_of_them_is_wrong(tmp_path: Path, embodied: Command) -> None:
    (tmp_path / "one.yaml").write_text(GOOD.replace("label", "lable"), encoding="utf-8")
    (tmp_path / "two.yaml").write_text("nodes: 3\n", encoding="utf-8")
    (tmp_path / "three.yaml").write_text(GOOD, encoding="utf-8")
    done = embodied("check", "one.yaml", "two.yaml", "three.yaml", "--json")
    assert done.code == 2
    told = json.loads(done.stdout)
    assert [(entry["file"], entry["ok"]) for entry in told["files"]] == [
        ("one.yaml", False),
        ("two.yaml", False),
        ("three.yaml", True),
    ]
    assert [[p["code"] for p in entry["problems"]] for entry in told["files"]] == [
        ["E103", "E204"],
        ["E104"],
        [],
    ]


def test_a_fragment_says_what_it_is_and_what_in_it_is_wrong(tmp_path: Path, embodied: Command) -> None:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    shipped = SHIPPED / "robots"
    (tmp_path / "panda.urdf").write_bytes((shipped / "panda.urdf").read_bytes())
    text = (shipped / "panda.yaml").read_text("utf-8")
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    done = embodied("check", "mine.yaml")
    assert done.code == 0, done.stderr
    assert "a fragment: robot panda (7 joints), node arm" in done.stdout
    for right, wrong, code in (
        ("with: {robot: panda}", "with: {robots: panda}", "E103"),
        ("opening: 0.08", "opening: wide", "E205"),
        ("panda_joint7: {lower", "panda_joint8: {lower", "E207"),
        ("sims.arm:SimArm", "sims.arm:SimArmy", "E202"),
    ):
        file.write_text(text.replace(right, wrong, 1), encoding="utf-8")
        done = embodied("check", "mine.yaml")
        assert done.code == 2
        assert f"error[{code}]" in done.stderr, wrong


def test_a_fragment_may_give_nothing_but_settings_to_nodes_of_who_includes_it(
    tmp_path: Path, embodied: Command
) -> None:
    file = tmp_path / "table.yaml"
    file.write_text("embodied: 1\nnodes: {task: {with: {label: red}}, ik: {with: {speed: 0.1}}}\n", encoding="utf-8")
    done = embodied("check", "table.yaml")
    assert done.code == 0, done.stderr
    assert "table.yaml: ok, a fragment: node ik, node task" in done.stdout
    # A wire, or a world, is more than settings: then a class is missing.
    for more in ("nodes: {task: {with: {label: red}, in: {}}}", "nodes: {task: {with: {label: red}}}\nclock: lockstep"):
        file.write_text(f"embodied: 1\n{more}\n", encoding="utf-8")
        done = embodied("check", "table.yaml")
        assert done.code == 2
        assert "error[E206]: 'task'" in done.stderr


def test_github_is_told_file_line_and_column_of_each_problem(tmp_path: Path, embodied: Command) -> None:
    (tmp_path / "launch").mkdir()
    file = tmp_path / "launch" / "cell.yaml"
    file.write_text(GOOD.replace("label: red", "lable: red, label: red"), encoding="utf-8")
    done = embodied("check", str(file), "--format", "github")
    assert done.code == 2
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert line == (
        "::error file=launch/cell.yaml,line=2,col=65,title=E103::"
        "NamedTarget has no setting 'lable'%0Ahelp: did you mean 'label'?"
    )
    done = embodied("check", "launch/cell.yaml", "--set", "x=1", "--format", "github")
    assert "::error file=launch/cell.yaml,title=E107::there is no argument 'x'" in done.stdout


def test_signs_that_would_end_a_command_or_a_property_are_escaped() -> None:
    assert annotation("50 %\r\nof: it, ::", title="a,b:c%\n") == "::error title=a%2Cb%3Ac%25%0A::50 %25%0D%0Aof: it, ::"


def test_the_last_line_of_an_error_leads_to_its_page(tmp_path: Path, embodied: Command) -> None:
    (tmp_path / "cell.yaml").write_text("embodied: 1\nnodes: {task: {use: 'policies.tasks.target:NamedTarget'}}\n")
    for verb in ("check", "graph", "run"):
        assert embodied(verb, "cell.yaml").stderr.endswith("more: embodied explain E204\n")


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    """What `check --json` says of the launch file with most actuators."""
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    launch = load(SHIPPED / "factory.yaml")
    return {profile or "(hardware)": launch.check(profile).plan for profile in (None, *launch.profiles)}


def test_a_profile_and_each_of_its_actuators_has_one_line_of_80_columns(
    shipped: dict[str, Any], embodied: Command
) -> None:
    lines = embodied("check", str(SHIPPED / "factory.yaml")).stdout.splitlines()
    expected = []
    for profile, plan in shipped.items():
        expected += [f"{profile}: ok, {len(plan.nodes)} nodes"]
        expected += [f"  {actuator} holds within" for actuator in ("arm", "car", "drone")]
    assert len(lines) == len(expected) + 1
    assert all(line.startswith(begin) for line, begin in zip(lines, expected, strict=False))
    assert lines[-1] == "every reaction of an actuator: --reactions"
    assert max(map(len, lines)) <= 80


def test_the_line_of_an_actuator_has_its_slowest_reaction_and_names_or_counts_what_it_goes_on_without(
    shipped: dict[str, Any],
) -> None:
    for plan in shipped.values():
        for actuator in ("arm", "car", "drone"):
            own = [{"node": r.node, "within_ns": r.within} for r in plan.reactions if r.actuator == actuator]
            slowest = max((r for r in own if r["within_ns"] is not None), key=lambda r: r["within_ns"])
            without = [r["node"] for r in own if r["within_ns"] is None]
            whole = actuator_line(actuator, own, width=1000)
            first, _, rest = whole.partition("; goes on without ")
            assert first == f"{actuator} holds within {show(slowest['within_ns'])} without {slowest['node']}"
            assert rest.split(", ") == without
            for width in range(len(first) + 30, len(whole)):
                line = actuator_line(actuator, own, width)
                names, _, more = line.partition("; goes on without ")[2].partition(" +")
                assert len(line) <= width
                assert line.endswith(f"{len(without)} nodes") or len(names.split(", ")) + int(more) == len(without)


def test_every_reaction_is_in_the_table_and_in_the_json(shipped: dict[str, Any], embodied: Command) -> None:
    texts = {profile: [str(reaction) for reaction in plan.reactions] for profile, plan in shipped.items()}
    lines = embodied("check", str(SHIPPED / "factory.yaml"), "--reactions").stdout.splitlines()
    assert lines == [
        line
        for profile, plan in shipped.items()
        for line in (f"{profile}: ok, {len(plan.nodes)} nodes", *(f"  {text}" for text in texts[profile]))
    ]
    report = json.loads(embodied("check", str(SHIPPED / "factory.yaml"), "--json").stdout)
    assert {p["profile"]: [r["text"] for r in p["reactions"]] for p in report["profiles"]} == texts


def test_without_a_driver_everything_else_is_checked_and_a_word_names_what_is_missing(
    tmp_path: Path, embodied: Command
) -> None:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    text = (SHIPPED / "pick_place.yaml").read_text("utf-8")
    file = tmp_path / "cell.yaml"
    file.write_text(text, encoding="utf-8")
    done = embodied("check", "cell.yaml")
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("(hardware): ok, but no driver for arm\n")
    file.write_text(text.replace("guards:ArmGuard", "guards:ArmGard", 1), encoding="utf-8")
    done = embodied("check", "cell.yaml")
    assert done.code == 2
    assert done.stdout.startswith("(hardware): 1 problem; no driver for arm\n")
    assert "did you mean 'ArmGuard'" in done.stderr
