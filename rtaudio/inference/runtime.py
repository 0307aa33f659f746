"""Exported models on ONNX Runtime, with their state carried by name. The only module that imports ``onnxruntime``.

One intra-op thread, sequential, no spinning: at these sizes a second thread costs more than it saves, and spinning would occupy the
audio thread's core. ``run`` treats denormal numbers as zero, because silence would be slow otherwise. This module owns no thread. One
thread at a time may use a ``ModelRuntime``; siblings share the session and may run in parallel.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from models.card import CardError, ModelCard, read_card, verify_file
from models.catalog import find_model
from rtaudio.audio.format import Audio, StemplayError
from rtaudio.inference import integer_products
from rtaudio.inference.denormals import DenormalsAsZero
from rtaudio.inference.onnx_file import NotOnnxError, read_facts

States = dict[str, npt.NDArray[Any]]
TensorSpecs = dict[str, tuple[tuple[int, ...], str]]
"""Shape and type of tensors, by name."""

DOMAINS = ("", "com.microsoft")
"""Operator domains that ONNX Runtime itself implements; anything else would need a custom library."""

MAX_OPSET = 21
_TYPES = {
    "float32": "tensor(float)",
    "float64": "tensor(double)",
    "int64": "tensor(int64)",
    "float16": "tensor(float16)",
}


class ModelRuntime:
    """One exported model and the state of one stream through it.

    Args:
        model: name in the zoo, or a directory with ``model.onnx`` and ``card.json``.
        threads: intra-op threads; more than one helps only for whole chunks of non-causal models.

    Raises:
        StemplayError: there is no such model, or its card and file are damaged or contradict each other.
    """

    def __init__(self, model: str | Path, threads: int = 1) -> None:
        try:
            directory = find_model(model)
            self.card = read_card(directory)
            path = verify_file(self.card, directory)
            data = path.read_bytes()
        except CardError as error:
            raise StemplayError(str(error)) from None
        except OSError as error:
            raise StemplayError(f"The model {str(model)!r} cannot be read: {error.strerror}.") from None
        check_file(self.card, data)
        self._session = open_session(self.card, data, threads)
        _check_tensors(self.card, self._session)
        self._start()

    def _start(self) -> None:
        card = self.card
        inputs: TensorSpecs = {"mix": ((card.hop, card.channels), "float32")}
        states: TensorSpecs = {s.name: (s.shape, s.dtype) for s in card.states}
        self._stream = Stream(self._session, inputs, ("stems", (card.hop, len(card.outputs), card.channels)), states)

    def sibling(self) -> ModelRuntime:
        """A runtime for another stream that shares the loaded weights and starts from the zero state."""
        other = object.__new__(ModelRuntime)
        other.card, other._session = self.card, self._session
        other._start()
        return other

    def run(self, mix: Audio) -> Audio:
        """``(hop, channels)`` -> ``(hop, n_sources, channels)``; the state moves on by one hop."""
        return self._stream.run(mix)

    def reset(self) -> None:
        """Reset to the zero state."""
        self._stream.reset()

    def get_state(self) -> States:
        """A deep copy of the state tensors, by name."""
        return self._stream.copy()

    def set_state(self, state: States) -> None:
        """Restore a copy of what ``get_state`` returned. Raises StemplayError if it belongs to another model."""
        shapes = {s.name: s.shape for s in self.card.states}
        if {name: value.shape for name, value in state.items()} != shapes:
            raise StemplayError(f"The saved state does not belong to the model {self.card.name!r}.")
        self._stream.put({s.name: np.array(state[s.name], dtype=s.dtype) for s in self.card.states})

    def warm_up(self, calls: int = 20) -> None:
        """Run on silence, so that page faults do not slow down the first real block. The state does not change."""
        state = self.get_state()
        silence = np.zeros((self.card.hop, self.card.channels), dtype=np.float32)
        for _ in range(calls):
            self.run(silence)
        self.set_state(state)


class Stream:
    """The tensors of one stream, bound to a session once. Each call reads one set of states and writes the other, so none is copied.

    A call that fails leaves the state as it was. States are zeros at the start.

    Args:
        session: its inputs are ``inputs``, and ``state.NAME`` of each state; its outputs are ``output``, and ``next.NAME``.
        inputs, states: shape and type by name.
        output: name and shape, float32.
    """

    def __init__(
        self, session: ort.InferenceSession, inputs: TensorSpecs, output: tuple[str, tuple[int, ...]], states: TensorSpecs
    ) -> None:
        self._session = session
        self._specs = states
        self._inputs = {name: _tensor(*spec) for name, spec in inputs.items()}
        self._output = _tensor(output[1], "float32")
        self._states = [{name: _tensor(*spec) for name, spec in states.items()} for _ in range(2)]
        self._bindings = [self._bound(output[0], *sets) for sets in (self._states, self._states[::-1])]
        self._current = 0
        self._quick = DenormalsAsZero()

    def _bound(self, output: str, before: dict[str, ort.OrtValue], after: dict[str, ort.OrtValue]) -> ort.IOBinding:
        binding = self._session.io_binding()
        for name, value in self._inputs.items():
            binding.bind_ortvalue_input(name, value)
        binding.bind_ortvalue_output(output, self._output)
        for name in before:
            binding.bind_ortvalue_input(f"state.{name}", before[name])
            binding.bind_ortvalue_output(f"next.{name}", after[name])
        return binding

    def run(self, *inputs: Audio) -> Audio:
        """Arrays in the order of ``inputs`` -> the output; the states move on."""
        for value, array in zip(self._inputs.values(), inputs, strict=True):
            value.update_inplace(np.ascontiguousarray(array, dtype=np.float32))
        with self._quick:
            self._session.run_with_iobinding(self._bindings[self._current])
        self._current = 1 - self._current
        return np.array(self._output.numpy())

    def reset(self) -> None:
        """Reset the states to zeros."""
        self.put({name: np.zeros(shape, dtype) for name, (shape, dtype) in self._specs.items()})

    def copy(self) -> States:
        """Copies of the states, by name."""
        return {name: np.array(value.numpy()) for name, value in self._states[self._current].items()}

    def put(self, state: States) -> None:
        """Copy ``state`` into the states; each must have the right shape and type."""
        for name, value in state.items():
            self._states[self._current][name].update_inplace(value)


def _tensor(shape: tuple[int, ...], dtype: str) -> ort.OrtValue:
    return ort.OrtValue.ortvalue_from_numpy(np.zeros(shape, dtype))


def check_file(card: ModelCard, data: bytes) -> None:
    """Check a model file before it is given to ONNX Runtime. Raises StemplayError if it must not be loaded."""
    where = f"The model {card.name!r}"
    try:
        facts = read_facts(data)
    except NotOnnxError as error:
        raise StemplayError(f"{where} is not an ONNX file: {error}.") from None
    if facts.external:
        raise StemplayError(
            f"{where} reads weights from another file ({facts.external[0]}), which is not allowed."
        )
    foreign = sorted(domain for domain in facts.opsets if domain not in DOMAINS)
    if foreign:
        raise StemplayError(f"{where} needs operators of the unsupported domain {', '.join(foreign)}.")
    opset = facts.opsets.get("", 0)
    if opset != card.opset:
        raise StemplayError(f"{where} has operator set {opset}, not {card.opset} as its card says.")
    if opset > MAX_OPSET:
        raise StemplayError(f"{where} needs operator set {opset}; this program reads up to {MAX_OPSET}.")


def open_session(card: ModelCard, data: bytes, threads: int) -> ort.InferenceSession:
    options = _session_options(threads)
    if not sums_are_exact():
        options.add_session_config_entry("session.x64quantprecision", "1")
    try:
        return _open(data, options)
    except Exception as error:  # ONNX Runtime raises a dozen unrelated classes
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise StemplayError(f"The model {card.name!r} cannot be loaded by ONNX Runtime: {reason}.") from None


@functools.lru_cache(maxsize=8)
def open_graph(data: bytes) -> ort.InferenceSession:
    """A session on one thread for a graph of this program (``onnx_graph``). Streams with the same graph share it."""
    return _open(data, _session_options(1))


class Graph:
    """A graph with one input and one output that is shipped beside its module, for whole songs; it has no state.

    Raises StemplayError if the file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._session = _open(path.read_bytes(), _session_options(1))
        except OSError as error:
            raise StemplayError(f"The network {path.name} cannot be read: {error.strerror}. Install the program again.") from None
        except Exception as error:  # ONNX Runtime raises classes of its own
            raise StemplayError(f"The network {path.name} is damaged ({type(error).__name__}). Install the program again.") from None

    def run(self, name: str, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The output for ``values`` at the input ``name``."""
        with DenormalsAsZero():
            result: npt.NDArray[np.float32] = self._session.run(None, {name: np.ascontiguousarray(values, np.float32)})[0]
        return result


def _session_options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.set_denormal_as_zero", "1")  # for ONNX Runtime's own threads, if there are any
    return options


def _open(data: bytes, options: ort.SessionOptions) -> ort.InferenceSession:
    with DenormalsAsZero():  # on the first session the option also switches this thread, for good
        return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


@functools.cache
def sums_are_exact() -> bool:
    """Whether products of 8-bit integers are summed without overflow on this processor (``rtaudio.inference.integer_products``)."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(integer_products.product_model(), options, providers=["CPUExecutionProvider"])
    largest = np.full((integer_products.ROWS, integer_products.SIZE), integer_products.LARGEST_INPUT, np.uint8)
    expected = integer_products.SIZE * integer_products.LARGEST_INPUT * integer_products.LARGEST_WEIGHT
    return bool(np.all(session.run(None, {"x": largest})[0] == expected))


def _check_tensors(card: ModelCard, session: ort.InferenceSession) -> None:
    """Check that the inputs and outputs of the graph are those of the card, with the same shapes and types.

    If the file states a sample rate (ours do, others may not), it must be the card's.
    """
    rate = session.get_modelmeta().custom_metadata_map.get("sample_rate", str(card.sample_rate))
    if rate != str(card.sample_rate):
        raise StemplayError(f"The model {card.name!r} works at {rate} Hz, not {card.sample_rate} Hz as its card says.")
    states = {s.name: (s.shape, s.dtype) for s in card.states}
    mix: dict[str, tuple[tuple[int, ...], str]] = {"mix": ((card.hop, card.channels), "float32")}
    stems: dict[str, tuple[tuple[int, ...], str]] = {"stems": ((card.hop, len(card.outputs), card.channels), "float32")}
    compare_tensors(
        card, "input", session.get_inputs(), mix | {f"state.{name}": value for name, value in states.items()}
    )
    compare_tensors(
        card, "output", session.get_outputs(), stems | {f"next.{name}": value for name, value in states.items()}
    )


def compare_tensors(
    card: ModelCard, side: str, tensors: list[Any], expected: dict[str, tuple[tuple[int, ...], str]]
) -> None:
    where = f"The model {card.name!r}"
    found = {tensor.name: tensor for tensor in tensors}
    missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    if missing:
        raise StemplayError(f"{where} lacks the {side} {', '.join(missing)}, which its card names.")
    if extra:
        raise StemplayError(f"{where} has the {side} {', '.join(extra)}, which its card does not name.")
    for name, (shape, dtype) in expected.items():
        tensor = found[name]
        if tensor.type != _TYPES.get(dtype):
            raise StemplayError(f"{where} has the {side} {name} of type {tensor.type}, not {dtype} as its card says.")
        if tuple(tensor.shape) != shape:
            raise StemplayError(
                f"{where} has the {side} {name} of shape {_text(tensor.shape)}, not {_text(shape)} as its card says."
            )


def _text(shape: Any) -> str:
    return " x ".join(str(n) for n in shape) or "scalar"
