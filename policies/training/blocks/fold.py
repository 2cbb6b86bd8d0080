"""Fold the quantised block detector into fused 8-bit operations, with the same weights.

ONNX Runtime computes a graph of `quantize_static` tensor by tensor: every activation is rounded twice, once before and
once after its ReLU, and goes through `float` in between. Here each convolution, its ReLU and its rounding are one
`QLinearConv`, whose zero point cuts off what is negative. Everything stays in bytes with channels last:

- the camera's bytes are the first convolution's input as they are, four pixels side by side as twelve channels, since
  the kernels for 8 bits take channels by fours; one output then holds two pixels of sixteen channels, as they lie in
  memory anyway;
- the convolution before an upsampling outputs each pixel twice along a row, and rows are then repeated whole;
- both heads are one matrix product in `float`, as they give positions to a fraction of a pixel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from embodied.messages import Array
from policies.perception.detector import COLUMNS, HEIGHT, LABELS, ROWS, WIDTH, Detector

MICROSOFT = "com.microsoft"
"""Operator domain of the 8-bit kernels."""

PIXELS = 4
"""Pixels side by side in one input of the first convolution."""

SCALE = 1 / 127.5
"""Scale of an image's bytes, which represent -1 to 1."""

MIDDLE = 128
"""Zero point of an image's bytes, half a step above 0."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """Quantised convolution of the block detector, as written by `quantize_static`.

    Attributes:
        weights: weights, shape (outputs, inputs, rows, columns).
        scale: scale of the weights of each output.
        bias: bias, in units of the input's scale times that of the weights.
        stride: stride along both axes.
        output_scale: scale of the output, after the ReLU.
    """

    weights: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.int32]
    stride: int
    output_scale: float

    def twice(self) -> Convolution:
        """Return the convolution with each output twice."""
        weights, scale, bias = (np.concatenate([part, part]) for part in (self.weights, self.scale, self.bias))
        return Convolution(weights, scale, bias, self.stride, self.output_scale)


class _Quantised:
    """Reader of a model of `quantize_static`, by the names of the layers in `DetectorNetwork`."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.values = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        self._by_output = {name: node for node in model.graph.node for name in node.output}
        self._consumers: dict[str, list[onnx.NodeProto]] = {}
        for node in model.graph.node:
            for name in node.input:
                self._consumers.setdefault(name, []).append(node)

    def convolution(self, layer: str) -> Convolution:
        (node,) = (n for n in self._by_output.values() if n.name == f"/network/{layer}/Conv")
        weights, bias = (self._by_output[name] for name in node.input[1:3])
        strides = next(a.ints for a in node.attribute if a.name == "strides")
        scale = self.values[weights.input[1]].astype(np.float32)
        return Convolution(
            self.values[weights.input[0]], scale, self.values[bias.input[0]], int(strides[0]), self._output_scale(node)
        )

    def _output_scale(self, node: onnx.NodeProto) -> float:
        # Behind the ReLU, and behind the upsampling if there is one, stands the scale of what is positive. Before the
        # heads there is none: there it is what is positive of the range before the ReLU.
        range_: float | None = None
        while True:
            consumer = self._consumers[node.output[0]][0]
            if consumer.op_type == "QuantizeLinear":
                scale = float(self.values[consumer.input[1]])
                zero = int(self.values[consumer.input[2]])
                if zero == 0:
                    return scale
                range_ = scale * (255 - zero)
            elif consumer.op_type == "Conv":
                assert range_ is not None
                return range_ / 255
            node = consumer

    def added(self, count: int) -> float:
        """Return the scale of the output of the `count`-th addition."""
        node = [n for n in self._by_output.values() if n.op_type == "Add"][count]
        return float(self.values[self._consumers[node.output[0]][0].input[1]])


