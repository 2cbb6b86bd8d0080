"""Driver of cameras through OpenCV, on USB, on the network or recorded; registers the device."""

from drivers.uvc.driver import Camera
from embodied.devices.registry import Device

__all__ = ["DEVICE", "Camera"]

DEVICE = Device(
    name="uvc",
    title="cameras through OpenCV: USB (V4L2), HTTP, RTSP, recordings",
    models=("USB Video Class", "Motion JPEG over HTTP", "RTSP", "video files"),
    driver="drivers.uvc:Camera",
    virtual="drivers.uvc.virtual:VirtualCamera",
    bench="bench.yaml",
    scan="drivers.uvc.scan:scan",
)
