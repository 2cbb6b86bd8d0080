"""Registry of the kinds of input that are fuzzed: what users bring, and every wire, at both of its ends."""

from __future__ import annotations

import importlib

from tests.fuzz.harness import Kind

KINDS: dict[str, str] = {
    "launch": "launch_file:LAUNCH",
    "site": "launch_file:SITE_FILE",
    "dbc": "dbc:KIND",
    "urdf": "urdf:KIND",
    "mesh": "mesh:KIND",
    "card": "card:KIND",
    "onnx": "onnx_model:KIND",
    "film": "film:KIND",
    "baseline": "suite_files:BASELINE",
    "record": "suite_files:RECORD",
    "can": "can_wire:CAN",
    "slcan": "can_wire:SLCAN",
    "bus": "can_bus:KIND",
    "autopilot": "mavlink_wire:AUTOPILOT",
    "px4": "mavlink_wire:PX4",
    "box": "xarm_wire:BOX",
    "replies": "xarm_wire:BOX_REPLIES",
    "servos": "servo_wire:SERVOS",
    "answers": "servo_wire:SERVO_ANSWERS",
    "stream": "http_wire:STREAM",
    "headers": "http_wire:HTTP_HEAD",
    "jpeg": "http_wire:JPEG",
    "viewer": "http_wire:REQUEST",
    "port": "link_wire:PORT",
    "peer": "link_wire:PEER",
    "message": "link_wire:MESSAGE",
    "ring": "ring_wire:KIND",
    "requests": "run_socket:REQUESTS",
    "run": "run_socket:ANSWERS",
}
"""Where each kind is, by its name on the command line."""


def kind(name: str) -> Kind:
    """Import a kind by its name; what the others need is not imported."""
    module, _, attribute = KINDS[name].partition(":")
    found: Kind = getattr(importlib.import_module(f"tests.fuzz.{module}"), attribute)
    assert found.name == name
    return found
