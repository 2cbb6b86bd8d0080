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
    "include": Key(list, "fragments below this file, each beside it or shipped"),
    "robots": Key(dict, "robots by name: joints, limits, tool"),
    "nodes": Key(dict, "nodes by name"),
    "world": Key(dict, "the simulated world"),
    "worlds": Key(dict, "variants of the world by name; one is chosen with --world name"),
    "clock": Key(str, "lockstep: virtual time, repeatable to the byte; steady: the machine's clock, for a robot"),
    "machines": Key(dict, "machines by name, each with its endpoint tcp://host:port; ignored in lockstep"),
    "processes": Key(list, "groups of nodes that share a process on the robot; ignored in lockstep"),
    "faults": Key(list, "faults to inject into a run, in lockstep alone"),
    "profiles": Key(dict, "layers by name; one is run with --profile name"),
}
"""Keys of a launch file, a fragment and a site file."""

_SECTION = ("robots", "nodes", "world", "worlds", "clock", "machines", "processes", "faults")
PROFILE: Section = {key: FILE[key] for key in _SECTION} | {"base": Key(str, "profile below this one")}
"""Keys of a profile: those of a file that a layer may change."""

NODE: Section = {
    "use": Key(str, "class of the node, as module:Class; a new class drops the settings of the layers below"),
    "with": Key(dict, "settings: the fields of the class"),
    "in": Key(dict, "wires by input: node.port, or node for its first output"),
    "rate": Key(object, "rate of its steps [Hz], instead of the class's; '30000/1001' is exact", "rate"),
    "latency": Key(object, "time that a step takes, in virtual time", "duration"),
    "jitter": Key(object, "upper bound of a random addition to the latency, drawn from the seed", "duration"),
    "max_age": Key(object, "age beyond which values of its inputs are stale", "duration"),
    "on": Key(str, "machine it runs on; the first of 'machines' by default"),
    "restart": Key(object, "restart policy on the robot: never, on-failure or always"),
}
"""Keys of a node."""

RESTART: Section = {
    "when": Key(str, "never, on-failure or always"),
    "limit": Key(object, "maximum number of restarts", "count"),
    "backoff": Key(object, "time between its end and the restart", "duration"),
}
"""Keys of a restart policy."""

WIRE: Section = {
    "from": Key(str, "source: node.port, or node for its first output"),
    "max_age": Key(object, "age beyond which a value is stale", "duration"),
    "bound": Key(object, "queue length of an input that takes every message", "count"),
    "lossless": Key(object, "on the robot, whether the source waits rather than have a message dropped", "flag"),
}
"""Keys of the wire of one input."""

WORLD: Section = {
    "use": Key(str, "class of the world, as module:Class"),
    "with": Key(dict, "settings: the fields of the class"),
}
"""Keys of the world and of its variants."""

INCLUDE: Section = {
    "file": Key(str, "fragment, beside this file or shipped"),
    "namespace": Key(str, "prefix of the names of its nodes: left gives left/arm"),
    "args": Key(dict, "values of the fragment's arguments"),
}
"""Keys of an include."""

_FAULT: Section = {
    "silence": Key(str, "node that does not step"),
    "kill": Key(str, "node that stops for good"),
    "drop": Key(str, "node that loses the outputs of a step at random"),
    "delay": Key(str, "node whose latency is longer"),
    "stuck": Key(str, "output that repeats its last value"),
    "noise": Key(str, "output with Gaussian noise in a field"),
    "at": Key(object, "start of the fault; 0 by default", "time"),
    "for": Key(object, "duration of the fault; to the end of the run by default", "time"),
    "share": Key(object, "probability that a step's outputs are lost", "share"),
    "by": Key(object, "addition to the latency", "duration"),
    "field": Key(object, "field of the message"),
    "sd": Key(object, "standard deviation [unit of the field]", "amount"),
}
FAULT: Section = {key: _FAULT[key] for key in (*KINDS, "at", "for", *chain(*KINDS.values()))}
"""Keys of a fault, in the order that editors show."""


CLOCKS = ("lockstep", "steady")
"""Clocks that a graph may run on."""
