"""Base of the parts of the driver contract: tests that each get a bench of the device."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from embodied.devices.virtual import Unsupported
from embodied.testing.benches.bench import Bench
from embodied.testing.serving import Drive


class BenchContract:
    """Base of the parts of the driver contract, with a bench for each test."""

    @abstractmethod
    def bench(self) -> Bench:
        """Return a new bench of the device for each test."""
        raise NotImplementedError

    @contextmanager
    def served(self) -> Iterator[Bench]:
        """Serve the virtual device of a bench; skip the test if it cannot do something."""
        bench = self.bench()
        with bench.judged(), bench.served():
            yield bench

    @contextmanager
    def moving(self) -> Iterator[tuple[Bench, Drive]]:
        """Bring the device into the middle of a motion."""
        with self.served() as bench:
            if not bench.commanded:
                raise Unsupported("it takes no commands")
            with bench.ready() as drive:
                drive.go(min(bench.reaction + 0.1, 0.7), bench.motion)
                yield bench, drive
