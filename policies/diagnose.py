"""Findings about the libraries of policies: ONNX Runtime with its providers, and Pinocchio."""

from __future__ import annotations

from embodied.diagnosis import Finding, find_distribution


def diagnose() -> list[Finding]:
    """Report versions of ONNX Runtime and Pinocchio, and the execution providers of ONNX models."""
    runtime = find_distribution("onnxruntime", "onnxruntime", "ONNX nodes")
    return [runtime, *_providers(runtime), find_distribution("pin", "pinocchio", "inverse kinematics")]


def _providers(runtime: Finding) -> list[Finding]:
    if not runtime.ok:
        return []
    import onnxruntime

    return [Finding("ONNX providers", True, ", ".join(onnxruntime.get_available_providers()))]
