"""Reader of URDF files (wiki.ros.org/urdf/XML): the serial chain between two links, checked joint by joint.

Bounded in time and memory: pipes, files without end, deep nesting and entities are refused. What the kinematics does
not need, such as meshes, transmissions and tags of plug-ins with a prefix that nobody declared, may be as it is.
"""

from __future__ import annotations

import importlib.util
import math
import os
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers import expat

from embodied.untrusted.files import read_bytes

SIZE_MOST = 32 << 20
"""Size of the largest URDF that is read [B]."""

ELEMENTS_MOST = 200_000
"""Number of elements that no URDF exceeds."""

DEPTH_MOST = 64
"""Depth of nesting that no URDF exceeds."""

LENGTH_MOST = 1e4
"""Magnitude that no length or angle in a URDF exceeds [m], [rad]."""

AXIS_LEAST = 1e-6
"""Length below which the axis of a joint has no direction."""

MOVING = ("revolute", "continuous", "prismatic")
"""Types of the joints that a robot can have between base and tool, beside `fixed`."""

Triple = tuple[float, float, float]
"""Three numbers of a URDF, such as an origin."""


@dataclass(frozen=True, slots=True)
class ChainJoint:
    """Joint of a serial chain.

    Attributes:
        name: name of the joint.
        kind: `fixed`, `revolute`, `continuous` or `prismatic`.
        xyz: position of its frame in that of the joint before [m].
        rpy: attitude of its frame in that of the joint before, fixed axes [rad].
        axis: direction of its axis; of any length.
    """

    name: str
    kind: str
    xyz: Triple
    rpy: Triple
    axis: Triple


def read(path: Path) -> ET.Element:
    """Read a URDF file as elements, their names as they are written.

    Raises:
        ValueError: the file cannot be read, or is no XML; in one sentence with its path.
    """
    try:
        return _parse(_decoded(read_bytes(locate(path), SIZE_MOST)))
    except OSError as error:
        raise ValueError(f"cannot read the URDF {path}: {error.strerror}") from error
    except (expat.ExpatError, ValueError) as error:
        raise ValueError(f"cannot read the URDF {path}: {error}") from error


def locate(path: Path) -> Path:
    """Return the file that a path means.

    `package://name/…` is looked for in the folders around, as ROS does, and in the packages of Python.

    Raises:
        OSError: there is no such package.
    """
    parts = path.parts
    mark = next((index for index, part in enumerate(parts) if part == "package:"), None)
    if mark is None or mark + 1 >= len(parts):
        return path
    name, rest = parts[mark + 1], Path(*parts[mark + 2 :])
    around = [Path(*parts[:end]) for end in range(mark, 0, -1)] or [Path()]
    places = [folder for folder in around if folder.name == name] + [folder / name for folder in around]
    places += [Path(place) / name for place in os.environ.get("ROS_PACKAGE_PATH", "").split(":") if place]
    places += [Path(place) / "share" / name for place in os.environ.get("AMENT_PREFIX_PATH", "").split(":") if place]
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    places += [Path(place) for place in (spec.submodule_search_locations or () if spec else ())]
    found = next((folder / rest for folder in places if (folder / rest).is_file()), None)
    if found is None:
        raise OSError(0, f"there is no {rest} of a package '{name}'; write its path relative to this launch file")
    return found


