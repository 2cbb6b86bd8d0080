"""Tests of graphs, drivers, worlds and nodes: a pytest fixture for launch files, and contracts to inherit.

Pytest loads this package at every start, through the plugin; each name is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embodied.testing.driver_contract import DriverContract
    from embodied.testing.node_contract import NodeContract
    from embodied.testing.world_contract import WorldContract
else:
    _HOME = {
        "DriverContract": "embodied.testing.driver_contract",
        "NodeContract": "embodied.testing.node_contract",
        "WorldContract": "embodied.testing.world_contract",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module 'embodied.testing' has no attribute '{name}'")
        import importlib

        globals()[name] = getattr(importlib.import_module(_HOME[name]), name)
        return globals()[name]


__all__ = ["DriverContract", "NodeContract", "WorldContract"]
