"""dora: nodes that its daemon starts from a YAML file; Arrow arrays, large ones in Zenoh's shared memory."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tests.benchmarks.links.lines import ROOT, Peer, beside, launch
from tests.benchmarks.links.loads import LOADS, Load
from tests.benchmarks.links.seam import INSTALL

POOL = 512 * 1024 * 1024
"""Shared memory for what is on its way [B], over all nodes: each has its share, and fills it when it starts."""


class Dora(Peer):
    """Its workers are nodes of a data flow."""

    def available(self) -> str:
        """Needs the library and its command."""
        return super().available() or ("" if beside("dora") else f"no command `dora`: {INSTALL}")

    def start(self, folder: Path, takers: int) -> list[subprocess.Popen[bytes]]:
        """Have `dora run` start the workers."""
        nodes: list[dict[str, Any]] = []
        for number in range(takers + 1):
            program, *arguments = self.words(folder, number, takers)
            nodes.append(
                {
                    "id": f"n{number}",
                    "path": program,
                    "args": " ".join(arguments),
                    "inputs": {} if number == 0 and takers > 1 else _inputs(*(("there", 0) if number else ("back", 1))),
                    "outputs": [_port("back" if number else "there", load) for load in LOADS] if number < 2 else [],
                    "env": {"PYTHONPATH": str(ROOT)},
                }
            )
        flow = folder / "flow.yml"
        flow.write_text(yaml.safe_dump({"nodes": nodes}))
        command = beside("dora")
        assert command is not None
        return [
            launch(
                [command, "run", "--log-level", "error", str(flow)],
                folder,
                # Nothing is sought by multicast, and nothing listens beyond the loopback.
                DORA_ZENOH_MULTICAST="off",
                DORA_ZENOH_LISTEN="tcp/127.0.0.1:0",
                DORA_NODE_SHM_POOL_SIZE=str(POOL // (takers + 1)),
            )
        ]


def _port(lane: str, load: Load) -> str:
    return f"{lane}-{load.size}"


def _inputs(lane: str, node: int) -> dict[str, dict[str, Any]]:
    return {_port(lane, load): {"source": f"n{node}/{_port(lane, load)}", "queue_size": load.waiting} for load in LOADS}


PEER = Dora("dora", f"{__name__}:Endpoint", "dora")


class Endpoint:
    """One process: a node has one stream of events, for all kinds of message."""

    def __init__(self, folder: Path, number: int, takers: int) -> None:
        import dora

        self._node = dora.Node()
        self._out, self._in = ("there", "back") if number == 0 else ("back", "there")

    def sender(self, load: Load) -> Sender:
        """An output."""
        return Sender(self._node, _port(self._out, load), load)

    def receiver(self, load: Load) -> Receiver:
        """The inputs."""
        return Receiver(self._node, _port(self._in, load), load)

    def close(self) -> None:
        """Its node ends with the process."""
        del self._node


class Sender:
    """Sends one flat array; the stamp goes beside it."""

    def __init__(self, node: Any, output: str, load: Load) -> None:
        import pyarrow

        self._array = pyarrow.array
        self._send = node.send_output
        self._output = output
        self._fields = load.fields

    def send(self, message: Any) -> None:
        """Send one."""
        arrays = [getattr(message, name).reshape(-1) for name in self._fields]
        data = self._array(arrays[0] if len(arrays) == 1 else np.concatenate(arrays))
        self._send(self._output, data, {"acquired": message.acquired})


class Receiver:
    """Takes the events that are messages of one kind."""

    def __init__(self, node: Any, source: str, load: Load) -> None:
        self._next = node.next
        self._input = source
        self._shape = (len(load.fields), *load.shape)
        self._kind: type[Any] = load.kind
        self._fields = load.fields

    def recv(self) -> Any:
        """Wait for one."""
        while True:
            event = self._next()
            if event is None or event["type"] == "STOP":
                raise EOFError("dora stopped")
            if event["type"] == "INPUT" and event["id"] == self._input:
                break
        rows = event["value"].to_numpy().reshape(self._shape)
        return self._kind(**dict(zip(self._fields, rows, strict=True)), acquired=event["metadata"]["acquired"])
