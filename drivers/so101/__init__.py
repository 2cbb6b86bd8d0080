"""Driver of The Robot Studio's SO-100 and SO-101 arms, on Feetech's servo bus; registers the device."""

from drivers.so101.driver import SO101
from embodied.devices.registry import Device

__all__ = ["DEVICE", "SO101"]

DEVICE = Device(
    name="so101",
    title="SO-100 and SO-101, over a serial port",
    models=("SO-100", "SO-101"),
    driver="drivers.so101:SO101",
    virtual="drivers.so101.virtual:VirtualSO101",
    bench="bench.yaml",
    scan="drivers.so101.scan:scan",
    calibrate="drivers.so101.calibrate:calibrate",
    extra="so101",
    modules=("scservo_sdk",),
)
