"""A site file is written into, and what else stands in it stays to the letter."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.errors import LaunchError
from embodied.launch.site import Site
from embodied.launch.yaml_document import parse, plain

VALUE = {"width": 640, "fx": 601.5, "distortion": [0.1, -0.2], "frame": "base"}

FILES = {
    "a version alone": "embodied: 1\n",
    "no line's end": "embodied: 1",
    "comments": "# cell 3\nembodied: 1\nnodes:\n  # the arm\n  arm: {with: {ip: 10.0.0.7}}  # by the door\n\n# end\n",
    "nodes that are none": "embodied: 1\nnodes:\n",
    "an explicit null": "embodied: 1\nnodes: ~\n",
    "braces": "embodied: 1\nnodes: {camera: {}, arm: {rate: 100,}}\n",
    "braces throughout": "{embodied: 1}",
    "a node without settings": "embodied: 1\nnodes:\n  camera:\n  arm: {rate: 100}\n",
    "other settings": "embodied: 1\nnodes:\n  camera:\n    with:\n      device: 0  # left\n    rate: 30\n  arm: null\n",
    "text of many lines": "embodied: 1\nnodes:\n  arm:\n    with:\n      note: |\n        a\n        b\n",
    "quotes": "embodied: 1\n'nodes':\n  \"arm\": {with: {note: 'it''s: {here}'}}\nargs: {robot: xarm6}\n",
    "lines that end as elsewhere": "embodied: 1\r\nnodes:\r\n  arm: {rate: 100}\r\n",
}


def said(text: str) -> dict[str, object]:
    found = parse(text, "site.yaml")
    assert found is not None
    data = plain(found)
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize("name", FILES)
def test_a_setting_is_added_and_every_line_there_was_is_still_there(name: str) -> None:
    text = FILES[name]
    made = Site(Path("site.yaml"), text).put("camera", "calibration", VALUE).text
    data = said(made)
    nodes = data["nodes"]
    assert isinstance(nodes, dict)
    assert nodes["camera"]["with"]["calibration"] == VALUE
    before = said(text).get("nodes") or {}
    assert isinstance(before, dict)
    assert {key: value for key, value in data.items() if key != "nodes"} == {
        key: value for key, value in said(text).items() if key != "nodes"
    }
    for node, held in before.items():
        if node != "camera":
            assert nodes[node] == held
    for part in text.split():
        if part not in ("~", "nodes:", "camera:", "{}", "{}}", "{embodied:", "{camera:", "{},"):
            assert part in made.split()


@pytest.mark.parametrize("name", FILES)
def test_a_limit_of_a_joint_is_added_beside_whatever_else_is_said_of_it(name: str) -> None:
    text = FILES[name]
    site = Site(Path("site.yaml"), text).limit("so101", "elbow_flex", {"lower": -1.5, "upper": 1.6})
    site = site.limit("so101", "elbow_flex", {"upper": 1.55}).limit("so101", "wrist_roll", {"upper": 2.0})
    joints = {"elbow_flex": {"lower": -1.5, "upper": 1.55}, "wrist_roll": {"upper": 2.0}}
    assert said(site.text) == said(text) | {"robots": {"so101": {"joints": joints}}}
    slower = "embodied: 1\nrobots:\n  so101:\n    joints: {elbow_flex: {velocity: 1.0}}  # near people\n"
    made = Site(Path("site.yaml"), slower).limit("so101", "elbow_flex", {"lower": -1.5}).text
    assert made == slower.replace("{velocity", "{lower: -1.5, velocity")


def test_a_setting_that_is_there_is_replaced_alone() -> None:
    for text in (
        "embodied: 1\nnodes:\n  camera:\n    with:\n      calibration:\n        fx: 1\n        # old\n        fy: 2\n"
        "      # which one\n      device: 0\n",
        "embodied: 1\nnodes: {camera: {with: {calibration: {fx: 1}, device: 0}}}  # which one\n",
        "embodied: 1\nnodes:\n  camera: {with: {device: 0}}\n",
    ):
        site = Site(Path("site.yaml"), text).put("camera", "calibration", VALUE)
        again = site.put("camera", "calibration", VALUE | {"fx": 602.0})
        assert said(again.text) == {
            "embodied": 1,
            "nodes": {"camera": {"with": {"calibration": VALUE | {"fx": 602.0}, "device": 0}}},
        }
        assert ("# which one" in again.text) == ("# which one" in text)
        assert site.put("camera", "calibration", VALUE).text == site.text


NAMES = st.text("abcxyz_", min_size=1, max_size=6).filter(lambda name: name[0] != "_")
SCALARS = st.one_of(st.integers(-9, 9), st.booleans(), st.text("ab: #{}'\"", max_size=6), st.none())
NODES = st.dictionaries(NAMES, st.fixed_dictionaries({}, optional={"with": st.dictionaries(NAMES, SCALARS)}))


@settings(max_examples=60)
@given(nodes=NODES, node=NAMES, setting=NAMES, style=st.sampled_from([True, False, None]))
def test_whatever_a_file_says_it_says_that_and_the_setting(
    nodes: dict[str, dict[str, dict[str, object]]], node: str, setting: str, style: bool | None
) -> None:
    text = yaml.safe_dump({"embodied": 1, "nodes": nodes}, default_flow_style=style, sort_keys=False)
    made = said(Site(Path("site.yaml"), text).put(node, setting, VALUE).text)
    wanted = said(text)
    held = wanted["nodes"]
    assert isinstance(held, dict)
    held[node] = {**(held.get(node) or {})}
    held[node]["with"] = {**(held[node].get("with") or {}), setting: VALUE}
    assert made == wanted


def test_a_new_file_says_what_it_is_and_an_old_one_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    site = Site.read(tmp_path / "sites" / "cell.yaml").put("camera", "calibration", VALUE)
    site.write()
    text = (tmp_path / "sites" / "cell.yaml").read_text("utf-8")
    assert text.startswith("# What differs between sites: lies over a launch file with --site.\nembodied: 1\nnodes:\n")
    (tmp_path / "sites" / "cell.yaml").chmod(0o640)
    (tmp_path / "link.yaml").symlink_to(tmp_path / "sites" / "cell.yaml")
    Site.read(tmp_path / "link.yaml").put("arm", "speed", {"low": 1}).write()
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "sites" / "cell.yaml").stat().st_mode & 0o777 == 0o640
    assert said((tmp_path / "link.yaml").read_text("utf-8"))["nodes"] == {
        "camera": {"with": {"calibration": VALUE}},
        "arm": {"with": {"speed": {"low": 1}}},
    }
    assert [path.name for path in (tmp_path / "sites").iterdir()] == ["cell.yaml"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize(
    "text", ["embodied: 1\nnodes:\n  # the arm\n  arm: {rate: 100}\n", "embodied: 1", "embodied: 1\nnodes: {arm: {}}"]
)
def test_every_byte_of_a_file_stays_whatever_ends_its_lines(text: str, mark: bytes, tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    for end in (b"\n", b"\r\n"):
        before = mark + text.encode().replace(b"\n", end)
        file.write_bytes(before)
        Site.read(file).put("camera", "calibration", VALUE).limit("panda", "joint1", {"lower": -1.0}).write()
        after = file.read_bytes()
        # A file of one line has line ends of its own from now on.
        assert after.count(b"\r\n") == (after.count(b"\n") if b"\r\n" in before else 0)
        lines = [line for line in before.split(end) if line.strip()]
        kept = after.split(end)
        if "{arm: {}}" not in text and end in before:
            assert [line for line in kept if line in lines] == lines
        written = said(after.decode().removeprefix("\ufeff"))
        assert written["nodes"]["camera"]["with"]["calibration"] == VALUE  # type: ignore[index]
        assert after.startswith(mark + b"embodied: 1")


def test_what_is_there_is_not_written_over_unasked(tmp_path: Path) -> None:
    site = Site.read(tmp_path / "site.yaml").put("camera", "calibration", VALUE)
    site.check("camera", "other")
    site.check("arm", "calibration")
    site.check("camera", "calibration", replace=True)
    with pytest.raises(LaunchError) as caught:
        site.check("camera", "calibration")
    (problem,) = caught.value.problems
    assert (problem.code, problem.place and problem.place.line) == ("E924", 6)
    with pytest.raises(LaunchError) as caught:
        site.check("Camera 1", "calibration", replace=True)
    assert caught.value.problems[0].code == "E103"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("embodied: 1\nnodes: [camera]\n", "E104"),
        ("nodes: {}\n", "E109"),
        ("embodied: 1\nnodes: {\n", "E101"),
        ("embodied: 1\nnodez: {}\n", "E103"),
        ("", "E104"),
    ],
)
def test_a_file_that_is_no_site_is_refused_and_left_alone(text: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(LaunchError) as caught:
        Site.read(tmp_path / "site.yaml")
    assert caught.value.problems[0].code == code
    assert (tmp_path / "site.yaml").read_text("utf-8") == text
