"""Validation of single nodes: ports, rate, their own check, and the world they need."""

from __future__ import annotations

from collections.abc import Iterable

from embodied.clock import rate_of
from embodied.errors import MissingExtra, error_text
from embodied.graph.entry import Entry
from embodied.graph.missing_driver import MissingDriver
from embodied.graph.plan import opens_world
from embodied.graph.validate.draft import Draft
from embodied.interrupts import foreign
from embodied.node.node import Driver, Guard
from embodied.node.ports import PortError, Ports
from embodied.world import World

USUAL_RATES = (1000, 500, 300, 240, 200, 150, 120, 100, 60, 50, 30, 20, 10)
"""Rates that a help line suggests where they divide the world's [Hz]."""


def check_node(draft: Draft, entry: Entry) -> None:
    """Validate a single node: read its ports and its rate, and run its own check.

    Args:
        draft: gets the ports, the rate and the problems.
        entry: the node.
    """
    node, name = entry.node, entry.name
    try:
        draft.rates[name] = entry.rate
    except foreign() as error:
        draft.report(
            "E401", f"'{name}': {error if isinstance(error, ValueError) else error_text(error)}", entry, "rate"
        )
    if isinstance(node, MissingDriver):
        return
    try:
        ports = node.ports()
        if not isinstance(ports, Ports):
            raise TypeError(f"ports() gave {ports!r}")
        lives_in_world = opens_world(node)
        draft.ports[name] = ports
    except foreign() as error:
        reason = str(error) if isinstance(error, PortError) else error_text(error)
        draft.report("E209", f"cannot read the ports of '{name}': {reason}", entry, "use")
        lives_in_world = False
    for code, sentence in complaints(node):
        draft.report(code, f"'{name}': {sentence}", entry, "use")
    if isinstance(node, Driver | Guard) and draft.rates.get(name, 0) is None:
        text = f"'{name}' is a driver or a guard and needs a rate"
        draft.report("E402", text, entry, "use", fixes=("add 'rate: 100'",))
    if isinstance(node, Driver) and not lives_in_world and type(node).identify is Driver.identify:
        text = f"'{name}' does not identify its device, so a wrong device would not be noticed"
        draft.report("E607", text, entry, "use", fixes=(f"define {type(node).__name__}.identify()",))
    if lives_in_world:
        _check_world(draft, entry)


def _check_world(draft: Draft, entry: Entry) -> None:
    name, world, rate = entry.name, draft.graph.world, draft.rates.get(entry.name)
    if world is None:
        text = f"'{name}' lives in a simulated world, and there is none"
        draft.report("E702", text, entry, "use", fixes=("run a profile that has a world, such as --sim",))
        return
    for code, sentence in complaints(entry.node, world):
        draft.report(code, f"'{name}': {sentence}", entry, "use")
    if rate is not None and (rate_of(world.rate) / rate).denominator != 1:
        divisors = [str(r) for r in USUAL_RATES if not world.rate % r]
        text = f"'{name}' runs at {rate} Hz, which does not divide the world's {world.rate:g} Hz"
        draft.report("E403", text, entry, "rate", fixes=(f"rates that do: {', '.join(divisors)}",))


def complaints(thing: object, *world: World) -> list[tuple[str, str]]:
    """Run the `check()` of a node or a world on its own settings, or the `check_world()` of a node.

    Args:
        thing: the node or the world.
        world: the world that the node lives in, for `check_world()`.

    Returns:
        a code and a sentence for each problem.
    """
    name = "check_world" if world else "check"
    checker = getattr(thing, name, None)
    try:
        sentences = [] if checker is None else checker(*world)
        if isinstance(sentences, str) or not isinstance(sentences, Iterable):
            raise TypeError(f"{name}() yields sentences, and gave {sentences!r}")
        return [("E207", str(sentence)) for sentence in sentences]
    except MissingExtra as error:
        return [("E208", str(error))]
    except foreign() as error:
        return [("E207", f"its {name}() raised {error_text(error)}")]
