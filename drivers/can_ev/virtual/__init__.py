"""A virtual drive-by-wire unit: an slcan adapter, the unit behind it, and a car behind that."""

from drivers.can_ev.virtual.device import VirtualEV

__all__ = ["VirtualEV"]
