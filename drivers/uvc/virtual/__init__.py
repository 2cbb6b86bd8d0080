"""Virtual camera: streams what a camera of the world sees as Motion JPEG."""

from drivers.uvc.virtual.device import VirtualCamera

__all__ = ["VirtualCamera"]
