"""Sockets of a process with guards, at which a stop reaches them without the launcher.

One is in the run's directory, one in the abstract namespace of unix(7), which needs no directory at all: an emergency
stop gets through while the launcher is suspended, hangs or is flooded, and when the directory has gone.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable

from embodied.clock import SECOND
from embodied.errors import LinkFailed
from embodied.live.connections import Connection, Connections
from embodied.live.heartbeat import Heartbeat
from embodied.live.ipc import Packet, send
from embodied.live.loop import ProcessLoop
from embodied.live.process_spec import GuardsSpec
from embodied.live.run_directory import BACKLOG, RunDirectory
from embodied.live.run_places import GUARD, abstract_prefix
from embodied.live.worker_requests import WorkerRequests

LONGEST = 500
"""Length to which texts of clients, and refusals, are cut [characters]."""

LAUNCHER_TIMEOUT = 2 * SECOND
"""Silence of the launcher after which the guards stop [ns]: nothing watches over the other processes any more."""

LAUNCHER_PERIOD = SECOND // 10
"""Time between two looks at the launcher's heartbeat [ns]."""


class GuardSocket:
    """Sockets of a process with guards: stops, resets and reports straight from their own process.

    Args:
        loop: of the process.
        requests: carried out in the process.
        spec: of the guards: where they are reached.
        launcher: heartbeat of the launcher.
    """

    def __init__(
        self,
        loop: ProcessLoop,
        requests: WorkerRequests,
        spec: GuardsSpec,
        launcher: Heartbeat,
    ) -> None:
        self._loop = loop
        self._requests = requests
        self._spec = spec
        self._launcher = launcher
        self._silent = False
        self._doors = [self._door(listener) for listener in self._listeners()]
        loop.every(LAUNCHER_PERIOD, self._watch)

    def close(self) -> None:
        """Close the sockets; the directory goes with the run."""
        for door in self._doors:
            door.close()

    def _door(self, listener: socket.socket) -> Connections[Connection]:
        return Connections(self._loop, listener, Connection, self._answer, self._refuse)

    def _listeners(self) -> list[socket.socket]:
        """Return the sockets that could be made: one is enough, and a process without any still runs."""
        found = []
        attempts: tuple[Callable[[], socket.socket], ...] = (self._in_directory, self._abstract)
        for attempt in attempts:
            try:
                found.append(attempt())
            except (OSError, LinkFailed) as error:
                print(f"one of two sockets for an emergency stop is missing: {error}")
        return found

    def _in_directory(self) -> socket.socket:
        return RunDirectory(self._spec.directory).listen(f"{GUARD}{self._spec.number}")

    def _abstract(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Anybody may take a name in this namespace; nobody can guess this one. Clients ask the kernel for its owner.
        run, number = self._spec.directory.name, self._spec.number
        made.bind(f"\0{abstract_prefix()}{run}/{number}/{secrets.token_hex(4)}")
        made.listen(BACKLOG)
        made.setblocking(False)
        return made

    def _answer(self, client: Connection, packet: Packet) -> None:
        if packet.verb == "guards":
            answer = self._requests.answer("guards", packet.about)
        elif packet.verb == "stop":
            # It counts whatever else is in it, and even if its client has gone: whoever wanted to stop still does.
            reason = packet.about.get("reason")
            answer = self._requests.answer("stop", {"reason": reason[:LONGEST] if isinstance(reason, str) else ""})
        elif packet.verb != "reset":
            answer = {"error": f"a guard takes stop, reset and guards, got '{packet.verb}'"}
        elif client.gone():
            # The person read that the reset had failed, and may stand in the cell by now.
            return
        elif self._silent:
            silence = (time.monotonic_ns() - self._launcher.read().at) / SECOND
            answer = {"error": f"the launcher has been silent for {silence:.1f} s; {_REMEDY}"}
        else:
            answer = self._requests.answer("reset", {"by": str(packet.about.get("by", ""))[:LONGEST]})
        if "error" in answer:
            self._refuse(client, answer["error"])
        else:
            # Only a report from after this moment says what came of the request.
            at = self._loop.now if self._loop.epoch else 0
            send(client.channel, "ok", value=answer["value"], guards=list(self._spec.every), at=at)

    def _refuse(self, client: Connection, text: str) -> None:
        send(client.channel, "error", text=text[:LONGEST], help=[], guards=list(self._spec.every))

    def _watch(self) -> None:
        """Stop the guards once when the launcher has fallen silent: a person has to look before they go on."""
        silence = time.monotonic_ns() - self._launcher.read().at
        if silence < LAUNCHER_TIMEOUT:
            self._silent = False
        elif not self._silent:
            self._silent = True
            reason = f"the launcher has been silent for {LAUNCHER_TIMEOUT // SECOND} s"
            self._requests.answer("stop", {"reason": reason})


_REMEDY = "let it go on (kill -CONT) or end the run (kill -9) first; 'embodied ps' names its process"
"""What a person does before the guards of a silent launcher can be released."""