class _Folded:
    """Builder of the folded model."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.values: list[onnx.TensorProto] = []

    def constant(self, name: str, value: Any) -> str:
        self.values.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, kind: str, inputs: Sequence[str], output: str, *, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def byte(self, name: str, scale: float, zero: int = 0) -> list[str]:
        """Add scale and zero point of a tensor of bytes."""
        return [
            self.constant(f"{name}_scale", np.float32(scale)),
            self.constant(f"{name}_zero", np.uint8(zero)),
        ]

    def reshape(self, name: str, output: str, *shape: int) -> str:
        return self.add("Reshape", [name, self.constant(f"{output}_shape", np.array(shape, np.int64))], output)

    def convolve(
        self,
        name: str,
        source: str,
        quantisation: list[str],
        layer: Convolution,
        stride: tuple[int, int],
        pads: list[int],
    ) -> str:
        """Add a convolution with its ReLU; `quantisation` is scale and zero point of its input."""
        inputs = [source, *quantisation]
        inputs += [self.constant(f"{name}_w", layer.weights), self.constant(f"{name}_w_scale", layer.scale)]
        inputs += [self.constant(f"{name}_w_zero", np.zeros(len(layer.scale), np.int8))]
        inputs += [*self.byte(name, layer.output_scale), self.constant(f"{name}_bias", layer.bias)]
        rows, columns = layer.weights.shape[2:]
        about = {"kernel_shape": [rows, columns], "strides": list(stride), "pads": pads, "channels_last": 1}
        return self.add("QLinearConv", inputs, name, domain=MICROSOFT, **about)


def fold(model: onnx.ModelProto) -> onnx.ModelProto:
    """Fold the quantised block detector into fewer, faster operations.

    Args:
        model: model from `quantize_static`, of the architecture of `DetectorNetwork`.
    """
    quantised, folded = _Quantised(model), _Folded()
    scales: dict[str, list[str]] = {"image": folded.byte("image", SCALE, MIDDLE)}

    def layer(name: str, source: str, *, twice: bool = False) -> str:
        convolution = quantised.convolution(name)
        edge = convolution.weights.shape[2] // 2
        output = name.replace(".", "_")
        whole = convolution.twice() if twice else convolution
        folded.convolve(output, source, scales[source], whole, (convolution.stride,) * 2, [edge] * 4)
        scales[output] = [f"{output}_scale", f"{output}_zero"]
        return output

    def doubled(name: str, source: str, rows: int, columns: int) -> str:
        # Each pixel stands twice in its row already.
        pair = layer(name, source, twice=True)
        channels = len(quantised.convolution(name).bias)
        lines = folded.reshape(pair, f"{pair}_lines", 1, rows, 1, 2 * columns * channels)
        size = folded.constant(f"{pair}_size", np.array((1, rows, 2, 2 * columns * channels), np.int64))
        both = folded.add("Expand", [lines, size], f"{pair}_both")
        scales[f"{pair}_doubled"] = scales[pair]
        return folded.reshape(both, f"{pair}_doubled", 1, 2 * rows, 2 * columns, channels)

    def merged(count: int, one: str, other: str) -> str:
        output = f"sum{count}"
        scales[output] = folded.byte(output, quantised.added(count))
        inputs = [one, *scales[one], other, *scales[other], *scales[output]]
        return folded.add("QLinearAdd", inputs, output, domain=MICROSOFT)

    first = _side_by_side(quantised.convolution("fine/fine.0/fine.0.0"))
    image = folded.reshape("image", "pixels", 1, HEIGHT, WIDTH // PIXELS, PIXELS * 3)
    pairs = folded.convolve("first", image, scales["image"], first, (2, 1), [1, 1, 0, 0])
    scales["fine0"] = ["first_scale", "first_zero"]
    fine = layer("fine/fine.1/fine.1.0", folded.reshape(pairs, "fine0", 1, HEIGHT // 2, WIDTH // 2, 16))
    fine = layer("fine/fine.2/fine.2.0", fine)
    middle = layer("middle/middle.1/middle.1.0", layer("middle/middle.0/middle.0.0", fine))
    coarse = layer("coarse/coarse.0/coarse.0.0", middle)
    coarse = layer("coarse/coarse.2/coarse.2.0", layer("coarse/coarse.1/coarse.1.0", coarse))
    upper = doubled("coarse_to_middle/coarse_to_middle.0", coarse, ROWS // 4, COLUMNS // 4)
    middle = merged(0, upper, layer("beside_middle/beside_middle.0", middle))
    middle = layer("merged_middle/merged_middle.0", middle)
    upper = doubled("middle_to_fine/middle_to_fine.0", middle, ROWS // 2, COLUMNS // 2)
    fine = merged(1, upper, layer("beside_fine/beside_fine.0", fine))
    fine = layer("merged_fine/merged_fine.0", fine)
    _heads(quantised, folded, fine, scales[fine])
    graph = helper.make_graph(folded.nodes, "detector", *_ends(), folded.values)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
    result: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(result)
    return result


def _side_by_side(layer: Convolution) -> Convolution:
    """Rewrite the first convolution for pixels in fours: its stride of 2 in a row becomes two outputs of each four."""
    outputs, colours, rows, columns = layer.weights.shape
    weights = np.zeros((2, outputs, 2, PIXELS, colours, rows), np.int8)
    for half in range(2):
        for column in range(columns):
            # Counted from the first pixel of the four before.
            group, pixel = divmod(PIXELS + 2 * half + column - columns // 2, PIXELS)
            weights[half, :, group, pixel] = layer.weights[:, :, :, column]
    # (2, outputs, columns, pixels, colours, rows) to (2 x outputs, pixels x colours, rows, columns)
    whole = np.ascontiguousarray(weights.transpose(0, 1, 3, 4, 5, 2)).reshape(2 * outputs, PIXELS * colours, rows, 2)
    # The zero point would be 127.5; the bias makes up for the nearest byte in its place.
    missing = np.rint((127.5 - MIDDLE) * -layer.weights.astype(np.float64).sum(axis=(1, 2, 3))).astype(np.int32)
    bias = layer.bias + missing
    return Convolution(whole, np.tile(layer.scale, 2), np.tile(bias, 2), 2, layer.output_scale)


def _heads(quantised: _Quantised, folded: _Folded, fine: str, scale: list[str]) -> None:
    """Add the heads: scores at their local maxima, and geometry, from the finest features."""
    kinds = (("heat", len(LABELS)), ("geometry", 4))
    weights = np.concatenate([quantised.values[f"network.{name}.weight"][:, :, 0, 0] for name, _ in kinds])
    bias = np.concatenate([quantised.values[f"network.{name}.bias"] for name, _ in kinds])[:, None]
    features = folded.add("DequantizeLinear", [fine, *scale], "features")
    features = folded.reshape(features, "cells", ROWS * COLUMNS, weights.shape[1])
    inputs = [folded.constant("heads_w", weights), features, folded.constant("heads_bias", bias)]
    both = folded.add("Gemm", inputs, "heads", transB=1)
    sizes = folded.constant("heads_sizes", np.array([count for _, count in kinds], np.int64))
    folded.nodes.append(helper.make_node("Split", [both, sizes], ["heat_rows", "geometry_rows"], name="split", axis=0))
    heat = folded.reshape("heat_rows", "heat", 1, len(LABELS), ROWS, COLUMNS)
    folded.reshape("geometry_rows", "geometry", 1, 4, ROWS, COLUMNS)
    folded.add("Sigmoid", [heat], "scores")
    folded.add("MaxPool", ["scores"], "highest", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1])
    folded.add("Equal", ["scores", "highest"], "is_peak")
    folded.add("Cast", ["is_peak"], "peak", to=TensorProto.FLOAT)
    folded.add("Mul", ["scores", "peak"], "peaks")


def _ends() -> tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]]:
    """Return the inputs and outputs that `Detector` declares."""

    def declared(arrays: Mapping[str, Array]) -> list[onnx.ValueInfoProto]:
        return [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(array.dtype)), array.shape)
            for name, array in arrays.items()
        ]

    return declared(Detector.inputs), declared(Detector.outputs)
