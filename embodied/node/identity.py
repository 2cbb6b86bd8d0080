"""What a device says it is, and whether that is what the launch file wants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from embodied.robot import Robot

SLACK = 1e-3
"""A limit counts as the same within this [rad], [rad/s] or [m]: devices round theirs to ticks and to degrees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointRange:
    """How far a joint goes by the device itself, and how fast.

    Attributes:
        lower, upper: of its position, in the unit of the identity; infinite where the device does not say.
        velocity: the most it does, in that unit a second.
    """

    lower: float
    upper: float
    velocity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A device, as it introduces itself once it is open.

    Attributes:
        model: what the maker calls it.
        serial: of this very one; empty where the device has none.
        firmware: as it says; may be empty.
        virtual: True for the far side of a wire that has no hardware behind it.
        joints: by name, in the device's order; empty for what has none.
        unit: in which the driver gives positions, `rad` or `m`.
        size: width and height of the images that it gives [px]; None for what gives none.
        sizes: others that it can give, where it says.
        unfit: why it cannot be used as it is, a sentence each: a motor in another mode, a part of another kind.
    """

    model: str
    serial: str = ""
    firmware: str = ""
    virtual: bool = False
    joints: dict[str, JointRange] = field(default_factory=dict)
    unit: str = "rad"
    size: tuple[int, int] | None = None
    sizes: tuple[tuple[int, int], ...] = ()
    unfit: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [self.model, f"serial {self.serial}" if self.serial else "", self.firmware]
        return ", ".join(filter(None, parts)) + (" (virtual)" if self.virtual else "")


def differences(identity: Identity, driver: Any) -> Iterator[str]:
    """In what a device is not what a driver was set up for, a sentence each.

    Args:
        identity: of the device.
        driver: its settings `robot`, `serial`, `width` and `height` are what the launch file wants, where it has them
            and they are set.
    """
    yield from identity.unfit
    wanted = getattr(driver, "serial", "")
    if isinstance(wanted, str) and wanted and wanted != identity.serial:
        yield f"the serial number is {identity.serial or 'not told'}, and the launch file wants {wanted}"
    robot = getattr(driver, "robot", None)
    if isinstance(robot, Robot):
        yield from _joints(identity, robot)
    if identity.size is not None:
        size = tuple(
            getattr(driver, name, 0) or own for name, own in zip(("width", "height"), identity.size, strict=True)
        )
        if size != identity.size:
            able = ", ".join(_pixels(other) for other in identity.sizes)
            also = f"; it says that it can give {able}" if able else ""
            yield f"its images are {_pixels(identity.size)}, and the launch file wants {_pixels(size)}{also}"


def _pixels(size: tuple[int, ...]) -> str:
    return "×".join(map(str, size))


def _joints(identity: Identity, robot: Robot) -> Iterator[str]:
    if identity.unit != "rad":
        yield f"it counts its joints in {identity.unit}, and '{robot.name}' in rad"
    if list(identity.joints) != list(robot.joints):
        yield f"its joints are {list(identity.joints)}, and those of '{robot.name}' are {list(robot.joints)}"
        return
    for name, joint in robot.joints.items():
        own = identity.joints[name]
        if joint.lower < own.lower - SLACK or joint.upper > own.upper + SLACK:
            yield (
                f"{name} goes from {own.lower:.4g} to {own.upper:.4g} rad, "
                f"and the launch file allows {joint.lower:.4g} to {joint.upper:.4g}"
            )
        if joint.velocity > own.velocity + SLACK:
            yield f"{name} makes {own.velocity:.4g} rad/s at most, and the launch file allows {joint.velocity:.4g}"
