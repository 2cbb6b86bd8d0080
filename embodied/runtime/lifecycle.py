"""Lifecycle of the nodes of a run: open them, identify devices before they may move, and close them again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embodied.devices.claim import Claim
from embodied.devices.virtual import VirtualDevice
from embodied.errors import DeviceInUse, EmbodiedError, NodeFailed, NoDevice, WrongDevice
from embodied.graph.plan import opens_world
from embodied.interrupts import is_ctrl_c
from embodied.node.identity import Identity, differences
from embodied.node.node import Driver, generator
from embodied.runtime.failures import location
from embodied.runtime.running_node import RunningNode
from embodied.world import World


def open_node(running: RunningNode, seed: int, listened: frozenset[str], world: World | None) -> str:
    """Open a node; a driver identifies its device, and is armed only if the launch file wants that device.

    Args:
        running: the node.
        seed: of the run.
        listened: names of its outputs that have a subscriber.
        world: the simulated world, for a node that lives in it.

    Returns:
        identity of a driver's device, address of a virtual device, or an empty text.

    Raises:
        NodeFailed: its `open`, `identify` or `arm` raised.
        EmbodiedError: an error of ours about the launch file, with exit code 2, as it was raised.
    """
    node: Any = running.planned.node
    doing = "open"
    try:
        node.rng = generator(seed, running.name)
        node.listened = listened
        opener = getattr(node, "open", None)
        if opener is not None:
            opener(world) if opens_world(node) else opener()
        # A camera that is rendered in a process of its own stands inside a replica.
        served = getattr(node, "inner", node)
        if isinstance(served, VirtualDevice):
            return f"served at {served.address}"
        if not isinstance(node, Driver) or opens_world(node):
            return ""
        doing = "identify"
        identity = meet(running.name, node)
        if identity.serial and not identity.virtual:
            # One device at two addresses; virtual ones of a kind may share a number.
            running.claim = Claim(f"the {identity.model} with the serial number {identity.serial}")
        doing = "arm"
        node.arm()
        return str(identity)
    except BaseException as error:
        if is_ctrl_c(error):
            raise
        if isinstance(error, NoDevice | DeviceInUse):
            error.node = running.name
        if isinstance(error, EmbodiedError) and error.exit_code == 2:
            raise
        raise NodeFailed(running.name, doing, error, location=location(error)) from error


def meet(name: str, driver: Driver) -> Identity:
    """Identify the device of an open driver, before it may move.

    Raises:
        WrongDevice: it is not the device that the launch file wants.
    """
    identity = driver.identify()
    wrong = tuple(differences(identity, driver))
    if wrong:
        raise WrongDevice(name, str(identity), wrong)
    return identity


def close_nodes(opened: list[RunningNode], begin: Callable[[RunningNode], None] | None = None) -> NodeFailed | None:
    """Close nodes, last opened first; an error in one does not keep the others open.

    Args:
        opened: the nodes, in the order in which they were opened; empty afterwards.
        begin: called before each.

    Returns:
        the failure of the first `close` that raised, be it by Ctrl-C: nobody knows then what its device does.
    """
    failure: NodeFailed | None = None
    while opened:
        node = opened.pop()
        if begin is not None:
            begin(node)
        closer = getattr(node.planned.node, "close", None)
        try:
            if closer is not None:
                closer()
        except BaseException as error:
            failure = failure or NodeFailed(node.name, "close", error, location=location(error))
        finally:
            if node.claim is not None:
                node.claim.release()
    return failure
