"""Errors that concern a whole file, its includes, its profiles, its modules or the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from embodied.errors import LaunchError
from embodied.launch import load
from tests.embodied.launch.test_bad_input import GOOD, NODES, problems


def test_a_loop_of_trigger_edges_is_spelled_out(tmp_path: Path) -> None:
    text = f"""\
embodied: 1
nodes:
  one: {{use: "{NODES}:Double", in: {{joints: three}}}}
  two: {{use: "{NODES}:Double", in: {{joints: one}}}}
  three: {{use: "{NODES}:Double", in: {{joints: two}}}}
"""
    (found,) = problems(tmp_path, text)
    assert found.code == "E501"
    assert "one -> two -> three -> one" in found.message
    file = tmp_path / "cell.yaml"
    file.write_text(text.replace("joints: two}", "joints: two}, latency: 1ms"), encoding="utf-8")
    load(file).graph().check()


def test_both_places_of_a_type_mismatch_are_shown(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, GOOD.replace("{joints: clock}", "{joints: ramp}"))
    assert [place.line for place, _ in found.also] == [11]
    assert "11 |" in str(found)


def test_all_problems_of_a_file_are_reported_in_one_pass(tmp_path: Path) -> None:
    text = GOOD.replace(":Clock", ":Clok").replace("kd", "kd").replace("goal:", "gaol:").replace("Motor", "Moter")
    assert {problem.code for problem in problems(tmp_path, text)} == {"E202", "E103", "E204"}


def test_an_alias_bomb_is_refused_before_it_is_expanded(tmp_path: Path) -> None:
    bomb = "embodied: 1\na: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(20)
    )
    (found,) = problems(tmp_path, bomb)
    assert found.code == "E106"


def test_deep_nesting_and_huge_files_are_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, "embodied: 1\nnodes: " + "[" * 5000 + "]" * 5000)[0].code in ("E101", "E106")
    assert "is larger than" in problems(tmp_path, "embodied: 1\n#" + "x" * 1_100_000)[0].message


def test_a_file_that_is_missing_binary_empty_or_a_folder_is_one_line(tmp_path: Path) -> None:
    for name, data in (("missing.yaml", None), ("binary.yaml", bytes(range(256))), ("empty.yaml", b"")):
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(LaunchError, match=name):
            load(tmp_path / name)
    with pytest.raises(LaunchError, match="cannot read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("overrides", "code", "says"),
    [
        ({"sets": ("hold.kpp=3",)}, "E103", "did you mean 'kp'?"),
        ({"sets": ("hld.kp=3",)}, "E302", "did you mean 'hold'?"),
        ({"sets": ("robot=panda",)}, "E107", "a node's setting is set as node.setting=value"),
        ({"sets": ("hold.kp",)}, "E107", "write --set name=value"),
        ({"sets": ("hold.kp=fast",)}, "E205", "expected a number, got 'fast'"),
        ({"sets": ("clock.rate=-1",)}, "E401", "got -1"),
        ({"sets": ("clock.drop=2",)}, "E801", "a probability from 0 to 1, got 2"),
        ({"sets": ("clok.drop=1",)}, "E302", "did you mean 'clock'?"),
        ({"swaps": ("hld=a:B",)}, "E302", "did you mean 'hold'?"),
        ({"swaps": ("hold",)}, "E107", "write --swap node=module:Class"),
        ({"swaps": ("hold=os:system",)}, "E203", "is not a node"),
    ],
)
def test_overrides_of_the_command_line_are_checked_like_the_file(
    overrides: dict[str, Any], code: str, says: str, tmp_path: Path
) -> None:
    found = problems(tmp_path, GOOD, **overrides)[0]
    assert found.code == code
    assert says in str(found)
    assert found.place is not None
    assert found.place.file in ("--set", "--swap")


def test_a_profile_that_is_missing_circular_or_without_a_driver_says_so(tmp_path: Path) -> None:
    text = GOOD.replace(f'use: "{NODES}:Motor", ', "") + "profiles:\n"
    text += f'  real: {{nodes: {{motor: {{use: "{NODES}:Motor"}}}}}}\n  a: {{base: b}}\n  b: {{base: a}}\n'
    assert "did you mean 'real'?" in str(problems(tmp_path, text, "reel")[0])
    assert "a -> b -> a" in str(problems(tmp_path, text, "a")[0])
    found = problems(tmp_path, text)[0]
    assert found.code == "E206"
    assert "profiles that have one: real" in str(found)
    assert load(tmp_path / "cell.yaml").graph("real").check()


def test_a_missing_include_names_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "panda.yaml").write_text("embodied: 1\n", encoding="utf-8")
    found = problems(tmp_path, GOOD.replace("clock: lockstep", "include: [pandas.yaml]"))[0]
    assert found.code == "E105"
    assert "did you mean 'panda.yaml'?" in str(found)
    assert "includes itself" in str(problems(tmp_path, GOOD.replace("clock: lockstep", "include: [cell.yaml]"))[0])


def test_a_node_that_needs_a_world_without_one_says_how_to_get_it(tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    found = problems(tmp_path, GOOD.replace(f"{NODES}:Clock", "sims.tabletop.nodes:TabletopTask"))
    assert "E702" in [problem.code for problem in found]


def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    room = tmp_path / "myrobot"
    room.mkdir()
    (room / "device.py").write_text("import no_such_vendor_sdk\n", encoding="utf-8")
    found = problems(tmp_path, GOOD.replace(f"{NODES}:Clock", "myrobot.device:Arm"))[0]
    assert found.code == "E208"
    assert "-m pip install no_such_vendor_sdk" in str(found)
    assert f"asked for at {room / 'device.py'}:1" in str(found)


def test_a_module_that_cannot_be_imported_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "broken_module.py").write_text("def f(:\n", encoding="utf-8")
    found = problems(tmp_path, GOOD.replace(f"{NODES}:Clock", "broken_module:Arm"))[0]
    assert found.code == "E201"
    assert "SyntaxError" in found.message
    assert f"see {tmp_path / 'broken_module.py'}:1" in found.help
