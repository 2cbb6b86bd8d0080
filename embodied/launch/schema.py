"""JSON Schema (draft 7) of launch files, for editors: built from the keys of a file and the classes that are found.

A schema sees one file and none of the layers over or under it. So it refuses only what no layer can correct, such as an
unknown key or a setting of another type, and leaves to `embodied check` what needs the whole: where a wire leads, or a
setting of a node whose class is in another layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from embodied.clock import rate_of
from embodied.graph.endpoint import MACHINE_NAME
from embodied.graph.entry import NODE_NAME
from embodied.graph.restart import WHEN
from embodied.launch.descriptions import about
from embodied.launch.discovery import FoundClasses
from embodied.launch.keys import CLOCKS, FAULT, FILE, INCLUDE, NODE, PROFILE, RESTART, VERSION, WIRE, WORLD, Section
from embodied.launch.project import NODE_PACKAGES
from embodied.launch.settings_schema import RATE, REFERENCE, Schema, fields, number
from embodied.node.ports import Input, PortError, read_ports
from embodied.node.settings import required
from embodied.robot import Robot

_DURATION = r"^\s*\d{1,18}(\.\d{1,9})?\s*(ns|us|µs|ms|s|min)\s*$"
_ENDPOINT = r"^tcp://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$"
_SOURCE = r"^/?[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)*(\.[A-Za-z_]\w*)?$"


def _text(pattern: str, expected: str) -> Schema:
    """Return the schema of text in one form, or with a reference in it."""
    return {
        "type": ["string", "null"],
        "pattern": f"{pattern}|{REFERENCE}",
        "patternErrorMessage": f"Expected {expected}.",
    }


_EXPECTED = "Expected a duration with its unit, such as 15ms or 2s."
_SPAN: Schema = {
    "type": ["string", "number", "null"],
    "pattern": f"{_DURATION}|{REFERENCE}",
    "patternErrorMessage": _EXPECTED,
    # A number without a unit could be anything, but 0 is 0.
    "if": {"type": "number"},
    "then": {"const": 0, "errorMessage": _EXPECTED},
}
_SCALARS: Mapping[str, Schema] = {
    "version": {"const": VERSION},
    "rate": RATE,
    "duration": _SPAN,
    "time": {
        **_SPAN,
        "type": ["string", "number", "object", "null"],
        "properties": {"from": {"$ref": "#/definitions/duration"}, "to": {"$ref": "#/definitions/duration"}},
        "required": ["from", "to"],
        "additionalProperties": False,
    },
    "count": number("integer", "a whole number from 1 to 100000", minimum=1, maximum=100_000),
    "share": number("number", "a probability from 0 to 1", minimum=0, maximum=1),
    "amount": number("number", "a number of 0 or more", minimum=0),
    "flag": number("boolean", "true or false"),
}
_KINDS: Mapping[type, Schema] = {
    dict: {"type": ["object", "null"]},
    list: {"type": ["array", "null"]},
    str: {"type": ["string", "null"]},
    object: {},
}


def _definition(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _each(inner: Schema, names: str = "") -> Schema:
    """Return the schema of a mapping whose values are all of one kind."""
    pattern = {"propertyNames": {"pattern": f"^{names}$"}} if names else {}
    return {"type": ["object", "null"], **pattern, "additionalProperties": inner}


def _list(inner: Schema) -> Schema:
    return {"type": ["array", "null"], "items": inner}


def _mapping(keys: Section, **special: Schema) -> Schema:
    """Return the schema of a section: its keys and no others; `special` refines some of them."""
    properties: Schema = {}
    for name, key in keys.items():
        inner = _definition(key.scalar) if key.scalar else special.get(name, _KINDS[key.kind])
        # Draft 7 ignores everything beside a $ref, so the description goes around it.
        properties[name] = {"description": key.about, **({"allOf": [inner]} if "$ref" in inner else inner)}
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


def launch_schema(nodes: FoundClasses, worlds: FoundClasses, robots: Iterable[str]) -> Schema:
    """Return the JSON Schema of launch files, fragments and site files.

    Args:
        nodes: node classes that are known.
        worlds: world classes that are known.
        robots: names of the robots that fragments describe.
    """
    text = {"type": ["string", "null"]}
    wire = _text(_SOURCE, "node.port, or node for its first output")
    section = {
        "robots": _each(_definition("robot")),
        "nodes": _each(_definition("node"), NODE_NAME.pattern),
        "world": _definition("world"),
        "worlds": _each(_definition("world")),
        "clock": {"enum": [*CLOCKS, None]},
        "machines": _each(_text(_ENDPOINT, "an endpoint, such as tcp://192.168.1.10:7447"), MACHINE_NAME.pattern),
        "processes": _list(_list({"type": "string"})),
        "faults": _list(_definition("fault")),
    }
    one_kind = [{"required": [kind]} for kind in FAULT if FAULT[kind].kind is str]
    definitions: Schema = {
        **_SCALARS,
        "wire": {"type": ["string", "object", "null"], **{k: v for k, v in _mapping(WIRE).items() if k != "type"}}
        | {"pattern": wire["pattern"], "patternErrorMessage": wire["patternErrorMessage"]},
        "node": _mapping(NODE, use=_uses(nodes), restart=_definition("restart"), **{"in": _each(_definition("wire"))}),
        "when": {"anyOf": [{"enum": [*WHEN, None]}, {"type": "string", "pattern": REFERENCE}]},
        "restart": {"anyOf": [_definition("when"), _mapping(RESTART, when=_definition("when"))]},
        "world": _mapping(WORLD, use=_uses(worlds)),
        "fault": {**_mapping(FAULT), "oneOf": one_kind},
        "robot": {**fields(Robot, ()), "description": about(Robot)},
    }
    for kind, found in (("node", nodes), ("world", worlds)):
        definitions[kind]["allOf"] = []
        for use, thing in found.classes.items():
            definitions[use] = _class(thing, robots)
            named = {"properties": {"use": {"enum": [use, *found.aliases[use]]}}, "required": ["use"]}
            definitions[kind]["allOf"].append({"if": named, "then": _definition(use)})
    include = {**_mapping(INCLUDE, file=text), "type": ["string", "object"]}
    profile = _mapping(PROFILE, **section)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A launch file of embodied",
        **_mapping(FILE, **section, include=_list(include), profiles=_each(profile, NODE_NAME.pattern)),
        "type": "object",
        "required": ["embodied"],
        "definitions": definitions,
    }


def _uses(found: FoundClasses) -> Schema:
    """Return the schema of class names: those of the packages for launch files are listed, others are not known."""
    known = [name for use in found.classes for name in (*found.aliases[use], use)]
    descriptions = [about(found.classes[use]) for use in found.classes for _ in (*found.aliases[use], use)]
    packages = "|".join(package.replace(".", r"\.") for package in NODE_PACKAGES)
    other = rf"^(?!({packages})[.:])[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"
    return {
        "anyOf": [
            {"enum": known, "enumDescriptions": descriptions, "markdownEnumDescriptions": descriptions},
            {"type": ["string", "null"], "pattern": f"{other}|{REFERENCE}"},
        ]
    }


def _class(kind: type[Any], robots: Iterable[str]) -> Schema:
    """Return the schema of a node or a world whose class is known."""
    properties: Schema = {"with": fields(kind, robots)}
    needed = required(kind)
    try:
        inputs = read_ports(kind).inputs if hasattr(kind, "step") else {}
    except PortError:
        # `check` reports it; an editor goes on without the ports.
        inputs = {}
    if hasattr(kind, "step"):
        wires = {
            name: {"description": _delivery(port), "allOf": [_definition("wire")]} for name, port in inputs.items()
        }
        properties["in"] = {"properties": wires, "additionalProperties": False}
        rate = "on its trigger" if kind.rate is None else f"{rate_of(kind.rate)} Hz unless written"
        properties["rate"] = {"description": f"how often it steps [Hz]: {rate}"}
    schema: Schema = {"title": kind.__name__, "description": about(kind), "properties": properties}
    if needed:
        schema["required"] = ["with"]
        properties["with"] |= {"required": needed}
    return schema


def _delivery(port: Input) -> str:
    ways = {
        "latest": "must be wired; no step until there is one, nor while it is stale",
        "optional": "None when absent or stale",
        "every": "every one since the last step",
    }
    return f"{port}: {ways[port.delivery]}"
