"""The control plane: what a running graph answers at its socket. No daemon stands between, and nothing is switched on.

A request is one packet and so is its answer, `ok` or `error`. Whoever looks at a topic gets a subscription of its own,
with the descriptors of the memory itself, and ends it by closing its connection.
"""

from __future__ import annotations

import os
import pickle
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embodied.clock import SECOND
from embodied.errors import EmbodiedError, LaunchError, LinkFailed, Problem, nearest
from embodied.live.brief import Output
from embodied.live.launcher import Launcher
from embodied.live.logs import Line
from embodied.live.puppet import Rendered
from embodied.live.talk import LARGEST, Gone, Said, hear, say
from embodied.messages.schema import Command
from embodied.node import Driver, Node
from embodied.plan import Source, opens_world

CLIENTS = 32
"""So many may be connected at a time."""

READ_BACK = 1.0
"""So long do guards have to say that they stopped [s]."""

_STAT = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True, eq=False)
class _Client:
    """Someone at the socket.

    Attributes:
        observes: the node it looks at, by the name of its subscription.
        follows: whose printed lines it gets as they come: all with an empty name, none with None.
        lost: lines that it did not take in time.
    """

    channel: socket.socket
    observes: dict[str, str] = field(default_factory=dict)
    follows: str | None = None
    lost: int = 0


