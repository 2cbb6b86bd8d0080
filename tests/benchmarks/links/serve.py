"""One process of a line: it opens its endpoint and does what the harness tells it, one measurement after the other."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import sys
import threading
import traceback
from multiprocessing.connection import Client, Connection
from pathlib import Path

from tests.benchmarks.links.worker import Worker


def serve(connection: Connection, spec: str, folder: Path, number: int, takers: int, in_place: bool) -> None:
    """Do what the harness asks until it says that it is over."""
    threading.Thread(target=_end_with, args=(connection.fileno(),), daemon=True).start()
    connection.send((number, os.getpid()))
    module, _, name = spec.partition(":")
    made = getattr(importlib.import_module(module), name)(folder, number, takers)
    # The raw limit has no endpoint.
    worker = made if isinstance(made, Worker) else Worker(made, in_place)
    connection.send(None)
    gc.collect()
    gc.freeze()
    gc.disable()
    while (asked := connection.recv()) is not None:
        verb, arguments = asked
        gc.collect()
        connection.send(getattr(worker, verb)(*arguments))
    worker.close()


def _end_with(descriptor: int) -> None:
    """End this process when the harness is gone, even while it waits for a message that never comes."""
    poll = select.poll()
    poll.register(descriptor, select.POLLRDHUP)
    poll.poll()
    os._exit(1)


def main() -> None:
    """Connect to the harness and serve it."""
    spec, folder, number, takers, in_place = sys.argv[1:]
    with Client(str(Path(folder) / "harness"), "AF_UNIX") as connection:
        try:
            serve(connection, spec, Path(folder), int(number), int(takers), in_place == "in-place")
        except EOFError:
            return
        except Exception as error:
            traceback.print_exc()
            with contextlib.suppress(OSError):
                connection.send(RuntimeError(f"{type(error).__name__}: {error}"))


if __name__ == "__main__":
    main()
