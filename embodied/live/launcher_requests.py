"""Requests to a running graph from the command line, and their look-ups: each is a function of its launcher."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from embodied.clock import SECOND
from embodied.errors import LaunchError, Problem, nearest
from embodied.graph.plan import Source, opens_world
from embodied.live.camera_replicas import CameraReplica
from embodied.live.launcher import Launcher
from embodied.messages import Reset, Stop
from embodied.messages.schema import Command
from embodied.node.node import Driver, Guard, Node

READ_BACK = 1.0
"""Time within which every guard must report that it has stopped [s]."""

READ_PERIOD = 0.01
"""Longest time between two looks at the guards' reports meanwhile [s]: a period of most guards."""

LONGEST_REASON = 500
"""Length to which the reason of a stop is cut, since guards repeat it in their reports [characters]."""

_ORDERS = (Command, Stop, Reset)
"""Messages that a guard takes as orders; everything else that it takes is a measurement."""

_STAT = os.sysconf("SC_CLK_TCK")


def _status(launcher: Launcher) -> Any:
    now = time.monotonic_ns()
    return {
        "name": launcher.directory.name,
        "pid": os.getpid(),
        "up_s": (now - launcher.began) / SECOND,
        "now_s": launcher.now / SECOND,
        "verdict": None if launcher.verdict is None else launcher.verdict.reason,
        "failure": None if launcher.failure is None else str(launcher.failure),
        "logs": launcher.logs.trouble,
        "processes": [
            {
                "name": process.name,
                "nodes": process.nodes,
                "state": process.state,
                "pid": process.pid if process.state != "ended" else None,
                "starts": process.starts,
                "up_s": (now - process.since) / SECOND if process.state != "ended" else None,
                "silent_s": process.silence(now) / SECOND if process.state != "ended" else None,
                "stepping": process.node(),
                "ended": process.end() if process.state == "ended" else None,
                **(_usage(process.pid) if process.state != "ended" else {}),
            }
            for process in launcher.processes.values()
        ],
        "events": [
            {"ago_s": (now - event.at) / SECOND, "process": event.process, "kind": event.kind, "text": event.text}
            for event in launcher.events[-50:]
        ],
    }


def _counts(launcher: Launcher) -> Any:
    answers = launcher.ask_all(launcher.processes, "counts")
    return {name: None if found is None else found.get("value") for name, found in answers.items()}


def _settings(launcher: Launcher) -> Any:
    answers = launcher.ask_all(launcher.processes, "settings")
    return {key: value for found in answers.values() for key, value in (found or {}).get("value", {}).items()}


def _set(launcher: Launcher, node: str, setting: str, value: float) -> Any:
    return launcher.ask(home_of(launcher, node), "set", node=node, name=setting, value=value)


def home_of(launcher: Launcher, node: str) -> str:
    """Look up the process of the node that a request to a launcher names.

    Raises:
        LaunchError: there is no such node.
    """
    home = launcher.process_of
    if node not in home:
        raise unknown(f"there is no node '{node}'", node, home)
    return home[node]


def topic_of(launcher: Launcher, topic: str) -> tuple[str, int]:
    """Look up the node, and the number of its output, of the topic that a request to a launcher names.

    Raises:
        LaunchError: there is no such topic.
    """
    node, dot, port = topic.partition(".")
    home_of(launcher, node)
    ports = list(launcher.plan.nodes[node].ports.outputs)
    if not dot and ports:
        return node, 0
    if port not in ports:
        text = f"'{node}' has no output '{port}'" if ports else f"'{node}' has no outputs"
        raise unknown(text, topic, [f"{node}.{name}" for name in ports])
    return node, ports.index(port)


def _topics(launcher: Launcher) -> Any:
    stated = launcher.plan.stated()
    takers: dict[str, list[str]] = {}
    for name, planned in launcher.plan.nodes.items():
        for port, source in planned.sources.items():
            takers.setdefault(source.topic, []).append(f"{name}.{port}")
    return {
        f"{name}.{output.name}": {
            "node": name,
            "message": f"{output.message.__module__}:{output.message.__qualname__}",
            "period_ns": launcher.plan.periods.get(name),
            "takers": takers.get(f"{name}.{output.name}", []),
            "rendered": output.rendered,
            "frame": stated[name][output.name].frame,
            "sizes": dict(stated[name][output.name].sizes),
        }
        for name, planned in launcher.plan.nodes.items()
        for output in planned.ports.outputs.values()
    }


