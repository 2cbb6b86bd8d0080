"""Driver of the UFACTORY xArm 6 and 7 with their gripper; registers the device."""

from drivers.xarm.driver import XArm
from embodied.devices.registry import Device

__all__ = ["DEVICE", "XArm"]

DEVICE = Device(
    name="xarm",
    title="UFACTORY xArm, over TCP",
    models=("xArm 6", "xArm 7"),
    driver="drivers.xarm:XArm",
    virtual="drivers.xarm.virtual:VirtualXArm",
    bench="bench.yaml",
    scan="drivers.xarm.scan:scan",
    extra="xarm",
    modules=("xarm",),
)
