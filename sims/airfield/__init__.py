"""Airfield: the world of an inspection by a multirotor, with its scene, judge and nodes."""

from sims.airfield.world import Airfield

__all__ = ["Airfield"]
