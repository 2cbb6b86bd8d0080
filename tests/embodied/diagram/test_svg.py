"""The picture of the graph that ships."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from embodied.diagram.svg import svg
from embodied.launch import load
from embodied.launch.shipped import SHIPPED
from tests.embodied.conftest import Command

SVG = "{http://www.w3.org/2000/svg}"
CELL = """\
embodied: 1
nodes:
  clock: {use: "tests.embodied.nodes:Clock"}
  ramp: {use: "tests.embodied.nodes:Ramp", in: {joints: motor.state}}
  guard: {use: "tests.embodied.nodes:PassGuard", in: {command: ramp}}
  motor: {use: "tests.embodied.nodes:Motor", in: {command: guard}}
  double: {use: "tests.embodied.nodes:Double", in: {joints: {from: clock, max_age: 20ms}}}
processes: [[guard, motor]]
"""


@pytest.fixture
def picture(tmp_path: Path) -> ET.Element:
    (tmp_path / "cell.yaml").write_text(CELL, encoding="utf-8")
    return ET.fromstring(svg(load(tmp_path / "cell.yaml").graph().check(), "cell <1> & more"))


def test_every_node_and_every_wire_is_there_and_says_what_it_is(picture: ET.Element) -> None:
    text = [element.text for element in picture.iter(f"{SVG}text")]
    assert {"clock", "ramp", "guard", "motor", "double", "cell <1> & more"} <= set(text)
    assert "Motor · 100 Hz" in text
    assert "Double · on trigger" in text
    titles = [element.text or "" for element in picture.iter(f"{SVG}title")]
    assert sum("→" in title for title in titles) == 4
    assert "clock.joint_state → double.joints: JointState\nthe latest; stale after 20 ms; triggers a step" in titles


def test_guards_drivers_triggers_commands_and_what_leads_back_look_different(picture: ET.Element) -> None:
    drawn = [element.get("class", "") for element in picture.iter()]
    assert {"box guard process0", "box driver process0", "box plain"} <= set(drawn)
    assert "wire trigger" in drawn
    assert "wire back" in drawn
    assert "wire command" in drawn
    keys = [element.text for element in picture.iter(f"{SVG}text") if element.get("class") == "key"]
    assert "one process: guard, motor" in keys


def test_in_lockstep_all_is_one_process(tmp_path: Path) -> None:
    (tmp_path / "cell.yaml").write_text(CELL.replace("processes", "clock: lockstep\nprocesses"), encoding="utf-8")
    text = svg(load(tmp_path / "cell.yaml").graph().check(), "cell")
    assert "lockstep, all in one process" in text
    assert 'class="box plain process0"' not in text


def test_a_name_that_ends_in_svg_says_how_to_draw(tmp_path: Path, embodied: Command) -> None:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    file = str(SHIPPED / "pick_place.yaml")
    done = embodied("graph", file, "--sim", "--output", "graph.svg")
    assert (done.code, done.stdout) == (0, "graph.svg: 7 nodes\n")
    drawn = (tmp_path / "graph.svg").read_text("utf-8")
    assert embodied("graph", file, "--sim", "--format", "svg").stdout == drawn
    assert "prefers-color-scheme: dark" in drawn
    assert embodied("graph", file, "--sim").stdout.startswith("flowchart LR\n")
    assert embodied("graph", file, "--sim", "--output", "no/such/folder.svg").code == 3
