"""Perception: what the camera's ONNX detector finds, beside the truth. `python examples/detections.py`."""

from pathlib import Path

from embodied import SECOND, Lockstep, Stamped, Time
from embodied.launch import load
from embodied.messages import Detections

LAUNCH = Path(__file__).parents[1] / "launch" / "pick_place.yaml"

graph = load(LAUNCH).graph("sim")
latest: list[Stamped[Detections]] = []
run = Lockstep(graph.check(), seed=5)
run.observe("detector", latest.append)
with run:
    run.advance(Time(SECOND // 2))
    assert graph.world is not None
    truth = graph.world.truth()

detections = latest[-1].value
for label, position, score in zip(detections.labels, detections.position, detections.score, strict=True):
    error = min(
        float(sum((a - b) ** 2 for a, b in zip(position[:2], true.position[:2], strict=True)) ** 0.5)
        for name, true in truth.items()
        if name.startswith(label)
    )
    print(f"{label:8s} at {position.round(3)} m, score {score:.2f}, {1000 * error:.1f} mm from the truth")
