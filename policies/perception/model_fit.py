"""Fit of an ONNX model to what a node declares: names, element types and shapes, before and after an inference."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embodied.errors import nearest
from embodied.messages import Array
from policies.perception.model_memory import memory_problem

PROBE_TIMEOUT = 2.0
"""Time after which an inference that only looks at shapes is broken off [s]."""

PROBE_SIZE_MOST = 1 << 28
"""Largest size of the inputs of such an inference together [B]."""

_DTYPES = {"float": "float32", "double": "float64", "float16": "float16", "string": "object"}
"""Element types whose name in ONNX Runtime is not that of NumPy."""


def misfits(model: Path, kind: str, declared: Mapping[str, Array], found: Sequence[Any]) -> Iterator[str]:
    """Yield a sentence for each input or output that is not as declared.

    Args:
        model: path of the model.
        kind: `input` or `output`.
        declared: inputs or outputs that the node declares, by name.
        found: those of the model, as ONNX Runtime describes them.
    """
    have = {entry.name: entry for entry in found}
    missing = [name for name in declared if name not in have]
    for name in missing:
        yield "; ".join((f"{model} has no {kind} '{name}'", *nearest(name, have)))
    if kind == "input" and not missing:
        for name in sorted(set(have) - set(declared)):
            needs = f"{model} needs an input '{name}' that this node does not declare"
            yield "; ".join((needs, *nearest(name, declared)))
    for name, array in declared.items():
        if name not in have:
            continue
        where = f"{model}: {kind} '{name}'"
        full = str(have[name].type)
        if not (full.startswith("tensor(") and full.endswith(")")):
            yield f"{where} must be a tensor of {array.dtype}, got {full}; export it with tensors alone"
            continue
        dtype = full.removeprefix("tensor(").removesuffix(")")
        if not _is_dtype(dtype := _DTYPES.get(dtype, dtype)):
            yield f"{where} must be {array.dtype}, got {dtype}, which NumPy does not have; export it with that type"
            continue
        if dtype != array.dtype:
            yield f"{where} must be {array.dtype}, got {dtype}; export it with that element type"
        if problem := _shape_problem(kind, array.shape, have[name].shape):
            yield f"{where} {problem}"


def output_problem(declared: Mapping[str, Array], outputs: Mapping[str, NDArray[Any]]) -> str:
    """Return the reason why outputs of an inference are not as declared; empty if they are.

    A letter has one value in all outputs.
    """
    sizes: dict[str, int] = {}
    for name, array in declared.items():
        output: object = outputs[name]
        if not isinstance(output, np.ndarray) or output.dtype != array.dtype:
            got = getattr(output, "dtype", type(output).__name__)
            return f"output '{name}' must be an array of {array.dtype}, got {got}"
        shape = output.shape
        right = len(shape) == len(array.shape) and all(
            size == (sizes.setdefault(wanted, size) if isinstance(wanted, str) else wanted)
            for wanted, size in zip(array.shape, shape, strict=True)
        )
        if not right:
            return f"output '{name}' must have shape {_shape(array.shape)}, got {_shape(shape)}"
    return ""


def number_problem(outputs: Mapping[str, NDArray[Any]]) -> str:
    """Return which output of an inference has a number that is none: NaN or infinity; empty if none has."""
    for name, output in outputs.items():
        if output.dtype.kind == "f" and not (finite := np.isfinite(output)).all():
            bad = output[~finite]
            return f"output '{name}' must be finite, got {bad[0]} in {bad.size} of {output.size} numbers"
    return ""


def probe(model: Path, session: Any, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Iterator[str]:
    """Look at the shapes that a model leaves open, in one inference of zeros.

    Args:
        model: path of the model.
        session: inference session of the model, whose inputs and outputs are those declared.
        inputs: declared inputs, by name.
        outputs: declared outputs, by name.

    Yields:
        a sentence if an output has another shape than declared, or one inference takes too much memory.
    """
    shapes = {entry.name: entry.shape for entry in session.get_outputs()}
    if all(list(shapes[name]) == list(array.shape) for name, array in outputs.items()):
        return
    fed = {name: [size if isinstance(size, int) else 1 for size in array.shape] for name, array in inputs.items()}
    sizes = (np.prod(shape, dtype=float) * np.dtype(inputs[name].dtype).itemsize for name, shape in fed.items())
    if sum(sizes) > PROBE_SIZE_MOST:
        return
    zeros = {name: np.zeros(shape, inputs[name].dtype) for name, shape in fed.items()}
    options = _runtime().RunOptions()
    options.log_severity_level = 4
    timer = threading.Timer(PROBE_TIMEOUT, setattr, (options, "terminate", True))
    timer.start()
    try:
        found = session.run(list(outputs), zeros, options)
    except Exception as error:
        # Zeros need not make sense to a model; each inference is looked at later.
        yield from filter(None, (memory_problem(model, error),))
        return
    finally:
        timer.cancel()
    if problem := output_problem(outputs, dict(zip(outputs, found, strict=True))):
        yield f"{model}: {problem} for an input of zeros; export it with that shape"


def _runtime() -> Any:
    import onnxruntime

    return onnxruntime


def _is_dtype(name: str) -> bool:
    try:
        np.dtype(name)
    except TypeError:
        return False
    return True


def _shape_problem(kind: str, declared: Sequence[int | str], found: Sequence[int | str | None]) -> str:
    right = len(declared) == len(found)
    for wanted, size in zip(declared, found, strict=False):
        # A size that changes from call to call may be fixed in an output; an input has to leave it open.
        right &= not isinstance(size, int) or size == wanted or (kind == "output" and isinstance(wanted, str))
    if right:
        return ""
    closed = [
        wanted
        for wanted, size in zip(declared, found, strict=False)
        if kind == "input" and isinstance(wanted, str) and isinstance(size, int)
    ]
    fix = f"export it with '{closed[0]}' left open (dynamic axes)" if closed else "export it with that shape"
    return f"must have shape {_shape(declared)}, got {_shape(found)}; {fix}"


def _shape(sizes: Sequence[int | str | None]) -> str:
    return f"({', '.join('?' if size is None else str(size) for size in sizes)})"
