"""A table with a tray, coloured blocks and one arm."""

from sims.tabletop.world import Tabletop

__all__ = ["Tabletop"]