def chain(path: Path, base: str, tip: str) -> list[ChainJoint]:
    """Read the joints between two links of a URDF, from base to tip.

    Args:
        path: path of the file.
        base: name of the link at which it begins.
        tip: name of the link at which it ends.

    Raises:
        ValueError: the file cannot be read, or a joint or link on the way is wrong; with its name.
    """
    root = read(path)
    if problem := next(_name_problems(root), ""):
        raise ValueError(f"{path.name}: {problem}")
    by_child: dict[str, list[ET.Element]] = {}
    for joint in root.findall("joint"):
        by_child.setdefault(_attribute(joint, "child", "link"), []).append(joint)
    links = {link.get("name", "") for link in root.findall("link")}
    way: list[ET.Element] = []
    link = tip
    while link != base:
        if len(joints := by_child.get(link, [])) > 1:
            names = " and ".join(f"'{joint.get('name')}'" for joint in joints)
            raise ValueError(f"{path.name}: link '{link}' has two parents, by the joints {names}")
        # A path with the same joint twice would never end.
        if not joints or joints[0] in way:
            raise ValueError(f"{path.name} has no path from '{base}' to '{tip}'")
        way.insert(0, joints[0])
        if link not in links:
            raise ValueError(f"{path.name}: joint '{joints[0].get('name')}' has the child '{link}', which is no link")
        link = _attribute(joints[0], "parent", "link")
    if base not in links:
        raise ValueError(f"{path.name} has no link '{base}'")
    return [_joint(joint, path.name) for joint in way]


def kinematics(joints: list[ChainJoint]) -> str:
    """Return a URDF of a serial chain alone, with plain names and without limits that mean anything.

    Another reader of URDFs is given this text, so that the two cannot differ in what they take or refuse: a joint of
    any range is one of many turns there.
    """
    robot = ET.Element("robot", name="chain")
    ET.SubElement(robot, "link", name="link0")
    for number, joint in enumerate(joints, 1):
        kind = "revolute" if joint.kind == "continuous" else joint.kind
        element = ET.SubElement(robot, "joint", name=f"joint{number}", type=kind)
        ET.SubElement(element, "parent", link=f"link{number - 1}")
        ET.SubElement(element, "child", link=f"link{number}")
        ET.SubElement(element, "origin", xyz=_text(joint.xyz), rpy=_text(joint.rpy))
        if kind != "fixed":
            ET.SubElement(element, "axis", xyz=_text(joint.axis))
            ET.SubElement(element, "limit", lower="-100", upper="100", effort="1", velocity="1")
        ET.SubElement(robot, "link", name=f"link{number}")
    return ET.tostring(robot, encoding="unicode")


def stops(path: Path) -> dict[str, tuple[float, float]]:
    """Read the mechanical stops of each joint that has some [rad], or [m].

    Raises:
        ValueError: the file cannot be read.
    """
    found = {}
    for joint in read(path).findall("joint"):
        lower, upper = (_number(_attribute(joint, "limit", end)) for end in ("lower", "upper"))
        if joint.get("type") != "continuous" and lower < upper and math.isfinite(upper - lower):
            found[joint.get("name", "")] = lower, upper
    return found


def velocities(path: Path) -> dict[str, float]:
    """Read the highest velocity of each joint that has one above 0 [rad/s], or [m/s].

    Raises:
        ValueError: the file cannot be read.
    """
    found = {}
    for joint in read(path).findall("joint"):
        velocity = _number(_attribute(joint, "limit", "velocity"))
        if velocity > 0.0 and math.isfinite(velocity):
            found[joint.get("name", "")] = velocity
    return found


def _name_problems(root: ET.Element) -> Iterator[str]:
    """Check that what is named has one name of its own; a link and a joint may share theirs."""
    if root.tag != "robot":
        yield f"the outermost element of a URDF is <robot>, got <{root.tag}>"
    elif not root.get("name"):
        yield "<robot> must have a name"
    for tag in ("link", "joint"):
        names = Counter(element.get("name", "") for element in root.findall(tag))
        if "" in names:
            yield f"every {tag} must have a name, {names['']} has none"
        for name, times in names.items():
            if times > 1:
                yield f"there are {times} {tag}s named '{name}'"


