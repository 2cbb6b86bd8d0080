"""What a process answers while its graph runs: counts and delays, settings, stops, and messages put in by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from embodied.errors import EmbodiedError, nearest
from embodied.messages import GuardReport, Reset, Stop
from embodied.messages.schema import Message, schema
from embodied.node.node import Guard, bounds, tune
from embodied.runtime.mailboxes import Cell

if TYPE_CHECKING:
    from embodied.live.worker import Worker


def answer(worker: Worker, what: str, about: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one question: `value`, or `error` with a sentence."""
    try:
        return {"value": _ANSWERS[what](worker, **about)}
    except (ValueError, EmbodiedError) as error:
        return {"error": str(error)}


def _counts(worker: Worker) -> dict[str, Any]:
    now = worker.loop.now
    nodes = {
        cell.name: {
            "steps": cell.steps,
            "skipped": cell.skipped,
            "starved": cell.starved,
            "late_ns": cell.late,
            "dropped": sum(slot.dropped for slot in cell.slots),
        }
        for cell in worker.cells.values()
    }
    topics = {
        topic.name: {"published": topic.published, "age_ns": None if topic.last is None else now - topic.last}
        for topic in worker.topics.values()
    }
    links = [
        {"from": node, "to": worker.spec.process, "delays": delays.counts, "skipped": worker.skipped(node)}
        for node, delays in worker.delays.items()
    ]
    return {
        "now_ns": now,
        "advanced_ns": worker.loop.advanced,
        "nodes": nodes,
        "topics": topics,
        "links": links,
        "posts": worker.posts(),
        "machines": worker.links(),
    }


def _settings(worker: Worker) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for cell in worker.cells.values():
        node = cell.planned.node
        for name, limits in bounds(type(node)).items():
            found[f"{cell.name}.{name}"] = {"value": getattr(node, name), **asdict(limits)}
    return found


def _set(worker: Worker, node: str, name: str, value: float) -> float:
    tune(worker.cells[node].planned.node, name, value)
    return float(getattr(worker.cells[node].planned.node, name))


def _stop(worker: Worker, reason: str) -> list[str]:
    return _tell(worker, Stop(reason=reason))


def _reset(worker: Worker, by: str) -> list[str]:
    return _tell(worker, Reset(by=by))


def _tell(worker: Worker, message: Message) -> list[str]:
    """Hand a message to every guard, whatever is wired to it; returns the guards that take one."""
    told = []
    for cell in worker.cells.values():
        if not isinstance(cell.planned.node, Guard):
            continue
        for slot in cell.slots:
            if cell.planned.ports.inputs[slot.name].message is type(message):
                slot.put(message, worker.loop.now, -1, "command line")
                told.append(cell.name)
    return told


def _guards(worker: Worker) -> dict[str, Any]:
    """What each guard said last."""
    found: dict[str, Any] = {}
    for cell in worker.cells.values():
        if isinstance(cell.planned.node, Guard):
            reports = [topic.latest for topic in cell.topics if isinstance(topic.latest, GuardReport)]
            found[cell.name] = {"state": reports[0].state, "why": list(reports[0].refusals)} if reports else None
    return found


def _publish(worker: Worker, topic: str, fields: Mapping[str, Any]) -> int:
    found = worker.topics[topic]
    cell: Cell = worker.cells[topic.rpartition(".")[0]]
    kind = cell.planned.ports.outputs[found.port].message
    worker.loop.inject(cell, found, compose(kind, fields, worker.loop.now))
    return found.published


def compose(kind: type[Message], fields: Mapping[str, Any], now: int) -> Message:
    """A message from plain data.

    Args:
        kind: its type.
        fields: by name; a list becomes an array, and so does `{shape: [480, 640, 3], fill: 128}`; a time that is not
            given is now.
        now: [ns].

    Raises:
        ValueError: a field is not there, or missing, or its value does not fit.
    """
    known = {field.name: field for field in schema(kind)}
    for name in fields:
        if name not in known:
            raise ValueError(f"{kind.__name__} has no field '{name}'; {', '.join(nearest(name, known))}")
    made: dict[str, Any] = {}
    for name, field in known.items():
        value = fields.get(name)
        if value is None:
            if name == "acquired" and name not in fields:
                value = now
            elif not field.optional:
                raise ValueError(
                    f"{kind.__name__} needs the field '{name}'" + (f" [{field.unit}]" if field.unit else "")
                )
        elif field.array is not None:
            try:
                if isinstance(value, Mapping):
                    value = np.full(value.get("shape", ()), value.get("fill", 0), dtype=field.array.dtype)
                value = np.array(value, dtype=field.array.dtype)
            except (ValueError, TypeError) as error:
                raise ValueError(f"{kind.__name__}.{name}: {error}") from None
        elif field.kind == "float" and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        elif field.kind == "strings" and isinstance(value, list):
            value = tuple(value)
        made[name] = value
    return kind(**made)


_ANSWERS: dict[str, Callable[..., Any]] = {
    "counts": _counts,
    "settings": _settings,
    "set": _set,
    "stop": _stop,
    "reset": _reset,
    "guards": _guards,
    "publish": _publish,
}
