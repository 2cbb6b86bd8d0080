"""Perception: ONNX detectors, what follows from their pictures, and how models are declared."""
