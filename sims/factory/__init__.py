"""Factory: the world of a delivery by arm, shuttle and drone, with its scene, judge and nodes."""

from sims.factory.world import Factory

__all__ = ["Factory"]
