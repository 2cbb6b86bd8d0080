"""Virtual drive-by-wire vehicle: an slcan adapter, the unit behind it, and a body behind that."""

from drivers.can_ev.virtual.device import VirtualEV

__all__ = ["VirtualEV"]
