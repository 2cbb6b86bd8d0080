"""Program of a worker process: read its specification, build, run and close the worker, and report what failed.

It is started with a socket to its launcher and ends when the launcher does, so that a launcher that was killed leaves
no process behind. Signals that end programs are the launcher's to handle, in order, even where they come to every
process of a run at once, as from a service manager or a container.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import IO, Any, NoReturn

from embodied import interrupts
from embodied.errors import EmbodiedError, NodeFailed, error_text
from embodied.live.heartbeat import Heartbeat
from embodied.live.ipc import Disconnected, send
from embodied.live.node_output import LineStream
from embodied.live.process import END_SIGNAL, LEFT_TO_LAUNCHER
from embodied.live.process_links import ProcessLinks
from embodied.live.process_spec import ProcessSpec
from embodied.live.worker import LONGEST_REASON, Worker


def main(stream: IO[bytes]) -> NoReturn:
    """Run a worker process from its specification to its end.

    Args:
        stream: holds its specification; the other descriptors are given on its command line.
    """
    channel, _, pulse, beat = map(int, sys.argv[1:5])
    for number in LEFT_TO_LAUNCHER:
        # A handler and not SIG_IGN, which the programs that a node starts would inherit.
        signal.signal(number, _leave)
    interrupts.claim(_leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, LEFT_TO_LAUNCHER)
    launcher = socket.socket(fileno=channel)
    launcher.setblocking(False)
    # A program that a node starts would keep the socket open when this process has ended.
    launcher.set_inheritable(False)
    heartbeat = Heartbeat(pulse)
    lines = LineStream.install(heartbeat)
    code = 0
    worker: Worker | None = None
    try:
        with stream:
            spec: ProcessSpec = pickle.load(stream)
        worker = Worker(spec, launcher, heartbeat, Heartbeat(beat), _links(spec))
        lines.nodes = list(worker.wiring.nodes)
        signal.signal(END_SIGNAL, _stops(worker))
        worker.build()
        worker.run()
    except BaseException as error:
        # Whatever it is, the nodes are closed.
        _report(launcher, error)
        code = 3
    failure = None if worker is None else worker.close()
    if failure is not None and not code:
        _report(launcher, failure)
        code = 3
    lines.finish()
    # What libraries do at the end of a process, with threads of their own, may hang or crash; everything is closed.
    os._exit(code)


def _report(launcher: socket.socket, error: BaseException) -> None:
    """Report a failure to the launcher, if it is still there."""
    text = str(error) if isinstance(error, EmbodiedError) else error_text(error)
    cause = error.cause if isinstance(error, NodeFailed) else error
    if not isinstance(cause, EmbodiedError):
        # The launcher shows a sentence; whoever has to find the line needs the whole way to it, in the log.
        traceback.print_exception(cause)
    about: dict[str, Any] = {"error": text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…"}
    if isinstance(error, NodeFailed):
        about |= {"node": error.node, "doing": error.doing}
    about["code"] = error.exit_code if isinstance(error, EmbodiedError) else 3
    try:
        send(launcher, "failed", **about)
    except (Disconnected, EmbodiedError):
        return


def _links(spec: ProcessSpec) -> type[ProcessLinks]:
    if spec.remote is None:
        return ProcessLinks
    # Only the process that reaches other machines imports what the network needs.
    from embodied.live.gateway import Gateway

    return Gateway


def _leave(_number: int, _frame: object) -> None:
    """Do nothing: the launcher stops the process when its turn has come."""


def _stops(worker: Worker) -> Callable[[int, Any], None]:
    def handler(_number: int, _frame: object) -> None:
        worker.loop.stopping = True

    return handler
