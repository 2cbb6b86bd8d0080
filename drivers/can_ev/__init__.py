"""Driver of drive-by-wire vehicles on a CAN bus."""

from drivers.can_ev.driver import CanEV
from embodied.devices.registry import Device

__all__ = ["DEVICE", "CanEV"]

DEVICE = Device(
    name="can_ev",
    title="Drive-by-wire vehicles, over CAN",
    models=("generic drive-by-wire unit", "Tesla Model 3 and Y, party bus"),
    driver="drivers.can_ev:CanEV",
    virtual="drivers.can_ev.virtual:VirtualEV",
    bench="bench.yaml",
    extra="can",
    modules=("can", "cantools"),
)
