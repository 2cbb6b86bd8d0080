"""Contract of a simulated world: determinism by seed, whole physics steps, renderings without effect, a final verdict.

class TestBelt(WorldContract):
def world(self) -> World:
return Belt()
"""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import SkipTest

import numpy as np

from embodied.bodies import Cameras
from embodied.clock import SECOND, Time, period, rate_of
from embodied.errors import FOREIGN
from embodied.world import World


class WorldContract:
    """Contract of a simulated world: base of its test, to inherit, and say which world it is.

    Attributes:
        seconds: simulated time over which two runs are compared [s].
        seeds: two seeds whose runs differ.
        size: width and height of the images that are rendered [px].
    """

    seconds: float = 0.5
    seeds: tuple[int, int] = (10**9, 10**9 + 1)
    size: tuple[int, int] = (64, 48)

    @abstractmethod
    def world(self) -> World:
        """Build a world from its settings; a new one for each call, before any reset."""
        raise NotImplementedError

    @contextmanager
    def built(self, seed: int | None = None) -> Iterator[World]:
        """Build a world, reset it by a seed, and close it afterwards."""
        world = self.world()
        try:
            world.reset(self.seeds[0] if seed is None else seed)
            yield world
        finally:
            world.close()

    def test_the_same_seed_gives_the_same_run_in_two_worlds_and_after_a_reset(self) -> None:
        """Run one seed in two worlds and after another seed; every bit of the truth is equal."""
        with self.built() as one, self.built() as other:
            first = self._run(one)
            assert self._run(other) == first, "two worlds of one seed differ"
            other.reset(self.seeds[1])
            other.advance(_at(self.seconds / 2))
            other.reset(self.seeds[0])
            assert self._run(other) == first, "a reset does not build everything from the seed"

    def test_two_seeds_give_two_runs(self) -> None:
        """Run two seeds; their truths differ."""
        with self.built(self.seeds[0]) as one, self.built(self.seeds[1]) as other:
            assert self._run(one) != self._run(other)

    def test_rendering_changes_nothing(self) -> None:
        """Run a seed with and without renderings from all cameras; the truths are equal."""
        with self.built() as plain, self.built() as filmed:
            if not isinstance(filmed, Cameras) or not filmed.views:
                raise SkipTest("the world has no cameras")
            cameras = [filmed.camera(view, width=self.size[0], height=self.size[1]) for view in filmed.views]
            for end in (self.seconds / 2, self.seconds):
                plain.advance(_at(end))
                for camera in cameras:
                    camera.info()
                    camera.render(rgb=True, depth=True, segmentation=True)
                filmed.advance(_at(end))
                assert _truth(plain) == _truth(filmed), "a rendering changed the world"

    def test_an_image_has_its_size_and_depends_on_the_seed_alone(self) -> None:
        """Render all cameras of two worlds of one seed; the images are equal."""
        with self.built() as one, self.built() as other:
            if not isinstance(one, Cameras) or not isinstance(other, Cameras):
                raise SkipTest("the world has no cameras")
            width, height = self.size
            for view in one.views:
                images = [world.camera(view, width=width, height=height).render().rgb for world in (one, other)]
                assert images[0] is not None
                assert images[1] is not None
                assert images[0].shape == (height, width, 3)
                assert images[0].dtype == np.uint8
                np.testing.assert_array_equal(images[0], images[1])
            assert self._views() == one.views, "the names of the cameras depend on a reset"

    def test_physics_advances_in_whole_steps(self) -> None:
        """Advance to one instant at once and by fractions of a step; the truths are equal."""
        with self.built() as whole, self.built() as parts:
            step = period(rate_of(whole.rate))
            end = round(self.seconds * SECOND) // step * step
            whole.advance(Time(end))
            # Instants between steps: each call makes the steps that are due, and no other.
            for at in range(step // 3, end, 2 * step // 3):
                parts.advance(Time(at))
            parts.advance(Time(end + 1))
            assert _truth(whole) == _truth(parts), "the way to an instant changes what is there"
            before = _truth(parts)
            parts.advance(Time(end + 1))
            assert _truth(parts) == before, "time stood still, and the world went on"

    def test_a_verdict_stays_as_it_was_given(self) -> None:
        """Advance beyond the verdict and reset; a verdict is final, and ends with its run."""
        with self.built() as world:
            limit = getattr(world, "time_limit", None)
            if not isinstance(limit, int | float):
                raise SkipTest("the world has no setting time_limit")
            assert world.verdict() is None, "judged before it began"
            end = 0.0
            while world.verdict() is None:
                assert end <= limit + 1.0, f"no verdict after time_limit = {limit} s"
                end += 0.25
                world.advance(_at(end))
            verdict = world.verdict()
            world.advance(_at(end + 0.5))
            assert world.verdict() == verdict
            world.reset(self.seeds[0])
            assert world.verdict() is None, "a verdict outlived its run"

    def test_it_closes_and_resets_at_any_time(self) -> None:
        """Close before a reset, after one, and twice; the world is built as a new one."""
        world = self.world()
        world.close()
        for _ in range(2):
            world.reset(self.seeds[0])
            world.reset(self.seeds[1])
            world.advance(_at(0.1))
            world.close()
            world.close()
        world.reset(self.seeds[0])
        first = self._run(world)
        world.close()
        with self.built() as other:
            assert self._run(other) == first, "a world that was closed is not built as a new one"

    def test_it_refuses_to_advance_before_a_reset(self) -> None:
        """Advance a world that was never reset; it raises."""
        world = self.world()
        try:
            world.advance(_at(0.1))
        except FOREIGN:
            return
        finally:
            world.close()
        raise AssertionError("it advanced, and nothing was built")

    def _run(self, world: World) -> list[Any]:
        """Advance from a reset, and return the truth on the way."""
        truths = [_truth(world)]
        for end in (self.seconds / 2, self.seconds):
            world.advance(_at(end))
            truths.append(_truth(world))
        return truths

    def _views(self) -> tuple[str, ...]:
        world = self.world()
        try:
            return world.views if isinstance(world, Cameras) else ()
        finally:
            world.close()


def _at(seconds: float) -> Time:
    return Time(round(seconds * SECOND))


def _truth(world: World) -> Any:
    return comparable(world.truth())


def comparable(value: Any) -> Any:
    """Convert a world's truth to plain data that compares by every bit: arrays and floats become bytes."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, float):
        return np.float64(value).tobytes()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: comparable(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [comparable(item) for item in value]
    return value
