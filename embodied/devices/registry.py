"""Registry of device kinds: each folder of `drivers/` registers itself as `DEVICE` in its `__init__.py`."""

from __future__ import annotations

import importlib.util
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from embodied.errors import LaunchError, Problem, error_text, nearest, raised_at
from embodied.imports.bounded import import_module
from embodied.interrupts import foreign


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Kind of device as its folder registers it; objects are named `module:name`, and imported when they are needed.

    Attributes:
        name: name of the folder.
        title: description in a few words.
        models: models that were tried, or that the protocol is specified for.
        driver: class of the driver.
        virtual: class of the virtual device.
        bench: launch file in the folder that runs the virtual device with a body.
        scan: function that looks for such devices, a `Scan`; empty for none.
        calibrate: function that measures a device with a person's help, a `Calibrate`; empty for none.
        extra: extra of embodied that installs what the driver needs.
        modules: modules that the extra installs.
    """

    name: str
    title: str
    models: tuple[str, ...]
    driver: str
    virtual: str
    bench: str
    scan: str = ""
    calibrate: str = ""
    extra: str = ""
    modules: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether the modules of its extra are installed."""
        return all(importlib.util.find_spec(module) is not None for module in self.modules)

    @property
    def folder(self) -> Path:
        """Folder of its driver and bench file.

        Raises:
            LaunchError: the module of its driver cannot be found.
        """
        spec = importlib.util.find_spec(self.driver.partition(":")[0])
        if spec is None or spec.origin is None:
            raise LaunchError([Problem("E008", f"the folder of the device '{self.name}' cannot be found")])
        return Path(spec.origin).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Device that the scan of a registered kind found.

    Attributes:
        address: address to write into the launch file or the site file.
        what: model and serial number, as far as the device reports them.
        settings: settings of its driver, by name.
    """

    address: str
    what: str
    settings: dict[str, Any]


Scan = Callable[[Sequence[str]], Iterable[Found]]
"""Function that looks for devices at the given hosts, and at every local place where such devices are connected."""


class Person(Protocol):
    """Person beside a registered device, who moves or switches what no program can."""

    def tell(self, text: str) -> None:
        """Show a text to the person."""

    def ask(self, text: str) -> None:
        """Ask for something, and return once the person confirms that it is done."""

    def waits(self, line: str, seconds: float) -> bool:
        """Show a status line and wait for a confirmation.

        Args:
            line: status line, which replaces the previous one.
            seconds: longest wait [s].

        Returns:
            whether the person has confirmed.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """Result of the calibration of a registered device.

    Attributes:
        calibration: plain data for the driver's setting of that name.
        limits: `lower`, `upper` or both of each joint that stops before the launch file's limits, by joint [rad].
    """

    calibration: dict[str, Any]
    limits: dict[str, dict[str, float]]


Calibrate = Callable[[Any, Person, Callable[[Calibrated], None]], None]
"""Function that measures the device of a closed driver. It passes the result on in the moment from which it holds;
if storing it raises, the device is restored."""


@dataclass(frozen=True, slots=True)
class Devices:
    """Registry of the devices of all folders in `drivers/`, of embodied and of the project.

    Attributes:
        known: registered devices by name.
        broken: problem of each folder that cannot be imported, by its name.
    """

    known: dict[str, Device] = field(default_factory=dict)
    broken: dict[str, Problem] = field(default_factory=dict)


def devices() -> Devices:
    """Import every folder in `drivers/` and return the registry of devices, and the folders that fail to import."""
    package = import_module("drivers")
    devices = Devices()
    for name in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        try:
            device = getattr(import_module(f"drivers.{name}"), "DEVICE", None)
        except foreign() as error:
            message = f"the device folder 'drivers/{name}' cannot be imported: {error_text(error)}"
            devices.broken[name] = Problem("E201", message, where=raised_at(error))
            continue
        if isinstance(device, Device):
            devices.known[device.name] = device
    return devices


def device(name: str) -> Device:
    """Return the registered device kind of a name.

    Raises:
        LaunchError: there is no such device, or its folder cannot be imported.
    """
    registered = devices()
    if name in registered.broken:
        raise LaunchError([registered.broken[name]])
    if name not in registered.known:
        spec = importlib.util.find_spec(f"drivers.{name}") if name.isidentifier() else None
        unregistered = () if spec is None else (f"drivers/{name}/ is there, and its __init__.py has no DEVICE",)
        help_ = (*unregistered, *nearest(name, registered.known))
        raise LaunchError([Problem("E008", f"there is no device '{name}'", help=help_), *registered.broken.values()])
    return registered.known[name]


def resolve(name: str) -> Any:
    """Import and return the object of a registered name, `module:name`."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
