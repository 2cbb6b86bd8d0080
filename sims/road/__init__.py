"""A winding lane with a stop line, an obstacle and one shuttle."""

from sims.road.world import Road

__all__ = ["Road"]
