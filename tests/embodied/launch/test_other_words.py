"""Words of ROS 2 and dora, and characters that cannot be seen: the hint names our word, or the character."""

from __future__ import annotations

from pathlib import Path

import pytest

from embodied.errors import LaunchError, nearest
from embodied.launch import load

NODE = 'use: "tests.embodied.nodes:Clock"'


def refused(tmp_path: Path, text: str) -> str:
    file = tmp_path / "cell.yaml"
    file.write_bytes(f"embodied: 1\n{text}\n".encode())
    with pytest.raises(LaunchError) as caught:
        load(file).graph().check()
    return str(caught.value)


@pytest.mark.parametrize(
    ("node", "ours"),
    [
        ("inputs: {image: camera}", "write 'in': wires by input"),
        ("remappings: {image: camera}", "write 'in'"),
        ("parameters: {gain: 1}", "write 'with': settings"),
        ("ros__parameters: {gain: 1}", "write 'with'"),
        ("Params: {gain: 1}", "write 'with'"),
        ("executable: camera", "write 'use': class of the node"),
        ("plugin: camera", "write 'use'"),
        ("hz: 30", "write 'rate': rate of its steps [Hz]"),
        ("update-rate: 30", "write 'rate'"),
        ("machine: base", "write 'on'"),
        ("respawn: true", "write 'restart'"),
        ("outputs: [image]", "the class of a node declares its outputs"),
        ("name: camera", "a node is named by its key"),
        ("namespace: left", "a namespace is given where a file is included"),
        ("env: {A: 1}", "${env:NAME}"),
        ("wiht: {gain: 1}", "did you mean 'with'?"),
    ],
)
def test_a_key_of_another_tool_names_ours(node: str, ours: str, tmp_path: Path) -> None:
    assert ours in refused(tmp_path, f"nodes: {{camera: {{{NODE}, {node}}}}}")


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("node: {}", "write 'nodes'"),
        ("includes: []", "write 'include'"),
        ("arguments: {}", "write 'args'"),
        ("hosts: {}", "write 'machines'"),
        ("nodes: [{id: camera}]", "write each by its name: 'nodes: {name: …}'"),
        ("nodes: {a: {in: [{image: camera}]}}", "write each by its name: 'in: {name: …}'"),
        ("nodes: {a: {in: {image: {topic: camera}}}}", "write 'from'"),
        ("nodes: {a: {in: {image: {from: b, queue_size: 1}}}}", "write 'bound'"),
    ],
)
def test_a_section_of_another_tool_names_ours(text: str, ours: str, tmp_path: Path) -> None:
    assert ours in refused(tmp_path, text)


@pytest.mark.parametrize(
    ("source", "ours"),
    [
        ("clock/joint_state", "a dot separates the output from its node: 'clock.joint_state'"),
        ("/clock/joint_state", "a dot separates the output from its node: 'clock.joint_state'"),
        ("clock/joint_stat", "did you mean 'clock.joint_state'?"),
        ("dora/timer/millis/33", "write 'rate: 30' [Hz] at the node"),
        ("clok.joints", "did you mean 'clock'?"),
    ],
)
def test_a_topic_of_another_tool_names_the_output(source: str, ours: str, tmp_path: Path) -> None:
    hold = 'hold: {use: "tests.embodied.nodes:Hold", with: {goal: [0, 0]}, in: {joints: "' + source + '"}}'
    assert ours in refused(tmp_path, f"nodes:\n  clock: {{{NODE}}}\n  {hold}")


@pytest.mark.parametrize(("rate", "meant"), [("1/30", "write 30"), ("1/2", "write 2"), ("'1001/30000'", "write 29.97")])
def test_a_period_is_not_taken_for_a_rate(rate: str, meant: str, tmp_path: Path) -> None:
    said = refused(tmp_path, f"nodes: {{clock: {{{NODE}, rate: {rate}}}}}")
    assert "rate: expected a rate in Hz" in said
    assert meant in said


def test_a_rate_that_is_a_fraction_above_one_or_a_slow_number_stays_one(tmp_path: Path) -> None:
    for rate in ("'30000/1001'", "0.5", "1/1", "3/2"):
        file = tmp_path / "cell.yaml"
        file.write_text(f"embodied: 1\nnodes: {{clock: {{{NODE}, rate: {rate}}}}}\n")
        load(file).graph().check()


@pytest.mark.parametrize("sign", ["\u200b", "\ufeff", "\u00a0", "\u2060", "\u00ad", "\u202e"])
def test_a_character_that_cannot_be_seen_is_named(sign: str, tmp_path: Path) -> None:
    name = f"U+{ord(sign):04X}"
    for text in (
        f"nodes{sign}: {{}}",
        f"nodes: {{clock: {{{NODE}, rate{sign}: 3}}}}",
        f"nodes: {{clo{sign}ck: {{{NODE}}}}}",
        f'nodes: {{clock: {{use: "tests.embodied.nodes:Clo{sign}ck"}}}}',
        f"nodes:\n  clock: {{{NODE}}}\n  hold: {{use: 'tests.embodied.nodes:Hold', "
        f"with: {{goal: [0, 0]}}, in: {{joints{sign}: clock}}}}",
    ):
        said = refused(tmp_path, text)
        assert name in said, said
        # The message itself shows where it is.
        assert sign not in said


def test_a_letter_that_only_looks_like_another_is_named() -> None:
    (help_,) = nearest("nоdes", ["nodes", "world"])
    assert help_ == "did you mean 'nodes'? 'о' in it is U+043E, CYRILLIC SMALL LETTER O"
    assert nearest("größe", ["grösse"]) == ("did you mean 'grösse'? 'ß' in it is U+00DF, LATIN SMALL LETTER SHARP S",)


def test_a_byte_order_mark_before_a_file_is_none_of_its_text(tmp_path: Path) -> None:
    file = tmp_path / "cell.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + f"embodied: 1\nnodes: {{clock: {{{NODE}}}}}\n".encode())
    load(file).graph().check()


def test_the_process_groups_of_two_includes_stand_beside_each_other(tmp_path: Path) -> None:
    (tmp_path / "arm.yaml").write_text(
        f"embodied: 1\nnodes: {{clock: {{{NODE}}}, other: {{{NODE}}}}}\nprocesses: [[clock, other]]\n"
        "profiles: {apart: {processes: [[clock], [other]]}}\n"
    )
    (tmp_path / "all.yaml").write_text("embodied: 1\ninclude: [arm.yaml]\n")
    file = tmp_path / "cell.yaml"
    file.write_text(
        "embodied: 1\n"
        "include: [{file: arm.yaml, namespace: left}, {file: arm.yaml, namespace: right}, all.yaml, arm.yaml]\n"
    )
    pairs = (("left/clock", "left/other"), ("right/clock", "right/other"), ("clock", "other"))
    assert load(file).graph().processes == pairs
    assert load(file).graph("apart").processes == tuple((name,) for pair in pairs for name in pair)
    file.write_text(file.read_text() + "processes: [[left/clock, right/clock]]\n")
    assert load(file).graph().processes == (("left/clock", "right/clock"),)
