"""iceoryx2: publish and subscribe in shared memory, with an event that wakes whoever waits."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from tests.benchmarks.links.flat import Flat
from tests.benchmarks.links.lines import Peer
from tests.benchmarks.links.loads import Load

NODES = 16
"""As many processes may open a service."""


class Iceoryx2(Peer):
    """Its files carry the name of the folder."""

    def tidy(self, folder: Path) -> None:
        """Remove the shared memory of processes that were killed."""
        for path in Path("/dev/shm").glob(f"{_prefix(folder)}*"):
            path.unlink(missing_ok=True)


COPIED = Iceoryx2("iceoryx2", f"{__name__}:Endpoint", "iceoryx2")
IN_PLACE = Iceoryx2("iceoryx2, in place", f"{__name__}:Endpoint", "iceoryx2", in_place=True, smallest=64 * 1024)


def _prefix(folder: Path) -> str:
    return f"{folder.name}_"


class Endpoint:
    """One process: a service for the data and one for the event, per kind of message and direction."""

    def __init__(self, folder: Path, number: int, takers: int) -> None:
        import iceoryx2

        iceoryx2.set_log_level(iceoryx2.LogLevel.Fatal)
        self._iceoryx2 = iceoryx2
        self._takers = takers
        self._out, self._in = ("there", "back") if number == 0 else ("back", "there")
        config = iceoryx2.config.default()
        config.global_cfg.prefix = iceoryx2.FileName.new(_prefix(folder))
        config.global_cfg.root_path = iceoryx2.Path.new(str(folder / "iceoryx2"))
        builder = iceoryx2.NodeBuilder.new().config(config)
        # Ctrl-C is the harness's business.
        self._node = builder.signal_handling_mode(iceoryx2.SignalHandlingMode.Disabled).create(iceoryx2.ServiceType.Ipc)
        self._ports: list[Any] = []

    def _services(self, lane: str, load: Load) -> tuple[Any, Any]:
        name = self._iceoryx2.ServiceName.new(f"{lane}/{load.name}")
        data = (
            self._node.service_builder(name)
            .publish_subscribe(self._iceoryx2.Slice[ctypes.c_uint8])
            .max_publishers(1)
            .max_subscribers(self._takers)
            .max_nodes(NODES)
            .subscriber_max_buffer_size(load.waiting)
            .payload_alignment(self._iceoryx2.Alignment.new(64))
            .open_or_create()
        )
        event = (
            self._node.service_builder(name)
            .event()
            .max_notifiers(1)
            .max_listeners(self._takers)
            .max_nodes(NODES)
            .open_or_create()
        )
        return data, event

    def sender(self, load: Load) -> Sender:
        """A publisher and a notifier."""
        flat = Flat(load)
        data, event = self._services(self._out, load)
        publisher = data.publisher_builder().initial_max_slice_len(flat.size).create()
        return Sender(publisher, event.notifier_builder().create(), flat)

    def receiver(self, load: Load) -> Receiver:
        """A subscriber and a listener."""
        data, event = self._services(self._in, load)
        return Receiver(data.subscriber_builder().create(), event.listener_builder().create(), Flat(load))

    def close(self) -> None:
        """The services go with the ports, and those with the node."""
        del self._node


class Sender:
    """Loans a slot, writes it, sends it, and wakes whoever waits."""

    def __init__(self, publisher: Any, notifier: Any, flat: Flat) -> None:
        self._loan = publisher.loan_slice_uninit
        self._notify = notifier.notify
        self._flat = flat
        self._memory = ctypes.c_uint8 * flat.size
        self._loaned: Any = None

    def send(self, message: Any) -> None:
        """Send one."""
        if self._loaned is None:
            sample = self._loan(self._flat.size)
            self._flat.write(message, self._memory.from_address(sample.payload_ptr))
        else:
            sample, self._loaned = self._loaned, None
            self._flat.stamp(message, self._memory.from_address(sample.payload_ptr))
        sample.assume_init().send()
        self._notify()

    def fresh(self) -> Any:
        """A message in a loaned slot."""
        self._loaned = self._loan(self._flat.size)
        return self._flat.view(self._memory.from_address(self._loaned.payload_ptr))


class Receiver:
    """Takes what is there, or waits for the event."""

    def __init__(self, subscriber: Any, listener: Any, flat: Flat) -> None:
        self._receive = subscriber.receive
        self._wait = listener.blocking_wait
        self._flat = flat
        self._memory = ctypes.c_uint8 * flat.size
        self._sample: Any = None

    def recv(self) -> Any:
        """Wait for one; its slot goes back at the next call."""
        while (sample := self._receive()) is None:
            self._wait()
        self._sample = sample
        return self._flat.read(self._memory.from_address(sample.payload_ptr))
