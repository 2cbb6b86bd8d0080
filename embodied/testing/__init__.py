"""Tests of graphs, drivers, worlds and nodes: a pytest fixture for launch files, and contracts to inherit.

Pytest loads this package at every start, through the plugin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embodied.testing.driver_contract import DriverContract
    from embodied.testing.node_contract import NodeContract
    from embodied.testing.world_contract import WorldContract
else:
    from embodied.imports.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "DriverContract": "embodied.testing.driver_contract",
            "NodeContract": "embodied.testing.node_contract",
            "WorldContract": "embodied.testing.world_contract",
        },
    )


__all__ = ["DriverContract", "NodeContract", "WorldContract"]
