"""Tabletop: the world of pick-and-place by one arm, with its scene, judge and nodes."""

from sims.tabletop.world import Tabletop

__all__ = ["Tabletop"]
