"""A field with marker boards, a landing pad, wind and one multirotor."""

from sims.airfield.world import Airfield

__all__ = ["Airfield"]
