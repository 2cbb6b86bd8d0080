"""Identity of a device, and its comparison with the launch file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from embodied.robot import Robot
from embodied.untrusted.text import cut, written_out

SLACK = 1e-3
"""Tolerance for equal limits, since devices round theirs to ticks or degrees [rad], [rad/s] or [m]."""

TEXT_LENGTH = 200
"""Length to which the texts of a device are cut [characters]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointRange:
    """Limits of a joint by the device itself.

    Attributes:
        lower: limit of the position, in the unit of the identity; infinite where the device reports none.
        upper: limit of the position, likewise.
        velocity: limit of the speed, in that unit per second.
    """

    lower: float
    upper: float
    velocity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Identity of a device, as it reports it once it is open; its texts are one line that can be shown.

    Attributes:
        model: the maker's name of the model.
        serial: serial number; empty where the device has none.
        firmware: version of the firmware; may be empty.
        virtual: whether it is a virtual device, without hardware.
        joints: limits by joint name, in the device's order; empty for devices without joints.
        unit: of positions, `rad` or `m`.
        size: width and height of its images [px]; None for devices without images.
        sizes: other sizes of images that it supports, where it reports them.
        unfit: reasons why it cannot be used as it is, a sentence each: a motor in another mode, a part of another kind.
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

    def __post_init__(self) -> None:
        for name in ("model", "serial", "firmware"):
            text = cut(" ".join(written_out(getattr(self, name)).split()), TEXT_LENGTH)
            object.__setattr__(self, name, text)

    def __str__(self) -> str:
        parts = [self.model, f"serial {self.serial}" if self.serial else "", self.firmware]
        return ", ".join(filter(None, parts)) + (" (virtual)" if self.virtual else "")


def differences(identity: Identity, driver: Any) -> Iterator[str]:
    """Yield a sentence for each difference between a device and the settings of its driver.

    Args:
        identity: of the device.
        driver: with settings `robot`, `serial`, `width` and `height`, as far as it has them and they are set.
    """
    yield from identity.unfit
    wanted = getattr(driver, "serial", "")
    if isinstance(wanted, str) and wanted and wanted != identity.serial:
        yield f"the serial number is {identity.serial or 'not reported'}, and the launch file wants {wanted}"
    robot = getattr(driver, "robot", None)
    if isinstance(robot, Robot):
        yield from _joints(identity, robot)
    if identity.size is not None:
        size = tuple(
            getattr(driver, name, 0) or own for name, own in zip(("width", "height"), identity.size, strict=True)
        )
        if size != identity.size:
            able = ", ".join(_pixels(other) for other in identity.sizes)
            also = f"; it supports {able}" if able else ""
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
            yield f"{name} reaches {own.velocity:.4g} rad/s at most, and the launch file allows {joint.velocity:.4g}"
