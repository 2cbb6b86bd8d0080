"""The JSON Schema of launch files: it takes what is right, and refuses what no layer could put right."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from embodied.cli.verbs.explain import PAGES
from embodied.launch.shipped import SHIPPED
from embodied.launch.yaml_document import parse, plain
from tests.embodied.cli.test_cli import commands

ROOT = Path(__file__).parents[3]
FILE = SHIPPED / "embodied.schema.json"
SCHEMA = json.loads(FILE.read_text("utf-8"))
VALIDATOR = Draft7Validator(SCHEMA)


def wrong(text: str) -> list[str]:
    """List the errors that the schema finds in a launch file."""
    document = parse(text, "cell.yaml")
    assert document is not None
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(plain(document))]


def test_the_schema_that_ships_is_that_of_the_classes_that_ship(tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    # In a process of its own: tests have loaded classes that do not ship.
    done, written = commands(["schema"], ["schema", "--output", "it.json", "--json"], at=tmp_path)
    assert done.stdout == FILE.read_text("utf-8"), "run: embodied schema --output launch/embodied.schema.json"
    assert str(ROOT) not in done.stdout
    told = json.loads(written.stdout)
    assert told["output"] == "it.json"
    assert json.loads((tmp_path / "it.json").read_text("utf-8")) == SCHEMA


def test_it_is_a_schema_of_draft_7() -> None:
    Draft7Validator.check_schema(SCHEMA)


TEXTS = {str(file.relative_to(SHIPPED)): file.read_text("utf-8") for file in sorted(SHIPPED.rglob("*.yaml"))}
PAGES_READ = {page.name: page.read_text("utf-8") for page in (*PAGES.glob("*.md"), *(ROOT / "docs").glob("*.md"))}
OWN = {name.replace("/", ".") for page in PAGES_READ.values() for name in re.findall(r"^# (\w+/\w+)\.py$", page, re.M)}
for page, text in sorted(PAGES_READ.items()):
    # A page with a class of its own, or of the page before it, shows a project that this schema does not know.
    if "```python" in text or any(f"{module}:" in text for module in OWN):
        continue
    shown = text.split("\n## Right\n")[1] if "\n## Right\n" in text else text.split("\n## Wrong\n")[0]
    TEXTS |= {
        f"{page} {number}": block for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", shown, re.DOTALL))
    }


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_that_is_right_is_taken(name: str) -> None:
    assert not wrong(TEXTS[name])


GOOD = (SHIPPED / "pick_place.yaml").read_text("utf-8")
SITE = "embodied: 1\nnodes: {ik: {with: {speed: 0.3}}, left/guard: {rate: '30000/1001', with: null}}\n"


def test_a_site_file_and_a_profile_need_no_class() -> None:
    assert not wrong(SITE)
    assert not wrong(
        'embodied: 1\nnodes: {arm: {use: "${args.class}", with: {any: 1}, latency: "${env:LATENCY:-1ms}"}}\n'
    )


GUARD = '{robot: "${args.robot}"}\n    in: {command'

# (what is replaced, by what, where the error stands)
CASES = {
    "an unknown key of the file": ("nodes:", "nodez:", "nodez"),
    "an unknown key of a node": ("    in: {joints: arm.state", "    out: {joints: arm.state", "ik"),
    "an unknown setting": (GUARD, GUARD.replace('"}', '", lwo: [0.0, 0.0, 0.0]}'), "guard.with"),
    "a setting of another class": ("with: {label: red}", "with: {view: overhead}", "task.with"),
    "a setting of another type": ("with: {label: red}", "with: {label: 7}", "task.with.label"),
    "a list of another length": (GUARD, GUARD.replace('"}', '", low: [0.0, -0.6]}'), "guard.with.low"),
    "a required setting that is missing": (", with: {label: red}", "", "task"),
    "a robot that there is not": ('{robot: "${args.robot}"}\n', "{robot: pando}\n", "ik.with.robot"),
    "a tunable setting out of bounds": (
        '{robot: "${args.robot}"}\n',
        "{robot: panda, damping: 5}\n",
        "ik.with.damping",
    ),
    "an unknown class of a package": (
        "policies.tasks.pick_place:PickPlace",
        "policies.tasks.pick_place:PickPlac",
        "policy.use",
    ),
    "an unknown input": ("{joints: arm.state, goal", "{jionts: arm.state, goal", "ik.in"),
    "a wire that is none": ("{joints: arm.state, goal", "{joints: 'arm state', goal", "ik.in.joints"),
    "a duration without a unit": ("latency: 15ms", "latency: 15", "latency"),
    "a rate that is none": ("rate: 10}", "rate: fast}", "rate"),
    "an unknown clock": ("clock: lockstep", "clock: lockstp", "clock"),
    "another version": ("embodied: 1\n", "embodied: 2\n", "embodied"),
    "a setting of another world": ('Tabletop", with: {robot', 'Tabletop", with: {rabot', "world"),
    "a fault of two kinds": ("processes: []", "faults: [{drop: arm, kill: arm}]", "faults[0]"),
    "a share beyond one": ("processes: []", "faults: [{drop: arm, share: 2}]", "faults[0].share"),
    "a process that is no list": ("processes: []", "processes: [arm]", "processes[0]"),
    "an include without a file": (
        'tables/${args.robot}.yaml"]',
        'tables/panda.yaml", {namespace: left, path: x}]',
        "include[2]",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_refused_where_it_stands(case: str) -> None:
    before, after, where = CASES[case]
    assert before in GOOD
    found = wrong(GOOD.replace(before, after, 1))
    assert any(where in error.partition(": ")[0] or where in error for error in found), found


def test_an_editor_is_told_types_units_bounds_and_what_a_class_is() -> None:
    definitions: dict[str, Any] = SCHEMA["definitions"]
    damping = definitions["policies.motion.kinematics:InverseKinematics"]["properties"]["with"]["properties"]["damping"]
    assert (damping["minimum"], damping["maximum"], damping["default"]) == (1e-4, 0.5, 0.01)
    assert damping["description"] == "[m/rad] (a number) tunable"
    guard = definitions["embodied.guards.arm:ArmGuard"]
    assert guard["description"].startswith("Arm guard: keep an arm within its limits")
    assert guard["properties"]["in"]["properties"]["stop"]["description"].startswith("list[Stop]: every one")
