"""embodied: write the robot once; the launch file decides whether it meets hardware or a simulator."""

import os
from typing import TYPE_CHECKING

# ONNX Runtime reports to its maker what it finds out about the machine, unless this is set before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = os.environ.get("ORT_DISABLE_TELEMETRY") or "1"
# The threads of NumPy's OpenBLAS only spin while they wait for matrices as small as 4x4.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ.get("OPENBLAS_NUM_THREADS") or "1"

if TYPE_CHECKING:
    from embodied.clock import SECOND, Time
    from embodied.devices.registry import Device
    from embodied.graph.graph import Graph
    from embodied.messages.arrays import empty
    from embodied.node.identity import Identity
    from embodied.node.node import Driver, Guard, Node, tunable
    from embodied.node.ports import Ports, Stamped
    from embodied.runtime.lockstep import Lockstep
else:
    from embodied.imports.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "empty": "embodied.messages.arrays",
            **dict.fromkeys(("SECOND", "Time"), "embodied.clock"),
            "Device": "embodied.devices.registry",
            "Graph": "embodied.graph.graph",
            "Identity": "embodied.node.identity",
            "Lockstep": "embodied.runtime.lockstep",
            **dict.fromkeys(("Driver", "Guard", "Node", "tunable"), "embodied.node.node"),
            **dict.fromkeys(("Ports", "Stamped"), "embodied.node.ports"),
        },
    )


__version__ = "0.2.0"

__all__ = [
    "SECOND",
    "Device",
    "Driver",
    "Graph",
    "Guard",
    "Identity",
    "Lockstep",
    "Node",
    "Ports",
    "Stamped",
    "Time",
    "empty",
    "tunable",
]
