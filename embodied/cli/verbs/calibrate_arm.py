"""`embodied calibrate arm`: measure joint zeros and stops of an arm that a person moves, into a site file."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from embodied.cli.common import complete
from embodied.cli.common.driver_node import driver_node
from embodied.cli.common.launch_options import FileArgument, LaunchOptions, ProfileOption, SetOption
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import StatusLine, err, exit_on_error, immediate_interrupt, out, print_json, usage
from embodied.cli.common.terminal_person import TerminalPerson
from embodied.devices.registry import Calibrate, Calibrated, devices, resolve
from embodied.errors import LaunchError, Problem, WrongDevice
from embodied.launch.site import Site
from embodied.node.identity import Identity
from embodied.node.node import Driver

SETTING = "calibration"
"""Setting of the driver that holds the result."""


def arm(
    file: FileArgument,
    *,
    site: Annotated[Path, typer.Option(help="the site file to write it into", autocompletion=complete.files)],
    node: Annotated[str, typer.Option(help="node of the arm's driver")] = "arm",
    profile: ProfileOption = None,
    sets: SetOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="replace an existing calibration")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure the zeros and stops of an arm's joints while you move it by hand, its motors off."""
    with exit_on_error(as_json):
        with immediate_interrupt():
            held = Site.read(site)
            held.check(node, SETTING, replace=replace)
            options = LaunchOptions(profile=profile, site=site if site.exists() else None, sets=sets)
            driver: Any = driver_node(file, node, options)
            measure = _procedure(node, driver)
            _check(node, driver)
        identity = _identify(node, driver)
        results: list[Calibrated] = []

        def save(result: Calibrated) -> None:
            changed = held.put(node, SETTING, result.calibration)
            for joint, limits in result.limits.items():
                changed = changed.limit(driver.robot.name, joint, limits)
            changed.write()
            results.append(result)

        with StatusLine() as line:
            measure(driver, TerminalPerson(line), save)
        if as_json:
            result = {"calibration": results[0].calibration, "limits": results[0].limits}
            print_json({"node": node, "device": str(identity), "site": str(site), **result})
            return
        out.print("\n".join(_lines(results[0])), markup=False)
        out.print(f"site       {site}: {SETTING} of '{node}'", markup=False)


def _procedure(name: str, driver: Driver) -> Calibrate:
    """Return the calibration procedure of a driver's device.

    Raises:
        LaunchError: there is none.
    """
    able = []
    registered = devices()
    for device in registered.known.values():
        if not device.calibrate:
            continue
        able.append(device.name)
        if isinstance(driver, resolve(device.driver)):
            procedure: Calibrate = resolve(device.calibrate)
            return procedure
    message = f"'{name}' is driven by {type(driver).__name__}, and no such device is calibrated by hand"
    images = "a camera is calibrated from images: embodied calibrate camera"
    problem = Problem("E925", message, help=(f"by hand: {', '.join(able)}", images))
    raise LaunchError([problem, *registered.broken.values()])


def _check(name: str, driver: Any) -> None:
    problems = [Problem("E207", f"{sentence}", where=f"node '{name}'") for sentence in driver.check()]
    if problems:
        raise LaunchError(problems)


def _identify(name: str, driver: Any) -> Identity:
    """Identify the device; refuse another serial number, and a real device without a person at the terminal."""
    driver.open()
    try:
        identity: Identity = driver.identify()
    finally:
        driver.close()
    err.print(f"met {identity}", markup=False)
    if driver.serial and driver.serial != identity.serial:
        reason = f"the serial number is {identity.serial or 'unknown'}, and the launch file wants {driver.serial}"
        raise WrongDevice(name, str(identity), (reason,))
    if not identity.virtual and not sys.stdin.isatty():
        raise usage("this device is real: a person has to hold it", "run it in a terminal")
    return identity


def _lines(result: Calibrated) -> list[str]:
    rows = []
    for name, joint in result.calibration.items():
        lower, upper = math.degrees(joint["lower"]), math.degrees(joint["upper"])
        direction = "" if joint["sign"] > 0 else ", reversed against its servo"
        rows.append(
            f"{name:14} {lower:7.1f}° to {upper:6.1f}°, zero at {math.degrees(joint['offset']):6.1f}°{direction}"
        )
    for name, limits in result.limits.items():
        stops = " and ".join(f"{which} {math.degrees(value):.1f}°" for which, value in limits.items())
        rows.append(f"{name} stops before the launch file's limit: its {stops} in the site file")
    return rows
