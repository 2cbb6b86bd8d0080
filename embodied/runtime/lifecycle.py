"""How the nodes of a run are opened, and closed again; a device is met before it may move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embodied.devices.virtual import Virtual
from embodied.errors import FOREIGN, EmbodiedError, NodeFailed, NoDevice, WrongDevice
from embodied.graph.plan import opens_world
from embodied.node.identity import Identity, differences
from embodied.node.node import Driver, generator
from embodied.runtime.failures import location
from embodied.runtime.mailboxes import Cell
from embodied.world import World


def open_node(cell: Cell, seed: int, listened: frozenset[str], world: World | None) -> str:
    """Open a node; a driver is asked what it drives, and may move it only if that is what the launch file wants.

    Args:
        cell: the node.
        seed: of the run.
        listened: names of its outputs that someone takes.
        world: where it lives, if it lives in one.

    Returns:
        of a driver, what its device says it is; of the far side of a wire, where it is reached; else nothing.

    Raises:
        NodeFailed: its `open`, `identify` or `arm` raised.
        EmbodiedError: one of ours that is about what was asked for, with exit code 2, as it was raised.
    """
    node: Any = cell.planned.node
    doing = "open"
    try:
        node.rng = generator(seed, cell.name)
        node.listened = listened
        opener = getattr(node, "open", None)
        if opener is not None:
            opener(world) if opens_world(node) else opener()
        if isinstance(node, Virtual):
            return f"served at {node.address}"
        if not isinstance(node, Driver) or opens_world(node):
            return ""
        doing = "identify"
        identity = meet(cell.name, node)
        doing = "arm"
        node.arm()
        return str(identity)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if isinstance(error, NoDevice):
            error.node = cell.name
        if isinstance(error, EmbodiedError) and error.exit_code == 2:
            raise
        raise NodeFailed(cell.name, doing, error, location=location(error)) from error


def meet(name: str, driver: Driver) -> Identity:
    """Ask an open device what it is.

    Raises:
        WrongDevice: it is not what the launch file wants.
    """
    identity = driver.identify()
    wrong = tuple(differences(identity, driver))
    if wrong:
        raise WrongDevice(name, str(identity), wrong)
    return identity


def close_nodes(opened: list[Cell], begin: Callable[[Cell], None] | None = None) -> NodeFailed | None:
    """Close nodes, last opened first; an error in one does not keep the others open.

    Args:
        opened: the nodes, in the order they were opened; empty afterwards.
        begin: called before each.

    Returns:
        the failure of the first `close` that raised.
    """
    failure: NodeFailed | None = None
    while opened:
        cell = opened.pop()
        if begin is not None:
            begin(cell)
        closer = getattr(cell.planned.node, "close", None)
        if closer is None:
            continue
        try:
            closer()
        except FOREIGN as error:
            failure = failure or NodeFailed(cell.name, "close", error, location=location(error))
    return failure
