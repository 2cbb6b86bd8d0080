"""Codec of messages in a slot: one layout per type and port, with a writer and a reader generated per connection.

A layout is little endian. First, at fixed offsets: presence bits, dimensions, scalars and arrays of stated size;
then arrays of any size, each at a multiple of 8; then text, as MessagePack behind its length. Arrays of stated size
from `VIEWED` bytes on lie in areas of their own at the end of the slot, and are used there in place.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgpack
import numpy as np

from embodied.messages.constraints import Refinement
from embodied.messages.encoding import Checked, dimension, mended
from embodied.messages.schema import Field, Message, schema

VIEWED = 16 * 1024
"""Size from which using an array in place costs less than copying it (measured: 9.0 against 12 µs) [B]."""

Writer = Callable[[Any, int, int], int]
"""Function (message, offset of its layout, offset of the slot) -> offset of the end of its layout."""

Memory = mmap.mmap | bytes
"""Memory of the slots, or of a packed message."""

Reader = Callable[[bytes, int, Memory, int, "list[Any] | None"], Any]
"""Function (copied layouts, offset in them, memory, offset of the slot, list of views, None to copy) -> message."""


class Overflow(Exception):
    """Message that is larger than a slot; `needed` is the size that would do [B]."""

    def __init__(self, needed: int) -> None:
        super().__init__(f"a message needs {needed} B")
        self.needed = needed


@dataclass(slots=True)
class Area:
    """Area of an array of stated size in the slot of a message.

    Attributes:
        name: of the field.
        shape: of the array.
        dtype: of the array.
        offset: from the start of the slot, set when the whole slot is laid out [B].
    """

    name: str
    shape: tuple[int, ...]
    dtype: Any
    offset: int = 0

    @property
    def size(self) -> int:
        """Size of the array in memory [B]."""
        return int(np.dtype(self.dtype).itemsize) * math.prod(self.shape)


@dataclass(slots=True)
class Layout:
    """Layout of a message in a slot: offsets of the fields of its type.

    Attributes:
        kind: type of the messages.
        refined: constraints of the ports on it.
        topic: `node.port`, for errors.
        size: of all fields at fixed offsets, areas aside [B].
        open: whether arrays or texts of any size follow.
        areas: of large arrays, by field.
    """

    kind: type[Message]
    refined: Refinement
    topic: str
    size: int = 0
    open: bool = False
    areas: dict[str, Area] = field(default_factory=dict)
    _format: str = ""
    _places: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: type[Message], refined: Refinement | None = None, topic: str = "") -> Layout:
        """Lay out a message type under the constraints of its port."""
        layout = cls(kind, refined or Refinement(), topic)
        head = Checked.of(kind, layout.refined).head("").size
        layout.size = _aligned(head)
        layout._format = f"{layout.size - head}x"
        for entry in schema(kind):
            shape = layout._shape(entry)
            if entry.array is None:
                layout.open = layout.open or entry.kind in ("str", "strings")
            elif shape is None:
                layout.open = True
            else:
                area = Area(entry.name, shape, layout._dtype(entry))
                if area.size >= VIEWED:
                    layout.areas[entry.name] = area
                else:
                    layout._places[entry.name] = layout.size
                    layout._format += f"{area.size}s{_aligned(area.size) - area.size}x"
                    layout.size += _aligned(area.size)
        return layout

    def _shape(self, entry: Field) -> tuple[int, ...] | None:
        """Return the shape of an array field; None where a size is not stated."""
        if entry.array is None:
            return None
        sizes = tuple(self.refined.sizes.get(d, -1) if isinstance(d, str) else d for d in entry.array.shape)
        return None if -1 in sizes else sizes

    def _dtype(self, entry: Field) -> Any:
        assert entry.array is not None
        return np.dtype(self.refined.dtypes.get(entry.name, entry.array.dtype))

    def writer(self, memory: mmap.mmap, end: int, claimed: list[Any], first: int) -> Writer:
        """Generate a function that checks a message and writes it.

        Args:
            memory: of the slots.
            end: of the layouts in a slot, from its start [B].
            claimed: by area of the whole slot, the array that was created there and need not be copied.
            first: number of this layout's first area among them.

        Returns:
            a Writer; it raises WireError for a message that does not fit its type, Overflow for one too large.
        """
        checked = Checked.of(self.kind, self.refined, views=True, arguments="m, o, s")
        fixed: list[str] = []
        later: list[str] = []
        number = first
        for v, entry in checked.arrays:
            lines: list[str] = []
            if entry.name in self._places:
                fixed.append(f"{v}.tobytes() if {v} is not None else b''" if entry.optional else f"{v}.tobytes()")
            elif entry.name in self.areas:
                area = self.areas[entry.name]
                lines = [
                    f"if {v} is not claimed[{number}]:",
                    f"    memory[s + {area.offset} : s + {area.offset + area.size}] = {v}",
                ]
                number += 1
            else:
                lines = [
                    f"e = p + {v}.nbytes",
                    f"if e > s + {end}: raise Overflow(e - s)",
                    f"memory[p:e] = {v}",
                    "p = (e + 7) & -8",
                ]
            if entry.optional and lines:
                lines = [f"if {v} is not None:", *(f"    {line}" for line in lines)]
            later += lines
        if checked.texts:
            later += [
                f"t = packb(({', '.join(checked.texts)},))",
                "e = p + 4 + len(t)",
                f"if e > s + {end}: raise Overflow(e - s)",
                "memory[p:e] = count(len(t)) + t",
                "p = (e + 7) & -8",
            ]
        body = [
            *checked.lines,
            "try:",
            f"    pack(memory, o, {', '.join([*checked.first, *fixed])})",
            f"    p = o + {self.size}",
            *(f"    {line}" for line in later),
            "    return p",
            "except Overflow: raise",
            "except Exception: return mend(m, o, s)",
        ]
        names = {
            **checked.names,
            "memory": memory,
            "claimed": claimed,
            "pack": checked.head(self._format).pack_into,
            "packb": msgpack.packb,
            "count": struct.Struct("<I").pack,
            "Overflow": Overflow,
        }
        writer: Writer = mended(self.kind, self.topic, self.refined, "m, o, s", body, names)
        return writer

    def reader(self) -> Reader:
        """Generate a function that reads a message; its arrays are read-only."""
        checked = Checked.of(self.kind, self.refined)
        names: dict[str, Any] = {
            "unpack": checked.head("").unpack_from,
            "unpackb": msgpack.unpackb,
            "count": struct.Struct("<I").unpack_from,
            "ndarray": np.ndarray,
            "kind": self.kind,
            "new": object.__new__,
        }
        entries = schema(self.kind)
        scalars = [f"v{i}" for i, e in enumerate(entries) if e.array is None and e.kind not in ("str", "strings")]
        body = [f"{', '.join(['present', *checked.letters, *scalars])}, = unpack(d, o)"]
        if self.open:
            body.append(f"p = o + {self.size}")
        for v, entry in checked.arrays:
            names[f"d{v}"] = self._dtype(entry)
            body += _if_present(entry, entries, self._read(v, entry))
        if checked.texts:
            body += [
                "n_, = count(d, p)",
                f"{', '.join(checked.texts)}, = unpackb(d[p + 4 : p + 4 + n_], use_list=False)",
            ]
        body += [f"if not present & {1 << i}: v{i} = None" for i, e in enumerate(entries) if e.optional]
        if hasattr(self.kind, "__post_init__"):
            body.append(f"return kind({', '.join(f'{e.name}=v{i}' for i, e in enumerate(entries))})")
        else:
            # The publisher has checked the fields; skipping a frozen dataclass's __init__ is four times faster.
            body.append("m = new(kind)")
            for index, entry in enumerate(entries):
                names[f"set{index}"] = _setter(self.kind, entry.name)
                body.append(f"set{index}(m, v{index})")
            body.append("return m")
        source = "def read(d, o, memory, s, views):\n" + "\n".join(f"    {line}" for line in body)
        exec(compile(source, f"<reader of {self.kind.__name__}>", "exec"), names)
        reader: Reader = names["read"]
        return reader

    def _read(self, v: str, entry: Field) -> list[str]:
        assert entry.array is not None
        if entry.name in self.areas:
            area = self.areas[entry.name]
            return [
                f"{v} = ndarray({area.shape}, d{v}, memory, s + {area.offset})",
                "if views is not None: views.append(" + v + ")",
                "else:",
                f"    {v} = {v}.copy()",
                f"    {v}.setflags(write=False)",
            ]
        sizes = [self.refined.sizes.get(d, dimension(d)) if isinstance(d, str) else d for d in entry.array.shape]
        shape = f"({', '.join(map(str, sizes))},)"
        if entry.name in self._places:
            return [f"{v} = ndarray({shape}, d{v}, d, o + {self._places[entry.name]})"]
        return [f"{v} = ndarray({shape}, d{v}, d, p)", f"p = (p + {v}.nbytes + 7) & -8"]


def _if_present(entry: Field, entries: tuple[Field, ...], lines: list[str]) -> list[str]:
    if not entry.optional:
        return lines
    return [f"if present & {1 << entries.index(entry)}:", *(f"    {line}" for line in lines)]


def _setter(kind: type, name: str) -> Callable[[Any, Any], None]:
    member: Any = getattr(kind, name, None)
    if hasattr(member, "__set__"):
        setter: Callable[[Any, Any], None] = member.__set__
        return setter
    return lambda message, value: object.__setattr__(message, name, value)


def _aligned(size: int) -> int:
    return -(-size // 8) * 8
