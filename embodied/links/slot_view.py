"""Weak reference to an array in a slot, with the number of that slot for its callback."""

from __future__ import annotations

import weakref
from typing import Any


class SlotView(weakref.ref[Any]):
    """Weak reference to an array in a slot, compared by identity.

    Attributes:
        slot: number of the slot.
    """

    __slots__ = ("slot",)
    slot: int

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__
