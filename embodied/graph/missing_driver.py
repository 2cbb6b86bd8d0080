"""Placeholder for a node that has no class yet, so that the rest of its graph can be checked."""

from __future__ import annotations

from embodied.node.node import Node


class MissingDriver(Node):
    """Node whose class, and so whose ports and rate, are not known yet; a graph with one cannot run."""
