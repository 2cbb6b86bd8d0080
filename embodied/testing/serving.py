"""Both ends of a real connection on the steady clock: a virtual device that is served, and a driver that is stepped."""

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
"""Event that is never set: waiting for it lets time pass."""


class Serving:
    """Server of a virtual device: a thread that runs it and the world of its body, while this is entered.

    Args:
        virtual: virtual device to serve.
        world: world of its body, advanced before each of its steps.
        seed: seed of the world.

    Attributes:
        failure: error of one of its steps, raised on leaving; None if there is none.
        late: largest delay of its steps [s]; more than a little, and the machine is too slow to judge a driver.
    """

    def __init__(self, virtual: VirtualDevice, world: World | None = None, seed: int = 0) -> None:
        self.virtual = virtual
        self.failure: BaseException | None = None
        self.late = 0.0
        self._world = world
        self._seed = seed
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(virtual).__name__)

    def __enter__(self) -> Serving:
        self._thread.start()
        self._ready.wait()
        if self.failure is not None:
            self._thread.join()
            raise self.failure
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        try:
            self._open()
            self._ready.set()
            self._loop()
        except BaseException as error:  # raised where this is entered or left
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

    def _loop(self) -> None:
        rate, stepper = rate_of(self.virtual.rate), Stepper(self.virtual)
        epoch = time.monotonic_ns()
        n = 0
        while not self._stop.wait(max(0.0, (epoch + tick(n, rate) - time.monotonic_ns()) / SECOND)):
            now = tick(n, rate)
            if self._world is not None:
                self._world.advance(now)
            stepper.step(now, None)
            done = Time(time.monotonic_ns() - epoch)
            self.late = max(self.late, (done - now) / SECOND)
            # Ticks that are over are skipped, not caught up.
            n = max(n + 1, ticks_by(done, rate))


class Stepper:
    """Stepper of a node outside of a graph, with a command, the time, and no other input.

    Args:
        node: node to step.

    Attributes:
        ports: ports of the node.
    """

    def __init__(self, node: Node) -> None:
        self._step: Callable[..., Any] = node.step  # type: ignore[attr-defined]
        self.ports: Ports = node.ports()

    def step(self, now: Time, command: Command | None) -> dict[str, Message]:
        """Run one step of the node.

        Args:
            now: time of the step.
            command: input of the ports that take its type.

        Returns:
            outputs of the step, by port.
        """
        inputs: dict[str, Any] = {}
        for name, port in self.ports.inputs.items():
            takes = command is not None and issubclass(type(command), port.message)
            inputs[name] = command if takes else [] if port.delivery == "every" else None
        if self.ports.now is not None:
            inputs[self.ports.now] = now
        result = self._step(**inputs)
        if self.ports.bundle is not None:
            return {name: value for name, value in result._asdict().items() if value is not None}
        return {} if result is None else {next(iter(self.ports.outputs)): result}


@dataclass
class Drive:
    """Run of a driver at its rate against a served device, on the steady clock.

    Attributes:
        driver: driver that is stepped.
        outputs: outputs of each step, by port.
        closed: whether the driver was closed.
        late: largest delay from a tick to the end of its step [s].
    """

    driver: Driver
    outputs: list[dict[str, Message]] = field(default_factory=list)
    closed: bool = False
    late: float = 0.0

    def __post_init__(self) -> None:
        self._stepper = Stepper(self.driver)
        self._rate = rate_of(self.driver.rate)
        self.begin()

    def begin(self) -> None:
        """Set the time to 0."""
        self._epoch = time.monotonic_ns()

    @property
    def now(self) -> Time:
        """Time since the beginning [ns]."""
        return Time(time.monotonic_ns() - self._epoch)

    def go(self, seconds: float, command: Callable[[float], Command | None] = lambda _: None) -> None:
        """Step the driver for some time.

        Args:
            seconds: duration [s].
            command: function of the time since this call [s] to the command of a step; no command by default.
        """
        begin = self.now
        n = ticks_by(begin, self._rate) + 1
        while (at := tick(n, self._rate)) <= begin + seconds * SECOND:
            pause((at - self.now) / SECOND)
            self.outputs.append(self._stepper.step(at, command((at - begin) / SECOND)))
            self.late = max(self.late, (self.now - at) / SECOND)
            n = max(n + 1, ticks_by(self.now, self._rate))

    def close(self) -> None:
        """Close the driver, unless it is closed already."""
        if not self.closed:
            self.closed = True
            self.driver.close()  # type: ignore[attr-defined]

    def newest(self, kind: type[Any]) -> Any:
        """Return the newest output of a type; None before the first."""
        return next((m for step in reversed(self.outputs) for m in step.values() if isinstance(m, kind)), None)

    @property
    def status(self) -> DeviceStatus | None:
        """Newest status that the driver reported."""
        status: DeviceStatus | None = self.newest(DeviceStatus)
        return status

    @property
    def applied(self) -> Command | None:
        """Command that was sent in the last step; None if none was."""
        command = self.outputs[-1].get("applied") if self.outputs else None
        return command if isinstance(command, Command) else None


def pause(seconds: float) -> None:
    """Let time pass on the steady clock, without stepping anything [s]."""
    if seconds > 0:
        _PAUSE.wait(seconds)
