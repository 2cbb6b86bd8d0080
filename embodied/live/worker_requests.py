"""Requests that a worker answers while its graph runs: counts, settings, stops, and messages published by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from embodied.errors import EmbodiedError, error_text
from embodied.live.loop import ProcessLoop
from embodied.live.process_links import ProcessLinks
from embodied.messages import GuardReport, Reset, Stop
from embodied.messages.by_hand import compose
from embodied.messages.schema import Message
from embodied.node.node import Guard, bounds, tune
from embodied.runtime.running_node import RunningNode
from embodied.runtime.wiring import Wiring


class WorkerRequests:
    """Requests to one worker process, answered while its graph runs.

    Args:
        wiring: nodes of the process.
        loop: of the process.
        links: of the process.
    """

    def __init__(self, wiring: Wiring, loop: ProcessLoop, links: ProcessLinks) -> None:
        self._wiring = wiring
        self._loop = loop
        self._links = links
        self._answers: dict[str, Callable[..., Any]] = {
            "counts": self._counts,
            "settings": self._settings,
            "set": self._set,
            "stop": self._stop,
            "reset": self._reset,
            "guards": self._guards,
            "publish": self._publish,
        }

    def answer(self, what: str, about: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one request: `value`, or `error` with a sentence."""
        try:
            return {"value": self._answers[what](**about)}
        except (ValueError, EmbodiedError) as error:
            return {"error": str(error)}
        except Exception as error:
            # Arguments of another kind may raise anything; the nodes of the process go on.
            return {"error": f"'{what}' takes other arguments: {error_text(error)}"}

    def _counts(self) -> dict[str, Any]:
        now = self._loop.now
        nodes = {
            node.name: {
                "steps": node.steps,
                "skipped": node.skipped,
                "starved": node.starved,
                "rejected": node.rejected,
                "rejection": node.rejection,
                "late_ns": node.late,
                "dropped": sum(mailbox.dropped for mailbox in node.mailboxes),
            }
            for node in self._wiring.nodes.values()
        }
        topics = {
            topic.name: {"published": topic.published, "age_ns": None if topic.last is None else now - topic.last}
            for topic in self._wiring.topics.values()
        }
        process = self._links.spec.process
        links = [
            {"from": node, "to": process, "delays": delays.counts, "skipped": self._links.skipped(node)}
            for node, delays in self._links.delays.items()
        ]
        return {
            "now_ns": now,
            "advanced_ns": self._loop.advanced,
            "nodes": nodes,
            "topics": topics,
            "links": links,
            "posts": self._links.posts(),
            "machines": self._links.machines(),
        }

    def _settings(self) -> dict[str, Any]:
        return {
            f"{running.name}.{name}": {
                "value": getattr(running.planned.node, name),
                "low": limits.low,
                "high": limits.high,
                "unit": limits.unit,
            }
            for running in self._wiring.nodes.values()
            for name, limits in bounds(type(running.planned.node)).items()
        }

    def _set(self, node: str, name: str, value: float) -> float:
        target = self._wiring.nodes[node].planned.node
        tune(target, name, value)
        return float(getattr(target, name))

    def _stop(self, reason: str, guard: str | None = None) -> list[str]:
        return self._deliver(Stop(reason=reason), guard)

    def _reset(self, by: str) -> list[str]:
        return self._deliver(Reset(by=by))

    def _running_guards(self) -> list[RunningNode]:
        return [node for node in self._wiring.nodes.values() if isinstance(node.planned.node, Guard)]

    def _deliver(self, message: Message, only: str | None = None) -> list[str]:
        """Put a message into every guard's mailbox of its type, wired or not; returns the guards that have one.

        Args:
            message: the message.
            only: name of the one guard that gets it; None: all of the process.
        """
        reached = []
        for guard in self._running_guards():
            if only not in (None, guard.name):
                continue
            for mailbox in guard.mailboxes:
                if guard.planned.ports.inputs[mailbox.name].message is type(message):
                    mailbox.put(message, self._loop.now if self._loop.epoch else 0, -1, "command line")
                    reached.append(guard.name)
        return reached

    def _guards(self, since: int = -1) -> dict[str, Any]:
        """Return the last report of each guard that was published after a time [ns]; None where there is none."""
        guards: dict[str, Any] = {}
        for guard in self._running_guards():
            recent = [topic.latest for topic in guard.topics if topic.last is not None and topic.last > since]
            reports = [message for message in recent if isinstance(message, GuardReport)]
            guards[guard.name] = {"state": reports[0].state, "why": list(reports[0].refusals)} if reports else None
        return guards

    def _publish(self, topic: str, fields: Mapping[str, Any]) -> int:
        target = self._wiring.topics[topic]
        node = self._wiring.nodes[topic.rpartition(".")[0]]
        kind = node.planned.ports.outputs[target.port].message
        self._loop.inject(node, target, compose(kind, fields, self._loop.now))
        return target.published
