"""The vocabulary of the graph: every message type, with shapes, dtypes, units and frames."""

from embodied.messages.control import DeviceStatus, GuardReport, Reset, Separation, Stop, Target
from embodied.messages.mobile import (
    Battery,
    DroneCommand,
    DroneState,
    Imu,
    Lane,
    VehicleCommand,
    VehicleState,
)
from embodied.messages.motion import Goal, GripperState, JointCommand, JointState, Pose, Twist
from embodied.messages.schema import Array, Command, Message, Unit, Vector
from embodied.messages.vision import CameraInfo, Depth, Detections, Image, Segmentation

__all__ = [
    "Array",
    "Battery",
    "CameraInfo",
    "Command",
    "Depth",
    "Detections",
    "DeviceStatus",
    "DroneCommand",
    "DroneState",
    "Goal",
    "GripperState",
    "GuardReport",
    "Image",
    "Imu",
    "JointCommand",
    "JointState",
    "Lane",
    "Message",
    "Pose",
    "Reset",
    "Segmentation",
    "Separation",
    "Stop",
    "Target",
    "Twist",
    "Unit",
    "Vector",
    "VehicleCommand",
    "VehicleState",
]
