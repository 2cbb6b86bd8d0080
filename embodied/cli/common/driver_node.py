"""Driver of one node of a launch file, set up but closed, for verbs that handle a single device."""

from __future__ import annotations

from pathlib import Path

from embodied.cli.common.launch_options import LaunchOptions
from embodied.cli.common.output import usage
from embodied.errors import LaunchError, Problem, nearest
from embodied.graph.plan import opens_world
from embodied.node.node import Driver


def driver_node(file: Path, name: str, options: LaunchOptions) -> Driver:
    """Build the driver of one node of a launch file, closed, with its settings.

    Args:
        file: launch file.
        name: name of the node.
        options: profile and overrides of the launch file.

    Raises:
        LaunchError: there is no such node, or it is no driver of a device.
    """
    graph = options.load(file).graph(options.chosen_profile())
    if name not in graph.entries:
        raise LaunchError([Problem("E005", f"there is no node '{name}'", help=nearest(name, graph.entries))])
    entry = graph.entries[name]
    node = entry.node
    if not isinstance(node, Driver):
        raise usage(f"'{name}' is no driver", "name a node that drives a device")
    if opens_world(node):
        raise usage(
            f"'{name}' is a body of the simulated world, and has no device", "choose a profile with a real driver"
        )
    if entry.rate is not None:
        node.rate = entry.rate
    return node
