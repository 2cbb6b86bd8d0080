"""`embodied calibrate arm`: what a person and an arm's own driver find out of this very arm, into a site file."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from embodied.cli.common import complete
from embodied.cli.common.output import (
    FileArgument,
    JsonOption,
    ProfileOption,
    SetOption,
    StatusLine,
    ending,
    err,
    nothing_begun,
    out,
    print_json,
    usage,
)
from embodied.cli.common.terminal_person import Person
from embodied.cli.verbs.driver import driver_of
from embodied.devices.registry import Calibrate, Calibrated, devices, resolve
from embodied.errors import LaunchError, Problem, WrongDevice
from embodied.launch.site import Site
from embodied.node.identity import Identity
from embodied.node.node import Driver

SETTING = "calibration"


def arm(
    file: FileArgument,
    *,
    site: Annotated[Path, typer.Option(help="the site file to write it into", autocompletion=complete.files)],
    node: Annotated[str, typer.Option(help="the arm's driver")] = "arm",
    profile: ProfileOption = None,
    sets: SetOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="in place of a calibration that it has")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure an arm whose motors are off and which you move by hand: where its joints' zeros are, and their stops."""
    with ending(as_json):
        with nothing_begun():
            held = Site.read(site)
            held.check(node, SETTING, replace=replace)
            driver: Any = driver_of(file, node, profile, site if site.exists() else None, sets)
            measure = _calibrate(node, driver)
            _check(node, driver)
        identity = _met(node, driver)
        kept: list[Calibrated] = []

        def keep(found: Calibrated) -> None:
            made = held.put(node, SETTING, found.calibration)
            for joint, limits in found.limits.items():
                made = made.limit(driver.robot.name, joint, limits)
            made.write()
            kept.append(found)

        with StatusLine() as line:
            measure(driver, Person(line), keep)
        if as_json:
            found = {"calibration": kept[0].calibration, "limits": kept[0].limits}
            print_json({"node": node, "device": str(identity), "site": str(site), **found})
            return
        out.print("\n".join(_lines(kept[0])), markup=False)
        out.print(f"site       {site}: {SETTING} of '{node}'", markup=False)


def _calibrate(name: str, driver: Driver) -> Calibrate:
    """How the device of a driver is calibrated.

    Raises:
        LaunchError: it cannot be.
    """
    able = []
    registered = devices()
    for device in registered.known.values():
        if not device.calibrate:
            continue
        able.append(device.name)
        if isinstance(driver, resolve(device.driver)):
            found: Calibrate = resolve(device.calibrate)
            return found
    message = f"'{name}' is driven by {type(driver).__name__}, and no such device is calibrated by hand"
    images = "a camera is calibrated from images: embodied calibrate camera"
    problem = Problem("E925", message, help=(f"by hand: {', '.join(able)}", images))
    raise LaunchError([problem, *registered.broken.values()])


def _check(name: str, driver: Any) -> None:
    problems = [Problem("E207", f"{sentence}", where=f"node '{name}'") for sentence in driver.check()]
    if problems:
        raise LaunchError(problems)


def _met(name: str, driver: Any) -> Identity:
    """What is there; of a real one nothing is measured without a person, and nothing of another than the one meant."""
    driver.open()
    try:
        identity: Identity = driver.identify()
    finally:
        driver.close()
    err.print(f"met {identity}", markup=False)
    if driver.serial and driver.serial != identity.serial:
        told = f"the serial number is {identity.serial or 'not told'}, and the launch file wants {driver.serial}"
        raise WrongDevice(name, str(identity), (told,))
    if not identity.virtual and not sys.stdin.isatty():
        raise usage("this device is real: a person has to be there, and to hold it", "run it in a terminal")
    return identity


def _lines(found: Calibrated) -> list[str]:
    rows = []
    for name, joint in found.calibration.items():
        lower, upper = math.degrees(joint["lower"]), math.degrees(joint["upper"])
        turned = "" if joint["sign"] > 0 else ", turned against its servo"
        rows.append(f"{name:14} {lower:7.1f}° to {upper:6.1f}°, zero at {math.degrees(joint['offset']):6.1f}°{turned}")
    for name, limits in found.limits.items():
        said = " and ".join(f"{which} {math.degrees(value):.1f}°" for which, value in limits.items())
        rows.append(f"{name} stops before the launch file's limit: its {said} in the site file")
    return rows
