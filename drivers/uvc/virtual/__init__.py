"""A virtual camera: what a simulated camera sees, streamed as Motion JPEG."""

from drivers.uvc.virtual.device import VirtualCamera

__all__ = ["VirtualCamera"]