def _nodes(launcher: Launcher) -> Any:
    return {
        name: {
            "class": _class(planned.node),
            "process": launcher.process_of[name],
            "rate": None if planned.rate is None else float(planned.rate),
            "trigger": planned.trigger,
            "restart": planned.restart.when,
            "in": {
                port: {"type": str(taken), **_wire(planned.sources.get(port))}
                for port, taken in planned.ports.inputs.items()
            },
            "out": {f"{name}.{port}": str(output) for port, output in planned.ports.outputs.items()},
        }
        for name, planned in launcher.plan.nodes.items()
    }


def _publish(launcher: Launcher, topic: str, fields: dict[str, Any]) -> Any:
    node, index = topic_of(launcher, topic)
    plan = launcher.plan
    output = list(plan.nodes[node].ports.outputs.values())[index]
    topic = f"{node}.{output.name}"
    for name, planned in plan.nodes.items():
        actuates = isinstance(planned.node, Driver) or opens_world(planned.node)
        for port, source in planned.sources.items():
            message = planned.ports.inputs[port].message
            if source.topic == topic and actuates and issubclass(message, Command):
                text = f"'{topic}' moves '{name}', and nothing moves but through its guard"
                raise ValueError(f"{text}: publish what the guard takes")
            if source.topic == topic and isinstance(planned.node, Guard) and not issubclass(message, _ORDERS):
                text = f"'{topic}' is a measurement by which the guard '{name}' moves"
                raise ValueError(f"{text}: only '{node}' may publish it")
    return launcher.ask(home_of(launcher, node), "publish", topic=topic, fields=fields)


def _restart(launcher: Launcher, node: str) -> Any:
    launcher.restart(home_of(launcher, node))
    return home_of(launcher, node)


def _estop(launcher: Launcher, reason: str = "") -> Any:
    return _told(launcher, "stop", "stopped", reason=reason or "embodied estop")


def _reset(launcher: Launcher, by: str) -> Any:
    return _told(launcher, "reset", "", by=by[:LONGEST_REASON])


def _told(launcher: Launcher, what: str, state: str, **about: Any) -> Any:
    """Tell every guard something, and read back what came of it: an answer says what is, not what was sent."""
    homes = sorted({launcher.process_of[name] for name in launcher.guards()})
    launcher.ask_all(homes, what, **about)
    end = time.monotonic() + READ_BACK
    while True:
        found = _reports(launcher)
        for said in found.values():
            said["done"] = said["state"] == state if state else said["state"] not in ("stopped", "unknown")
        if all(said["done"] for said in found.values()) or time.monotonic() > end:
            return found
        launcher.advance(READ_PERIOD)


def _guards(launcher: Launcher) -> Any:
    return _reports(launcher)


def _reports(launcher: Launcher) -> dict[str, dict[str, Any]]:
    """Return the last report of each guard."""
    answers = launcher.ask_all(sorted({launcher.process_of[name] for name in launcher.guards()}), "guards")
    found = {name: said for answer in answers.values() for name, said in (answer or {}).get("value", {}).items()}
    unknown = {name: "it gives no report" if name in found else "it does not answer" for name in launcher.guards()}
    return {name: found.get(name) or {"state": "unknown", "why": [unknown[name]]} for name in launcher.guards()}


def unknown(text: str, name: str, known: Iterable[str]) -> LaunchError:
    """Return the error for a request to a launcher that names a run, node or topic that does not exist."""
    return LaunchError([Problem("E005", text, help=nearest(name, known))])


def _class(node: Node) -> str:
    kind = type(node.inner if isinstance(node, CameraReplica) else node)
    return f"{kind.__module__}:{kind.__qualname__}"


def _wire(source: Source | None) -> dict[str, Any]:
    if source is None:
        return {"from": None}
    return {"from": source.topic, "max_age_ns": source.max_age, "lossless": source.lossless}


def _usage(number: int) -> dict[str, Any]:
    """Processor time and memory of a process, as /proc has them."""
    try:
        words = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return {}
    return {
        "cpu_s": (int(words[11]) + int(words[12])) / _STAT,
        "rss_B": int(words[21]) * os.sysconf("SC_PAGE_SIZE"),
    }


REQUESTS: dict[str, Callable[..., Any]] = {
    "status": _status,
    "counts": _counts,
    "topics": _topics,
    "nodes": _nodes,
    "settings": _settings,
    "set": _set,
    "publish": _publish,
    "restart": _restart,
    "estop": _estop,
    "reset": _reset,
    "guards": _guards,
}
