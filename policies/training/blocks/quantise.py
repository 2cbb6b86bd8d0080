"""Make the trained block detector faster with 8-bit weights and activations, and update its card.

`python -m policies.training.blocks.quantise CALIBRATION VALIDATION [VALIDATION ...]`, with the extra `train`. Folders
come from `policies.training.blocks.render`; calibration needs a few hundred images of training scenes. The last layers,
which give positions to a fraction of a pixel, stay in `float`; `policies.training.blocks.fold` fuses the rest.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from policies.perception.detector import LABELS, Detector
from policies.perception.model_card import ModelCard
from policies.perception.model_file import digest
from policies.training.blocks.fold import fold
from policies.training.blocks.render import Renders
from policies.training.blocks.score import scores

GEOMETRY_CHANNELS = 4
"""Channels of the geometry head of `DetectorNetwork`."""


class Images:
    """Reader of images, a `CalibrationDataReader`, to quantise the block detector with: yields each of a set once."""

    def __init__(self, renders: Renders) -> None:
        self._images = iter(renders.rgb)

    def get_next(self) -> dict[str, Any] | None:
        """Return the next image; None at the end."""
        image = next(self._images, None)
        return None if image is None else {"image": np.ascontiguousarray(image)[None]}


def quantise(model: Path, calibration: Renders) -> None:
    """Quantise a block detector to 8 bits, in place.

    Args:
        model: path of the ONNX file from training.
        calibration: images for the ranges of the activations.
    """
    # Imported here: ONNX Runtime takes its settings from the environment, which `embodied` writes.
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory(prefix="embodied-quantise-") as folder:
        ready = Path(folder, "ready.onnx")
        quant_pre_process(str(model), str(ready), skip_symbolic_shape=True)
        graph = onnx.load(str(ready)).graph
        widths = {weights.name: weights.dims[0] for weights in graph.initializer if len(weights.dims) == 4}
        last = [
            n.name for n in graph.node if n.op_type == "Conv" and widths[n.input[1]] in (len(LABELS), GEOMETRY_CHANNELS)
        ]
        quantize_static(
            str(ready),
            str(model),
            Images(calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Add", "Resize"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=last,
        )
    onnx.save(fold(onnx.load(str(model))), str(model))


def main() -> None:
    """Quantise and score the block detector, and update its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("calibration", type=Path)
    parser.add_argument("validation", type=Path, nargs="+", help="the first by the renderer that runs use")
    parser.add_argument("--model", type=Path, default=Detector.model)
    arguments = parser.parse_args()
    path = ModelCard.beside(arguments.model)
    card, calibration = ModelCard.read(path), Renders.load(arguments.calibration)
    quantise(arguments.model, calibration)
    # The card of the previous model would refuse this one.
    path.unlink()
    detector = Detector(model=arguments.model)
    detector.open()
    measured = scores(detector, [Renders.load(folder) for folder in arguments.validation])
    data = f"{card.data} Its 8-bit arithmetic was fitted to {len(calibration.rgb)} images of the same scenes."
    replace(card, sha256=digest(arguments.model), scores=measured, data=data).write(path)
    for name, value in measured.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
