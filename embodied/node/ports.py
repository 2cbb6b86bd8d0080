"""Ports of a node: its inputs and outputs, read from the signature of its `step`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from embodied.clock import Time
from embodied.messages.constraints import UNCONSTRAINED, Refinement
from embodied.messages.schema import Message, schema, without_none

T_co = TypeVar("T_co", bound=Message, covariant=True)

Delivery = Literal["latest", "optional", "every"]
"""`latest`: required and fresh. `optional`: None when absent or stale. `every`: all since the last step."""


@dataclass(frozen=True, slots=True)
class Stamped(Generic[T_co]):
    """A message with its envelope: time, sequence number and topic.

    Attributes:
        value: the message.
        stamp: time of delivery on the graph's clock [ns].
        sequence: number of the source's step that published it, from 0.
        source: the topic, `node.port`.
    """

    value: T_co
    stamp: Time
    sequence: int
    source: str


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a node, with its message type and delivery."""

    name: str
    message: type[Message]
    delivery: Delivery
    stamped: bool = False
    refined: Refinement = UNCONSTRAINED

    @property
    def required(self) -> bool:
        """Whether the input must be wired."""
        return self.delivery == "latest"

    def __str__(self) -> str:
        inner = f"Stamped[{self.message.__name__}]" if self.stamped else self.message.__name__
        return {"latest": inner, "optional": f"{inner} | None", "every": f"list[{inner}]"}[self.delivery]


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a node. `rendered`: made only if a node subscribes, such as a camera's image."""

    name: str
    message: type[Message]
    optional: bool = False
    rendered: bool = False
    refined: Refinement = UNCONSTRAINED

    def __str__(self) -> str:
        return self.message.__name__ + (" | None" if self.optional else "")


@dataclass(frozen=True, slots=True)
class Ports:
    """All inputs and outputs of a node.

    Attributes:
        inputs: by name, in the order of the signature; the first is the trigger of a node without a rate.
        outputs: by name, in order; a wire that names only the node means the first.
        now: name of the parameter for the time, if there is one.
        bundle: NamedTuple that a `step` with several outputs returns.
    """

    inputs: Mapping[str, Input]
    outputs: Mapping[str, Output]
    now: str | None = None
    bundle: type | None = None

    def refine(self, name: str, *, rendered: bool = False, **about: Any) -> Ports:
        """Return these ports with further constraints on those of one name: an input, an output, or both.

        Args:
            name: of the input or output.
            rendered: for an output, that it is made only if a node subscribes.
            about: attributes of `Refinement`.

        Raises:
            KeyError: there is no such port.
        """
        if name not in self.inputs and name not in self.outputs:
            raise KeyError(f"there is no port '{name}'")
        inputs, outputs = dict(self.inputs), dict(self.outputs)
        if name in inputs:
            inputs[name] = replace(inputs[name], refined=replace(inputs[name].refined, **about))
        if name in outputs:
            refined = replace(outputs[name].refined, **about)
            outputs[name] = replace(outputs[name], rendered=rendered or outputs[name].rendered, refined=refined)
        return replace(self, inputs=inputs, outputs=outputs)


class PortError(TypeError):
    """A `step` whose signature cannot be read as ports; the message names the part and what is expected."""


_read: dict[type, Ports] = {}


def read_ports(kind: type) -> Ports:
    """Read the ports of a node class from its `step`.

    Raises:
        PortError: there is no `step`, or its signature has none of the documented forms.
    """
    if kind in _read:
        return _read[kind]
    step = getattr(kind, "step", None)
    if step is None:
        raise PortError(f"{kind.__name__} has no step()")
    written = inspect.getattr_static(kind, "step")
    if not inspect.isfunction(written):
        raise PortError(f"{kind.__name__}.step: expected a plain method, got a {type(written).__name__}")
    try:
        hints = get_type_hints(step, include_extras=True)
    except Exception as error:
        raise PortError(f"{kind.__name__}.step: cannot read its annotations: {error}") from error
    inputs: dict[str, Input] = {}
    now: str | None = None
    for name, parameter in list(inspect.signature(step).parameters.items())[1:]:
        where = f"{kind.__name__}.step({name})"
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
            raise PortError(f"{where}: an input is an ordinary named parameter, not *{name}")
        if name not in hints:
            raise PortError(f"{where}: has no type; write the message type it takes")
        if hints[name] is Time:
            if now is not None:
                raise PortError(f"{where}: takes the time twice")
            now = name
            continue
        inputs[name] = _input(where, name, hints[name])
    if "return" not in hints:
        raise PortError(f"{kind.__name__}.step: has no return type; write '-> None' if it gives nothing")
    outputs, bundle = _outputs(kind, hints["return"])
    _read[kind] = Ports(MappingProxyType(inputs), MappingProxyType(outputs), now, bundle)
    return _read[kind]


def _input(where: str, name: str, annotation: Any) -> Input:
    delivery: Delivery = "latest"
    inner, optional = without_none(annotation)
    if optional:
        delivery = "optional"
    elif get_origin(inner) is list:
        (inner,) = get_args(inner)
        delivery = "every"
    stamped = get_origin(inner) is Stamped
    if stamped:
        (inner,) = get_args(inner)
    return Input(name, _message(where, inner), delivery, stamped)


def _outputs(kind: type, annotation: Any) -> tuple[dict[str, Output], type | None]:
    where = f"{kind.__name__}.step -> …"
    inner, optional = without_none(annotation)
    if inner is type(None):
        return {}, None
    if isinstance(inner, type) and issubclass(inner, tuple) and hasattr(inner, "_fields"):
        if optional:
            raise PortError(f"{where}: several outputs are '-> NamedTuple'; let its fields be None instead")
        outputs = {}
        for name, field_type in get_type_hints(inner, include_extras=True).items():
            message, may_be_none = without_none(field_type)
            outputs[name] = Output(name, _message(f"{where} {name}", message), may_be_none)
        return outputs, inner
    message = _message(where, inner)
    name = snake(message.__name__)
    return {name: Output(name, message, optional)}, None


def _message(where: str, annotation: Any) -> type[Message]:
    if not (isinstance(annotation, type) and issubclass(annotation, Message)):
        shown = getattr(annotation, "__name__", None) or str(annotation)
        raise PortError(f"{where}: expected a message type T as T, T | None, list[T], Stamped[T] or Time, got {shown}")
    schema(annotation)
    return annotation


def snake(name: str) -> str:
    """Convert a class name to snake case: `JointCommand` to `joint_command`."""
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