def _joint(joint: ET.Element, file: str) -> ChainJoint:
    name, kind = joint.get("name", ""), joint.get("type", "")
    where = f"{file}: joint '{name}'"
    if kind not in (*MOVING, "fixed"):
        raise ValueError(f"{where} must be fixed, {', '.join(MOVING)} between base and tool, got '{kind}'")
    if (mimic := joint.find("mimic")) is not None and kind != "fixed":
        raise ValueError(f"{where} follows '{mimic.get('joint')}' (mimic): between base and tool each joint is driven")
    try:
        xyz, rpy = _triple(joint, "origin", "xyz"), _triple(joint, "origin", "rpy")
        axis = _triple(joint, "axis", "xyz", (1.0, 0.0, 0.0))
        if kind in ("revolute", "prismatic"):
            _check_limit(joint)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    if kind != "fixed" and math.hypot(*axis) < AXIS_LEAST:
        raise ValueError(f"{file}: the axis of joint '{name}' has no direction")
    return ChainJoint(name, kind, xyz, rpy, axis)


def _check_limit(joint: ET.Element) -> None:
    """Check the limits of a joint, which the format requires of all that are not continuous.

    Raises:
        ValueError: they are missing, or are no numbers.
    """
    limit = joint.find("limit")
    if limit is None:
        raise ValueError(f"a {joint.get('type')} joint must have a <limit>; without one it is continuous")
    for name in ("effort", "velocity"):
        if not 0 <= _number(limit.get(name)) < math.inf:
            raise ValueError(f"its limit must have {name}, at least 0 and finite, got {limit.get(name) or 'none'}")
    lower, upper = _number(limit.get("lower", "0")), _number(limit.get("upper", "0"))
    if not (lower <= upper and math.isfinite(upper - lower)):
        raise ValueError(f"lower must be at most upper, got {limit.get('lower')} and {limit.get('upper')}")


def _attribute(joint: ET.Element, tag: str, name: str) -> str:
    element = joint.find(tag)
    return "" if element is None else element.get(name, "")


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _triple(joint: ET.Element, tag: str, name: str, default: Triple = (0.0, 0.0, 0.0)) -> Triple:
    text = _attribute(joint, tag, name)
    if not text.strip():
        return default
    values = [_number(word) for word in text.split()[:4]]
    if "${" in text:
        raise ValueError(f"{tag} {name}='{text[:80]}' is a macro: run xacro on the file first")
    if len(values) != 3 or not all(map(math.isfinite, values)):
        raise ValueError(f"{tag} {name}='{text[:80]}' is not three finite numbers")
    if max(map(abs, values)) > LENGTH_MOST:
        raise ValueError(f"{tag} {name}='{text[:80]}' must be within {LENGTH_MOST:g}")
    return values[0], values[1], values[2]


def _text(triple: Triple) -> str:
    return " ".join(map(repr, triple))


_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"'][^>]{0,200}?\?>")


def _decoded(data: bytes) -> str:
    """Return the text of an XML file in its declared encoding; expat itself knows four of them.

    Raises:
        ValueError: there is no such encoding, or the file is not in it.
    """
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    declared = _DECLARATION.match(data[:600].decode("utf-16" if wide else "latin-1", "replace"))
    encoding = "utf-16" if wide else declared[1] if declared else "utf-8"
    try:
        text = data.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except (LookupError, UnicodeError) as error:
        raise ValueError(f"it is no text in '{encoding}': {error}") from None
    # The text is no longer in the encoding that it declares.
    return re.sub(
        r"^\s*<\?xml[^>]{0,400}?\?>", lambda match: "\n" * match[0].count("\n"), text.lstrip("\ufeff"), count=1
    )


def _parse(text: str) -> ET.Element:
    """Parse XML without namespaces, as readers of URDFs do: a prefix is a part of the name."""
    builder = ET.TreeBuilder()
    parser: Any = expat.ParserCreate(encoding="utf-8")
    depth = elements = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, elements
        depth, elements = depth + 1, elements + 1
        if depth > DEPTH_MOST:
            raise ValueError(f"it is nested more than {DEPTH_MOST} deep")
        if elements > ELEMENTS_MOST:
            raise ValueError(f"it has more than {ELEMENTS_MOST} elements")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def entity(*_: object) -> None:
        raise ValueError("it declares entities, which a URDF does not need")

    parser.StartElementHandler, parser.EndElementHandler, parser.EntityDeclHandler = start, end, entity
    parser.Parse(text.encode("utf-8", "surrogatepass"), True)
    return builder.close()