class Control:
    """Answers for a launcher.

    Args:
        launcher: of the run.
        about: what `ps` shows of it: file, profile, seed.
    """

    def __init__(self, launcher: Launcher, about: Mapping[str, Any]) -> None:
        self._launcher = launcher
        self._about = dict(about)
        self._began = time.monotonic_ns()
        self._clients: list[_Client] = []
        self._count = 0
        self._socket = launcher.folder.listen()
        launcher.folder.write({**self._about, "pid": os.getpid(), "processes": launcher.layout})
        launcher.wait(self._socket.fileno(), self._accept)
        launcher.logs.heard = self._printed

    @property
    def stop_wanted(self) -> str:
        """Who asked the run to stop; empty if nobody did."""
        return self._launcher.cancelled

    @stop_wanted.setter
    def stop_wanted(self, by: str) -> None:
        self._launcher.cancelled = by

    def close(self) -> None:
        """Hang up."""
        for client in list(self._clients):
            self._drop(client)
        self._launcher.forget(self._socket.fileno())
        self._socket.close()

    def _accept(self) -> None:
        try:
            channel, _ = self._socket.accept()
        except OSError:
            return
        channel.setblocking(False)
        _, user, _ = struct.unpack("3i", channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if user != os.getuid() or len(self._clients) >= CLIENTS:
            channel.close()
            return
        client = _Client(channel)
        self._clients.append(client)
        self._launcher.wait(channel.fileno(), lambda: self._serve(client))

    def _drop(self, client: _Client) -> None:
        if client not in self._clients:
            return
        self._clients.remove(client)
        self._launcher.forget(client.channel.fileno())
        client.channel.close()
        for name, node in client.observes.items():
            self._launcher.unobserve(node, name)

    def _serve(self, client: _Client) -> None:
        try:
            said = hear(client.channel)
            if said is None:
                return
            for descriptor in said.descriptors:
                os.close(descriptor)
            self._answer(client, said)
        except (Gone, LinkFailed):
            # It is gone, or it says what is no request of ours: then nothing that it says is believed.
            self._drop(client)

    def _answer(self, client: _Client, said: Said) -> None:
        verb = _VERBS.get(said.verb)
        try:
            if verb is None:
                raise _unknown(f"there is no request '{said.verb}'", said.verb, _VERBS)
            answer = verb(self, client, **said.about)
            if answer is not None:
                say(client.channel, "ok", value=answer)
        except Gone:
            raise
        except LaunchError as error:
            (problem,) = error.problems
            say(client.channel, "error", text=problem.message, help=list(problem.help))
        except (ValueError, EmbodiedError) as error:
            say(client.channel, "error", text=str(error))
        except TypeError:
            say(client.channel, "error", text=f"'{said.verb}' takes other arguments; another version of embodied asks")

    # What can be asked

    def _status(self, _: _Client) -> Any:
        launcher = self._launcher
        now = time.monotonic_ns()
        return {
            **self._about,
            "name": launcher.folder.name,
            "pid": os.getpid(),
            "up_s": (now - self._began) / SECOND,
            "now_s": launcher.now / SECOND,
            "verdict": None if launcher.verdict is None else launcher.verdict.reason,
            "failure": None if launcher.failure is None else str(launcher.failure),
            "logs": launcher.logs.trouble,
            "processes": [
                {
                    "name": process.name,
                    "nodes": process.nodes,
                    "state": process.state,
                    "pid": process.number if process.state != "ended" else None,
                    "starts": process.starts,
                    "up_s": (now - process.since) / SECOND if process.state != "ended" else None,
                    "silent_s": process.silence(now) / SECOND if process.state != "ended" else None,
                    "stepping": process.node(),
                    "ended": process.end() if process.state == "ended" else None,
                    **(_usage(process.number) if process.state != "ended" else {}),
                }
                for process in launcher.processes.values()
            ],
            "events": [
                {"ago_s": (now - event.at) / SECOND, "process": event.process, "kind": event.kind, "text": event.text}
                for event in launcher.events[-50:]
            ],
        }

    def _counts(self, _: _Client) -> Any:
        answers = self._launcher.ask_all(self._launcher.processes, "counts")
        return {name: None if found is None else found.get("value") for name, found in answers.items()}

    def _settings(self, _: _Client) -> Any:
        answers = self._launcher.ask_all(self._launcher.processes, "settings")
        return {key: value for found in answers.values() if found for key, value in found["value"].items()}

    def _set(self, _: _Client, node: str, setting: str, value: float) -> Any:
        return self._launcher.ask(self._home(node), "set", node=node, name=setting, value=value)

    def _home(self, node: str) -> str:
        home = self._launcher.home
        if node not in home:
            raise _unknown(f"there is no node '{node}'", node, home)
        return home[node]

    def _topic(self, topic: str) -> tuple[str, int]:
        """A topic's node, and the number of its output."""
        node, dot, port = topic.partition(".")
        self._home(node)
        ports = list(self._launcher.plan.nodes[node].ports.outputs)
        if not dot and ports:
            return node, 0
        if port not in ports:
            text = f"'{node}' has no output '{port}'" if ports else f"'{node}' has no outputs"
            raise _unknown(text, topic, [f"{node}.{name}" for name in ports])
        return node, ports.index(port)

    def _topics(self, _: _Client) -> Any:
        launcher = self._launcher
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

    def _nodes(self, _: _Client) -> Any:
        launcher = self._launcher
        return {
            name: {
                "class": _class(planned.node),
                "process": launcher.home[name],
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

    def _observe(self, client: _Client, topic: str) -> Any:
        """A subscription: the ring's memory, and its own four descriptors, which go with the answer."""
        launcher = self._launcher
        node, index = self._topic(topic)
        self._count += 1
        name = f"observer {self._count}"
        ring, ends = launcher.observe(node, name)
        client.observes[name] = node
        stated = launcher.plan.stated()[node]
        outputs = [Output(o.name, o.message, stated[o.name]) for o in launcher.plan.nodes[node].ports.outputs.values()]
        try:
            about = {
                "node": node,
                "index": index,
                "topic": f"{node}.{outputs[index].port}",
                "room": ring.room,
                "epoch": launcher.epoch,
                "outputs": [_plain(output) for output in outputs],
                "taken": f"{node}.{outputs[index].port}" in launcher.plan.taken,
            }
            say(client.channel, "ok", [ring.descriptor, *ends.all()], value=about)
        finally:
            ends.close()
        return None

    def _publish(self, _: _Client, topic: str, fields: dict[str, Any]) -> Any:
        node, index = self._topic(topic)
        plan = self._launcher.plan
        output = list(plan.nodes[node].ports.outputs.values())[index]
        topic = f"{node}.{output.name}"
        for name, planned in plan.nodes.items():
            actuates = isinstance(planned.node, Driver) or opens_world(planned.node)
            for port, source in planned.sources.items():
                if source.topic == topic and actuates and issubclass(planned.ports.inputs[port].message, Command):
                    text = f"'{topic}' moves '{name}', and nothing moves but through its guard"
                    raise ValueError(f"{text}: publish what the guard takes")
        return self._launcher.ask(self._home(node), "publish", topic=topic, fields=fields)

    def _stop(self, _: _Client, by: str) -> Any:
        self.stop_wanted = by or "the command line"
        return True

    def _restart(self, _: _Client, node: str) -> Any:
        self._launcher.restart(self._home(node))
        return self._home(node)

    def _estop(self, _: _Client, reason: str) -> Any:
        return self._told("stop", "stopped", reason=reason)

    def _reset(self, _: _Client, by: str) -> Any:
        return self._told("reset", "", by=by)

    def _told(self, what: str, state: str, **about: Any) -> Any:
        """Tell every guard something, and read back what came of it: an answer says what is, not what was sent."""
        launcher = self._launcher
        homes = sorted({launcher.home[name] for name in launcher.guards()})
        launcher.ask_all(homes, what, **about)
        end = time.monotonic() + READ_BACK
        while True:
            found = self._reports()
            for said in found.values():
                said["done"] = said["state"] == state if state else said["state"] not in ("stopped", "unknown")
            if all(said["done"] for said in found.values()) or time.monotonic() > end:
                return found

    def _logs(self, client: _Client, node: str, count: int, follow: bool) -> Any:
        """The last printed lines, oldest first, as many as fit into an answer; others follow as they come."""
        logs = self._launcher.logs
        names = [self._home(node)] if node else list(self._launcher.processes)
        found = sorted((line.at, _about(name, line)) for name in names for line in logs.last(name) if _of(node, line))
        size = 0
        lines: list[list[str]] = []
        for _, line in found[: -count - 1 : -1]:
            size += sum(len(part.encode()) for part in line)
            if size > LARGEST // 2:
                break
            lines.append(line)
        client.follows = node if follow else None
        return lines[::-1]

    def _printed(self, process: str, lines: list[Line]) -> None:
        """Pass on what was printed to those who follow; who does not read in time loses it, counted."""
        for client in self._clients:
            if client.follows is None or (client.follows and self._launcher.home[client.follows] != process):
                continue
            for line in lines:
                if not _of(client.follows, line):
                    continue
                try:
                    say(client.channel, "line", line=_about(process, line), lost=client.lost)
                    client.lost = 0
                except LinkFailed:
                    client.lost += 1
                except Gone:
                    # Its socket says so to `_serve`.
                    break

    def _graph(self, client: _Client) -> Any:
        """The graph as it was launched, which goes with the answer as a file in memory."""
        descriptor = os.memfd_create("graph", os.MFD_CLOEXEC)
        try:
            with os.fdopen(os.dup(descriptor), "wb") as stream:
                pickle.dump(self._launcher.plan.graph, stream)
            os.lseek(descriptor, 0, os.SEEK_SET)
            say(client.channel, "ok", [descriptor], value=True)
        finally:
            os.close(descriptor)
        return None

    def _guards(self, _: _Client) -> Any:
        return self._reports()

    def _reports(self) -> dict[str, dict[str, Any]]:
        """What each guard said last."""
        launcher = self._launcher
        answers = launcher.ask_all(sorted({launcher.home[name] for name in launcher.guards()}), "guards")
        found = {name: said for answer in answers.values() if answer for name, said in answer["value"].items()}
        unknown = {name: "it gives no report" if name in found else "it does not answer" for name in launcher.guards()}
        return {name: found.get(name) or {"state": "unknown", "why": [unknown[name]]} for name in launcher.guards()}


def _of(node: str, line: Line) -> bool:
    """Whether a line is of a node; what a library prints by itself is of every node of its process."""
    return not node or line.node in ("", node)


def _about(process: str, line: Line) -> list[str]:
    return [process, line.node, line.text]


def _unknown(text: str, name: str, known: Iterable[str]) -> LaunchError:
    return LaunchError([Problem("E005", text, help=nearest(name, known))])


def _class(node: Node) -> str:
    kind = type(node.inner if isinstance(node, Rendered) else node)
    return f"{kind.__module__}:{kind.__qualname__}"


def _wire(source: Source | None) -> dict[str, Any]:
    if source is None:
        return {"from": None}
    return {"from": source.topic, "max_age_ns": source.max_age, "lossless": source.lossless}


def _plain(output: Output) -> dict[str, Any]:
    refined = output.refined
    return {
        "port": output.port,
        "message": f"{output.kind.__module__}:{output.kind.__qualname__}",
        "sizes": dict(refined.sizes),
        "dtypes": dict(refined.dtypes),
        "frame": refined.frame,
    }


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


_VERBS: dict[str, Callable[..., Any]] = {
    "status": Control._status,
    "counts": Control._counts,
    "topics": Control._topics,
    "nodes": Control._nodes,
    "settings": Control._settings,
    "set": Control._set,
    "observe": Control._observe,
    "publish": Control._publish,
    "stop": Control._stop,
    "restart": Control._restart,
    "estop": Control._estop,
    "reset": Control._reset,
    "logs": Control._logs,
    "graph": Control._graph,
    "guards": Control._guards,
}
