"""Driver of multirotors with a PX4 autopilot, over MAVLink."""

from drivers.mavlink.driver import Mavlink
from drivers.mavlink.geofence import Geofence
from embodied.devices.registry import Device

__all__ = ["DEVICE", "Geofence", "Mavlink"]

DEVICE = Device(
    name="mavlink",
    title="PX4 multirotors, over UDP or a serial port",
    models=("PX4 quadrotor",),
    driver="drivers.mavlink:Mavlink",
    virtual="drivers.mavlink.virtual:VirtualPX4",
    bench="bench.yaml",
    extra="mavlink",
    modules=("pymavlink",),
)
