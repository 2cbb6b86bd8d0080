"""Launch files: a graph as data."""

from embodied.launch.load import Launch, load
from embodied.launch.overrides import Overrides

__all__ = ["Launch", "Overrides", "load"]
