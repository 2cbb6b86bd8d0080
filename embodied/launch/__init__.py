"""Launch files: a graph as data."""

from embodied.launch.load import Launch, Overrides, load

__all__ = ["Launch", "Overrides", "load"]
