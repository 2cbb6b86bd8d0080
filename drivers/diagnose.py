"""Findings about devices for `embodied doctor`: which drivers are installed with all that they need."""

from __future__ import annotations

from embodied.devices.registry import devices
from embodied.diagnosis import Finding


def diagnose() -> list[Finding]:
    """Report the devices that can be driven, the extras that others need, and device folders that fail to import."""
    registered = devices()
    ready = [name for name, device in registered.known.items() if device.installed]
    lacking = [
        f"{name} needs pip install 'embodied-robotics[{device.extra}]'"
        for name, device in registered.known.items()
        if not device.installed
    ]
    broken = [
        Finding(f"drivers/{name}", False, problem.message, f"see {problem.where}")
        for name, problem in registered.broken.items()
    ]
    return [Finding("devices", True, "; ".join([", ".join(ready) or "none", *lacking])), *broken]
