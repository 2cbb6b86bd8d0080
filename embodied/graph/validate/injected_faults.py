"""Validation of faults: in lockstep only, and each at a target that exists."""

from __future__ import annotations

from collections.abc import Iterator

from embodied.errors import Problem
from embodied.graph.faults import Fault, resolve
from embodied.graph.validate.draft import Draft
from embodied.node.settings import SettingError


def check_faults(draft: Draft) -> Iterator[Fault]:
    """Validate the faults of a graph, and yield each with its full target.

    Args:
        draft: gets the problems.
    """
    faults = draft.graph.faults
    if faults and draft.graph.clock != "lockstep":
        fix = "write 'faults:' into a profile with 'clock: lockstep'"
        text = f"'{faults[0]}' would go wrong on the clock '{draft.graph.clock}': a robot is not broken on purpose"
        draft.problems.append(Problem("E803", text, faults[0].place(faults[0].kind), (fix,), where="faults"))
    for fault in faults:
        if fault.node in draft.graph.entries and fault.node not in draft.ports:
            continue
        try:
            yield resolve(fault, draft.ports)
        except SettingError as error:
            place = fault.place(error.path[0])
            where = f"fault {fault.target}"
            draft.problems.append(Problem("E802", f"{fault.kind}: {error}", place, error.help, where=where))
