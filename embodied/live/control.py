"""The control plane: what a running graph answers at its socket. No daemon stands between, and nothing is switched on.

A request is one packet and so is its answer, `ok` or `error`. Whoever looks at a topic gets a subscription of its own,
with the descriptors of the memory itself, and ends it by closing its connection.
"""

from __future__ import annotations

import os
import pickle
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from embodied.errors import EmbodiedError, LaunchError, LinkFailed
from embodied.live.ipc import LARGEST, Disconnected, Packet, receive, send
from embodied.live.launcher import Launcher
from embodied.live.launcher_requests import REQUESTS, home_of, topic_of, unknown
from embodied.live.logs import Line
from embodied.live.process_spec import Output

CLIENTS = 32
"""So many may be connected at a time."""


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
        self._clients: list[_Client] = []
        self._count = 0
        self._socket = launcher.directory.listen()
        launcher.directory.write({**self._about, "pid": os.getpid(), "processes": launcher.layout})
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
            said = receive(client.channel)
            if said is None:
                return
            for descriptor in said.descriptors:
                os.close(descriptor)
            self._answer(client, said)
        except (Disconnected, LinkFailed):
            # It is gone, or it says what is no request of ours: then nothing that it says is believed.
            self._drop(client)

    def _answer(self, client: _Client, said: Packet) -> None:
        try:
            if said.verb in _VERBS:
                answer = _VERBS[said.verb](self, client, **said.about)
            elif said.verb in REQUESTS:
                answer = REQUESTS[said.verb](self._launcher, **said.about)
            else:
                raise unknown(f"there is no request '{said.verb}'", said.verb, [*_VERBS, *REQUESTS])
            if said.verb == "status":
                answer = {**self._about, **answer}
            if answer is not None:
                send(client.channel, "ok", value=answer)
        except Disconnected:
            raise
        except LaunchError as error:
            (problem,) = error.problems
            send(client.channel, "error", text=problem.message, help=list(problem.help))
        except (ValueError, EmbodiedError) as error:
            send(client.channel, "error", text=str(error))
        except TypeError:
            send(client.channel, "error", text=f"'{said.verb}' takes other arguments; another version of embodied asks")

    # What can be asked

    def _observe(self, client: _Client, topic: str) -> Any:
        """A subscription: the ring's memory, and its own four descriptors, which go with the answer."""
        launcher = self._launcher
        node, index = topic_of(launcher, topic)
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
            send(client.channel, "ok", [ring.descriptor, *ends.all()], value=about)
        finally:
            ends.close()
        return None

    def _stop(self, _: _Client, by: str) -> Any:
        self.stop_wanted = by or "the command line"
        return True

    def _logs(self, client: _Client, node: str, count: int, follow: bool) -> Any:
        """The last printed lines, oldest first, as many as fit into an answer; others follow as they come."""
        logs = self._launcher.logs
        names = [home_of(self._launcher, node)] if node else list(self._launcher.processes)
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
            if client.follows is None or (client.follows and self._launcher.process_of[client.follows] != process):
                continue
            for line in lines:
                if not _of(client.follows, line):
                    continue
                try:
                    send(client.channel, "line", line=_about(process, line), lost=client.lost)
                    client.lost = 0
                except LinkFailed:
                    client.lost += 1
                except Disconnected:
                    # Its socket says so to `_serve`.
                    break

    def _graph(self, client: _Client) -> Any:
        """The graph as it was launched, which goes with the answer as a file in memory."""
        descriptor = os.memfd_create("graph", os.MFD_CLOEXEC)
        try:
            with os.fdopen(os.dup(descriptor), "wb") as stream:
                pickle.dump(self._launcher.plan.graph, stream)
            os.lseek(descriptor, 0, os.SEEK_SET)
            send(client.channel, "ok", [descriptor], value=True)
        finally:
            os.close(descriptor)
        return None


def _of(node: str, line: Line) -> bool:
    """Whether a line is of a node; what a library prints by itself is of every node of its process."""
    return not node or line.node in ("", node)


def _about(process: str, line: Line) -> list[str]:
    return [process, line.node, line.text]


def _plain(output: Output) -> dict[str, Any]:
    refined = output.refined
    return {
        "port": output.port,
        "message": f"{output.kind.__module__}:{output.kind.__qualname__}",
        "sizes": dict(refined.sizes),
        "dtypes": dict(refined.dtypes),
        "frame": refined.frame,
    }


_VERBS: dict[str, Callable[..., Any]] = {
    "observe": Control._observe,
    "stop": Control._stop,
    "logs": Control._logs,
    "graph": Control._graph,
}
