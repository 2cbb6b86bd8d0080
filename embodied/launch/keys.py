"""Keys of a launch file: which may stand in which section, and what each may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from embodied.graph.faults import KINDS

VERSION = 1
"""Version of the format of launch files."""


@dataclass(frozen=True, slots=True)
class Key:
    """Kind of value that may stand under one key.

    Attributes:
        kind: `dict`, `list` or `str`; `object` is anything.
        about: meaning of the key, for editors.
        scalar: kind of scalar: `version`, `rate`, `duration`, `time`, `count`, `share`, `amount`, `flag`; empty is any.
    """

    kind: type
    about: str
    scalar: str = ""


Section = Mapping[str, Key]
"""Keys that one section may have, by name."""

FILE: Section = {
    "embodied": Key(object, "version of the format", "version"),
    "args": Key(dict, "arguments with their defaults: set with --set name=value, used as ${args.name}"),
    "include": Key(list, "fragments that lie below this file; they are looked for beside it, then among the installed"),
    "robots": Key(dict, "robots by name: joints, limits, tool"),
    "nodes": Key(dict, "nodes by name"),
    "world": Key(dict, "the simulated world"),
    "worlds": Key(dict, "variants of the world by name, of which one is chosen: --world name"),
    "clock": Key(str, "lockstep is virtual time, the same bytes every time; steady is the machine's, for a robot"),
    "machines": Key(dict, "machines by name, each with its endpoint tcp://host:port; ignored in lockstep"),
    "processes": Key(list, "groups of nodes that share a process on the robot; ignored in lockstep"),
    "faults": Key(list, "what goes wrong in a run, in lockstep alone"),
    "profiles": Key(dict, "layers by name, of which one is run: --profile name"),
}
_SECTION = ("robots", "nodes", "world", "worlds", "clock", "machines", "processes", "faults")
PROFILE: Section = {key: FILE[key] for key in _SECTION} | {"base": Key(str, "the profile that this one lies over")}
NODE: Section = {
    "use": Key(str, "the class, as module:Class; another class than the layer below drops its settings"),
    "with": Key(dict, "settings: the fields of the class"),
    "in": Key(dict, "wires by input: node.port, or node for its first output"),
    "rate": Key(object, "how often it steps [Hz]; overrides the class's, and '30000/1001' is exact", "rate"),
    "latency": Key(object, "in virtual time a step keeps it busy this long", "duration"),
    "jitter": Key(object, "up to this much more, drawn from the seed", "duration"),
    "max_age": Key(object, "beyond this age what its inputs hold is stale", "duration"),
    "on": Key(str, "the machine it runs on; the first of 'machines' unless written"),
    "restart": Key(object, "whether it is started again on the robot: never, on-failure or always"),
}
RESTART: Section = {
    "when": Key(str, "never, on-failure or always"),
    "limit": Key(object, "how often at most", "count"),
    "backoff": Key(object, "how long it stays ended before it is started again", "duration"),
}
WIRE: Section = {
    "from": Key(str, "the source: node.port, or node for its first output"),
    "max_age": Key(object, "beyond this age a value is stale", "duration"),
    "bound": Key(object, "how many wait at most, for an input that takes every message", "count"),
    "lossless": Key(object, "on the robot its source waits rather than have one dropped", "flag"),
}
WORLD: Section = {
    "use": Key(str, "the class of the world, as module:Class"),
    "with": Key(dict, "settings: the fields of the class"),
}
INCLUDE: Section = {
    "file": Key(str, "the fragment, beside this file or among the installed"),
    "namespace": Key(str, "goes before the names of its nodes: left gives left/arm"),
    "args": Key(dict, "values of the fragment's arguments"),
}
_FAULT: Section = {
    "silence": Key(str, "a node that does not step"),
    "kill": Key(str, "a node that does not step any more"),
    "drop": Key(str, "a node of which the outputs of a step are lost, now and then"),
    "delay": Key(str, "a node that takes longer"),
    "stuck": Key(str, "an output that goes on with its last value"),
    "noise": Key(str, "an output with Gaussian noise in a field"),
    "at": Key(object, "when it begins; 0 unless written", "time"),
    "for": Key(object, "how long it lasts; to the end unless written", "time"),
    "share": Key(object, "probability that a step's outputs are lost", "share"),
    "by": Key(object, "what is added to the latency", "duration"),
    "field": Key(object, "the field of the message"),
    "sd": Key(object, "standard deviation, in the field's unit", "amount"),
}
FAULT: Section = {key: _FAULT[key] for key in (*KINDS, "at", "for", *chain(*KINDS.values()))}

CLOCKS = ("lockstep", "steady")
"""Clocks that a graph may run on."""
