"""Perception: nodes that run ONNX models, filters of their detections, and model cards."""
