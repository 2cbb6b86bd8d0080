"""Both ends of a real wire on the steady clock: a far side that is served, and a driver that is stepped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from embodied.clock import SECOND, Time, rate_of, tick, ticks_by
from embodied.devices.virtual import VirtualDevice
from embodied.graph.plan import opens_world
from embodied.messages import DeviceStatus
from embodied.messages.schema import Command, Message
from embodied.node.node import Driver, Node, generator
from embodied.node.ports import Ports
from embodied.world import World

_PAUSE = threading.Event()
"""Nobody sets it; to wait for it is to let time pass."""


class Serving:
    """Runs a far side beside the caller, and the world that its body lives in.

    Args:
        virtual: the far side.
        world: advanced before each of its steps.
        seed: of the world.

    Attributes:
        failure: what its step raised, if it did.
        late: by how much its latest step came too late [s]; more than a little, and the machine is too slow to judge.
    """

    def __init__(self, virtual: VirtualDevice, world: World | None = None, seed: int = 0) -> None:
        self.virtual = virtual
        self.failure: BaseException | None = None
        self.late = 0.0
        self._world = world
        self._seed = seed
        self._over = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=type(virtual).__name__)

    def __enter__(self) -> Serving:
        self._thread.start()
        self._ready.wait()
        if self.failure is not None:
            self._thread.join()
            raise self.failure
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _serve(self) -> None:
        try:
            self._open()
            self._ready.set()
            self._turn()
        except BaseException as error:  # told where it is waited for
            self.failure = error
        finally:
            self._ready.set()
            for thing in (self.virtual, self._world):
                closer = getattr(thing, "close", None)
                if closer is not None:
                    closer()

    def _open(self) -> None:
        virtual: Any = self.virtual
        virtual.rng = generator(self._seed, "virtual")
        if self._world is not None:
            self._world.reset(self._seed)
        virtual.open(self._world) if opens_world(virtual) else virtual.open()

    def _turn(self) -> None:
        rate, stepping = rate_of(self.virtual.rate), Stepping(self.virtual)
        epoch = time.monotonic_ns()
        n = 0
        while not self._over.wait(max(0.0, (epoch + tick(n, rate) - time.monotonic_ns()) / SECOND)):
            now = tick(n, rate)
            if self._world is not None:
                self._world.advance(now)
            stepping.step(now, None)
            done = Time(time.monotonic_ns() - epoch)
            self.late = max(self.late, (done - now) / SECOND)
            n = max(n + 1, ticks_by(done, rate))


class Stepping:
    """Calls the step of a node outside any graph: a command or none, the time, and nothing else is wired."""

    def __init__(self, node: Node) -> None:
        self._step: Callable[..., Any] = node.step  # type: ignore[attr-defined]
        self.ports: Ports = node.ports()

    def step(self, now: Time, command: Command | None) -> dict[str, Message]:
        """One step.

        Returns:
            what it gave, by port.
        """
        given: dict[str, Any] = {}
        for name, port in self.ports.inputs.items():
            takes = command is not None and issubclass(type(command), port.message)
            given[name] = command if takes else [] if port.delivery == "every" else None
        if self.ports.now is not None:
            given[self.ports.now] = now
        found = self._step(**given)
        if self.ports.bundle is not None:
            return {name: value for name, value in found._asdict().items() if value is not None}
        return {} if found is None else {next(iter(self.ports.outputs)): found}


@dataclass
class Drive:
    """A driver that is stepped at its rate on the steady clock.

    Attributes:
        driver: which.
        outputs: what it published at each step, by port.
        closed: whether the driver was closed.
        late: by how long after its tick its latest step was over [s].
    """

    driver: Driver
    outputs: list[dict[str, Message]] = field(default_factory=list)
    closed: bool = False
    late: float = 0.0

    def __post_init__(self) -> None:
        self._stepping = Stepping(self.driver)
        self._rate = rate_of(self.driver.rate)
        self.begin()

    def begin(self) -> None:
        """Time is 0 now."""
        self._epoch = time.monotonic_ns()

    @property
    def now(self) -> Time:
        """Time since it began [ns]."""
        return Time(time.monotonic_ns() - self._epoch)

    def go(self, seconds: float, command: Callable[[float], Command | None] = lambda _: None) -> None:
        """Step for a while.

        Args:
            seconds: how long [s].
            command: what it is told, so many seconds after this began; nothing by default.
        """
        begin = self.now
        n = ticks_by(begin, self._rate) + 1
        while (at := tick(n, self._rate)) <= begin + seconds * SECOND:
            pause((at - self.now) / SECOND)
            self.outputs.append(self._stepping.step(at, command((at - begin) / SECOND)))
            self.late = max(self.late, (self.now - at) / SECOND)
            n = max(n + 1, ticks_by(self.now, self._rate))

    def close(self) -> None:
        """Close the driver, once."""
        if not self.closed:
            self.closed = True
            self.driver.close()  # type: ignore[attr-defined]

    def newest(self, kind: type[Any]) -> Any:
        """The newest message of a type that it gave; None before the first."""
        return next((m for step in reversed(self.outputs) for m in step.values() if isinstance(m, kind)), None)

    @property
    def status(self) -> DeviceStatus | None:
        """How the device is, as far as the driver knew when it last stepped."""
        found: DeviceStatus | None = self.newest(DeviceStatus)
        return found

    @property
    def applied(self) -> Command | None:
        """What was sent in the last step."""
        found = self.outputs[-1].get("applied") if self.outputs else None
        return found if isinstance(found, Command) else None


def pause(seconds: float) -> None:
    """Let time pass [s]."""
    if seconds > 0:
        _PAUSE.wait(seconds)
