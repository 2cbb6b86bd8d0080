"""Road: the world of a ride of a shuttle along a lane, with its scene, judge and nodes."""

from sims.road.world import Road

__all__ = ["Road"]
