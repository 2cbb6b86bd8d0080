"""Layout of a bundle: all that a node publishes in one step, in one slot of a ring.

A slot holds the newest message of every output, each with the number and the time of the step that gave it.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from embodied.links.codec import Layout
from embodied.links.subscription import LARGE

OPEN = 32 * 1024
"""Memory per bundle for arrays and texts whose size no port states; it grows when a message needs more [B]."""


@dataclass(slots=True)
class BundleLayout:
    """Layout of a bundle: offsets of each output and each area in a slot.

    Attributes:
        layouts: of the outputs, in the order of the ports.
        size: of a slot [B].
        end: offset at which the layouts end and the areas begin [B].
    """

    layouts: tuple[Layout, ...]
    size: int
    end: int

    @classmethod
    def of(cls, layouts: Sequence[Layout], open_size: int = OPEN) -> BundleLayout:
        """Lay out the slots of a ring.

        Args:
            layouts: of the outputs, in the order of the ports.
            open_size: memory for arrays and texts of any size [B].
        """
        end = head_format(len(layouts)).size + sum(layout.size for layout in layouts)
        if any(layout.open for layout in layouts):
            end += open_size
        size = end = -(-end // 64) * 64
        for layout in layouts:
            for area in layout.areas.values():
                area.offset = size
                size += -(-area.size // 64) * 64
        if size >= LARGE:
            size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        return cls(tuple(layouts), size, end)


def head_format(count: int) -> struct.Struct:
    """Return the format of a bundle's head: end of the layouts, and by output its sequence, stamp and offset.

    Args:
        count: number of outputs.
    """
    return struct.Struct("<q" + "qqq" * count)
