"""A factory floor with an arm, a shuttle and a multirotor."""

from sims.factory.world import Factory

__all__ = ["Factory"]
