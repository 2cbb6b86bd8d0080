"""Control plane: the socket at which a running graph answers requests, without a daemon in between.

A request is one packet and so is its answer, `ok` or `error`. An observer of a topic gets a subscription of its own,
with descriptors of the shared memory, and ends it by closing its connection.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from embodied.errors import EmbodiedError, LaunchError, LinkFailed, error_text
from embodied.live.connections import Connection, Connections
from embodied.live.ipc import ENDED, LARGEST, Disconnected, Packet, send
from embodied.live.launcher import Launcher
from embodied.live.launcher_requests import LONGEST_REASON, REQUESTS, home_of, topic_of, unknown
from embodied.live.log_files import Line
from embodied.live.process_spec import Output
from embodied.live.request_form import check_form
from embodied.untrusted.text import shown

KEEP_PERIOD = 1.0
"""Time between two looks whether the run's directory is still there [s]."""

STOPS = {"estop": ("reason",), "stop": ("by",)}
"""Requests that are carried out whatever their arguments are, with those that count if they are texts."""

LONGEST_HELP = 1000
"""Length to which a line of help in a refusal is cut [characters]."""


@dataclass(slots=True, eq=False)
class _Client(Connection):
    """A connection to the control socket.

    Attributes:
        observes: observed node, by the name of the subscription.
        follows: node whose printed lines it gets as they come; empty for all nodes, None for no lines.
        lost: number of lines that it did not read in time.
    """

    observes: dict[str, str] = field(default_factory=dict)
    follows: str | None = None
    lost: int = 0

    @property
    def waits(self) -> bool:
        """Whether the client rightly says nothing, since it waits for what is sent to it."""
        return bool(self.observes) or self.follows is not None


class Control:
    """Control socket of a running graph: answers requests to its launcher.

    Args:
        launcher: of the run.
        about: of the run, as `ps` shows it: file, profile, seed.
    """

    def __init__(self, launcher: Launcher, about: Mapping[str, Any]) -> None:
        self._launcher = launcher
        self._about = dict(about)
        self._count = self._refused = 0
        self._kept = time.monotonic()
        self._connections = Connections(
            launcher, launcher.directory.listen(), _Client, self._requested, self._refuse, self._forget_observers
        )
        self._describe()
        launcher.logs.listener = self._printed

    def _describe(self) -> None:
        """Write the description of the run into its directory."""
        launcher = self._launcher
        about = {"pid": os.getpid(), "processes": launcher.layout, "guards": launcher.guards()}
        launcher.directory.write({**self._about, **about})

    def keep(self) -> None:
        """Make the run's directory again if it has gone, as with the last logout of its user, so that it is found."""
        now = time.monotonic()
        if now - self._kept < KEEP_PERIOD:
            return
        self._kept = now
        directory = self._launcher.directory
        if directory.intact():
            return
        try:
            directory.restore()
            self._connections.listen(directory.listen())
            self._describe()
        except (OSError, LinkFailed):
            # There is no place for it now; the guards' own sockets need none.
            return
        self._launcher.moved()

    @property
    def stop_wanted(self) -> str:
        """Name of the one who asked the run to stop; empty if nobody did."""
        return self._launcher.cancelled

    @stop_wanted.setter
    def stop_wanted(self, by: str) -> None:
        self._launcher.cancelled = by

    def close(self) -> None:
        """Tell every client that the run has ended, and what did not stop in order; close the control socket."""
        for client in self._connections.clients:
            with contextlib.suppress(Disconnected, LinkFailed):
                send(client.channel, ENDED, failures=self._launcher.not_stopped)
        self._connections.close()

    def _forget_observers(self, client: _Client) -> None:
        for name, node in client.observes.items():
            self._launcher.unobserve(node, name)

    def _requested(self, client: _Client, packet: Packet) -> None:
        # The person read that the request had failed, and acts by that; but whoever wanted to stop still does.
        if packet.verb in STOPS or not client.gone():
            self._answer(client, packet)

    def _answer(self, client: _Client, packet: Packet) -> None:
        try:
            answer = self._carry_out(client, packet)
            if answer is not None:
                send(client.channel, "ok", value=answer)
        except Disconnected:
            raise
        except LaunchError as error:
            (problem,) = error.problems
            self._refuse(client, problem.message, problem.help)
        except (ValueError, EmbodiedError) as error:
            self._refuse(client, str(error))
        except Exception as error:
            # The form is right, and a value may still be wrong for what answers; the run goes on.
            self._refuse(client, f"'{packet.verb}' cannot be done with these arguments: {error_text(error)}")

    def _carry_out(self, client: _Client, packet: Packet) -> Any:
        """Check the form of a request, and carry it out.

        Raises:
            LaunchError: there is no such request, or what it names.
            ValueError: its arguments have another form.
        """
        verb, about = packet.verb, packet.about
        answer = _VERBS.get(verb) or REQUESTS.get(verb)
        if answer is None:
            raise unknown(f"there is no request {shown(verb)}", verb, [*_VERBS, *REQUESTS])
        if verb in STOPS:
            # A stop depends on nothing that can be missing: what does not fit is left out.
            texts = {name: value for name, value in about.items() if name in STOPS[verb] and isinstance(value, str)}
            about = {name: text[:LONGEST_REASON] for name, text in texts.items()}
        context = (self, client) if verb in _VERBS else (self._launcher,)
        check_form(verb, answer, about, len(context))
        value = answer(*context, **about)
        return {**self._about, **value, "refused": self._refused} if verb == "status" else value

    def _refuse(self, client: _Client, text: str, help_: Sequence[str] = ()) -> None:
        """Answer that a request is not carried out, and count it."""
        self._refused += 1
        send(client.channel, "error", text=text[: LARGEST // 8], help=[line[:LONGEST_HELP] for line in help_])

    def _observe(self, client: _Client, topic: str) -> Any:
        """Answer with a subscription: the ring's memory and four descriptors of its own."""
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
                "open_size": ring.open_size,
                "epoch": launcher.epoch,
                "outputs": [_plain(output) for output in outputs],
                "taken": f"{node}.{outputs[index].port}" in launcher.plan.taken,
            }
            send(client.channel, "ok", [ring.descriptor, *ends.all()], value=about)
        finally:
            ends.close()
        return None

    def _stop(self, _: _Client, by: str = "") -> Any:
        self.stop_wanted = by or "the command line"
        return True

    def _logs(self, client: _Client, node: str, count: int, follow: bool) -> Any:
        """Answer with the last printed lines that fit into a packet, oldest first; later ones follow as they come."""
        logs = self._launcher.logs
        names = [home_of(self._launcher, node)] if node else list(self._launcher.processes)
        printed = sorted((line.at, _about(name, line)) for name in names for line in logs.last(name) if _of(node, line))
        size = 0
        lines: list[list[str]] = []
        for _, line in printed[: -count - 1 : -1]:
            size += sum(len(part.encode()) for part in line)
            if size > LARGEST // 2:
                break
            lines.append(line)
        client.follows = node if follow else None
        return lines[::-1]

    def _printed(self, process: str, lines: list[Line]) -> None:
        """Pass printed lines on to the clients that follow; one that does not read in time loses them, counted."""
        for client in list(self._connections.clients):
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
                    # The closed socket becomes readable, and the connection is dropped.
                    break

    def _graph(self, client: _Client) -> Any:
        """Answer with the graph as it was launched, pickled into a file in memory."""
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
    """Return whether a line belongs to a node; what a library prints by itself belongs to every node of its process."""
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
