"""Text for each error code of an xArm's control box, and what to do about it."""

from __future__ import annotations

from drivers.xarm.codec import SLOTS, Fault


def fault_text(error: int) -> str:
    """Return an error of an xArm's control box in words, and what to do about it."""
    if error == Fault.EMERGENCY_STOP:
        return "C2: its emergency stop is pressed; release it, make sure that the arm may move, and arm it again"
    if Fault.SERVO_1 <= error < Fault.SERVO_1 + SLOTS:
        joint = error - Fault.SERVO_1 + 1
        return f"C{error}: joint {joint} has failed or is too hot; see UFACTORY's table of servo errors"
    if error == Fault.TOOL_SILENT:
        return "C19: nothing answers at the end of the arm: is its gripper plugged in? without one, set `gripper: none`"
    return f"C{error}: see UFACTORY's table of controller errors" if error else "no error"
