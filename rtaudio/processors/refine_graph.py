"""The refinement of one hop (``rtaudio.processors.refine``) as one graph for ONNX Runtime.

NumPy would need forty calls, and after each of them a thread may have to wait for Python's interpreter. ONNX Runtime needs one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rtaudio.inference.fourier import Fourier, Matrix, columns_for
from rtaudio.inference.onnx_graph import OnnxGraph

FLOOR = 1e-9
"""Added to each source's power, so that silent sources get equal shares."""
Shapes = dict[str, tuple[tuple[int, ...], str]]


@dataclass(frozen=True)
class RefineGraph:
    """What the graph depends on. Lengths are in samples.

    Attributes:
        stems, channels: how many; hop: samples of a call.
        delay: of the stems that the graph is given; ``ahead``: further delay of the refined stems.
        size: of the windows whose spectra are taken.
        residual: shares of the residual, with which the stems sum to the mix; the filters are made of these.
        share: of the filtered mix in each stem of the output.
    """

    stems: int
    channels: int
    hop: int
    delay: int
    ahead: int
    size: int
    residual: tuple[float, ...]
    share: tuple[float, ...]

    @property
    def inputs(self) -> Shapes:
        """Shape and type of each input."""
        return {"mix": ((self.hop, self.channels), "float32"), "stems": ((self.hop, self.stems, self.channels), "float32")}

    @property
    def states(self) -> Shapes:
        """Shape and type of each state; zeros at the start."""
        rows, numbers = (self.stems, self.channels), 2 * self._part.rows * self._part.columns
        found: Shapes = {
            "mix": ((self.channels, self.delay + max(self.hop, self.ahead)), "float32"),
            "plain": ((*rows, self.ahead), "float32"),
            "heard": ((self.channels, 2, self._parts - 1, numbers), "float32"),
            "filters": ((self.stems - 1, 1, 1, self._parts, numbers), "float32"),
            "filled": ((1,), "bool"),
        }
        if self.hop < self.size:
            found["whole"] = ((*rows, self.size - self.hop), "float32")
        return {name: spec for name, spec in found.items() if 0 not in spec[0]}

    @property
    def _parts(self) -> int:
        """A filter has so many parts of a hop."""
        return -(-(self.ahead + self.size // 2) // self.hop)

    @property
    def _full(self) -> Fourier:
        """Transforms of whole windows, whose size is a power of two. With three sums they take half the time of two."""
        third = 1 << round(math.log2(self.size) / 3)
        return Fourier(self.size, third, third)

    @property
    def _part(self) -> Fourier:
        """Transforms of two hops, each of whole rows."""
        return Fourier(2 * self.hop, columns_for(self.hop))

    def encode(self) -> bytes:
        """The ONNX file: the inputs, and ``state.NAME`` of each state; the outputs ``refined`` and ``next.NAME``."""
        graph = OnnxGraph("refinement")
        for prefix, specs in (("", self.inputs), ("state.", self.states)):
            for name, (shape, dtype) in specs.items():
                graph.input(prefix + name, shape, dtype)
        hop, stems, length = self.hop, self.stems, self.channels * self.hop
        newest = graph.node("Transpose", "stems", perm=[1, 2, 0])
        plain = graph.cut(self._continued(graph, "plain", newest), 0, hop, -1)
        mix = self._continued(graph, "mix", graph.node("Transpose", "mix", perm=[1, 0]))
        late = self.states["mix"][0][1] + hop - self.delay  # end of the sound that the stems belong to
        heard = graph.cut(mix, late - 2 * hop, late, 1)
        whole = self._with_residual(graph, newest, graph.cut(heard, hop, 2 * hop, 1))
        filtered = self._filtered(graph, self._filters(graph, self._continued(graph, "whole", whole)), heard)
        late_mix = graph.cut(mix, late - self.ahead - hop, late - self.ahead, 1)
        share = np.array(self.share)[:, None]
        others = np.concatenate((np.eye(stems - 1), -np.ones((1, stems - 1))))  # the last stem is the mix without all others
        matrix = np.hstack((share * others, share * others, share * np.eye(stems)[:, -1:], np.diag(1 - share[:, 0])))
        parts = [filtered, graph.shaped(late_mix, 1, length), graph.shaped(plain, stems, length)]
        refined = graph.node("MatMul", graph.constant(matrix), graph.node("Concat", *parts, axis=0))
        refined = graph.node("Transpose", graph.shaped(refined, stems, self.channels, hop), perm=[2, 0, 1])
        graph.output("refined", refined, (hop, stems, self.channels))
        return graph.encode()

    def _continued(self, graph: OnnxGraph, name: str, newest: str) -> str:
        """A state ``(..., samples)`` and the newest samples after it. The end of both is the next state."""
        if name not in self.states:  # all is new
            return graph.cut(newest, self.hop - self.size, self.hop, -1)
        signal = graph.node("Concat", f"state.{name}", newest, axis=-1)
        self._next(graph, name, graph.cut(signal, self.hop, self.hop + self.states[name][0][-1], -1))
        return signal

    def _next(self, graph: OnnxGraph, name: str, value: str) -> None:
        graph.output(f"next.{name}", value, *self.states[name])

    def _with_residual(self, graph: OnnxGraph, stems: str, heard: str) -> str:
        """Stems ``(stems, channels, hop)`` that sum to the mix ``(channels, hop)``: each and its share of what is missing."""
        length, shares = self.channels * self.hop, np.array(self.residual)[:, None]
        parts = graph.node("Concat", graph.shaped(stems, self.stems, length), graph.shaped(heard, 1, length), axis=0)
        whole = graph.node("MatMul", graph.constant(np.hstack((np.eye(self.stems) - shares, shares))), parts)
        return graph.shaped(whole, self.stems, self.channels, self.hop)

    def _filters(self, graph: OnnxGraph, whole: str) -> str:
        """Spectra of the filters' parts, from the windows ``(stems, channels, size)``. The last stem has no filter."""
        full, part, parts, others = self._full, self._part, self._parts, self.stems - 1
        windows = graph.node("Mul", whole, graph.constant(analysis_window(self.size, self.hop, self.ahead)))
        row = full.middle * full.columns
        samples = graph.shaped(windows, -1, full.steps, row)
        spectra = full.forward(graph, samples, full.steps)
        squares = graph.shaped(graph.node("Mul", spectra, spectra), self.stems, self.channels, full.rows, 2 * full.columns)
        both = graph.node("ReduceSum", squares, graph.constant([1], "int64"), keepdims=0)
        real, imaginary = graph.nodes("Split", 2, both, axis=2)
        powers = graph.node("Add", graph.node("Add", real, imaginary), graph.constant(FLOOR))
        powers = graph.shaped(powers, self.stems, full.rows * full.columns)
        total = graph.node("MatMul", graph.constant(np.ones((1, self.stems))), powers)
        ratios = graph.shaped(graph.node("Div", graph.cut(powers, 0, others, 0), total), others, full.rows, full.columns)
        length = parts * self.hop
        rows = -(-length // row)
        only_real = np.eye(full.columns, 2 * full.columns)
        response = graph.shaped(full.backward(graph, ratios, only_real, range(rows), self.ahead), others, -1)
        taps = graph.cut(response, 0, length, 1) if rows * row > length else response
        weights = np.pad(tap_weights(self.size // 2, self.ahead), (0, length - self.ahead - self.size // 2))
        taps = graph.node("Mul", taps, graph.constant(weights))
        given = part.steps // 2
        spectra = part.forward(graph, graph.shaped(taps, others * parts, given, part.columns), given)
        return graph.shaped(spectra, *self.states["filters"][0])

    def _filtered(self, graph: OnnxGraph, filters: str, heard: str) -> str:
        """The mix through the filters of the previous hop, fading out, and through ``filters``, fading in, by partitioned overlap-save.

        ``heard``: the last two hops of the mix, ``(channels, 2 * hop)``. Returns ``(2 * (stems - 1), channels * hop)``.
        """
        part, hop, channels, others = self._part, self.hop, self.channels, self.stems - 1
        spectra = self._spectra(graph, heard)
        before, after = (
            graph.node("ReduceSum", graph.node("Mul", each, spectra), graph.constant([3], "int64"), keepdims=0)
            for each in ("state.filters", filters)
        )
        before = graph.node("Where", "state.filled", before, after)  # at first there is nothing to fade from
        self._next(graph, "filters", filters)
        self._next(graph, "filled", graph.node("Identity", graph.constant([True], "bool")))
        sums = graph.shaped(graph.node("Concat", before, after, axis=0), -1, 2, part.rows, 2 * part.columns)
        sums = graph.shaped(graph.node("Transpose", sums, perm=[0, 2, 1, 3]), -1, part.rows, 4 * part.columns)
        added = np.tile(np.eye(part.columns, dtype=np.float64), (2, 1))  # the two products in each part of a complex number
        nothing = np.zeros_like(added)
        added = np.block([[added, nothing], [nothing, added]])
        hops = part.backward(graph, sums, added, range(part.steps // 2, part.steps))
        fade = (np.arange(hop) + 0.5) / hop
        fades = graph.constant(np.tile(np.stack((1 - fade, fade))[:, None], (1, others, channels)).reshape(2 * others, -1))
        return graph.node("Mul", graph.shaped(hops, 2 * others, channels * hop), fades)

    def _spectra(self, graph: OnnxGraph, heard: str) -> str:
        """Spectra of the mix, the newest first, ``(channels, 2, parts, numbers)``.

        Of each, ``(real, -imaginary)`` and ``(imaginary, real)``: their products with ``(real, imaginary)`` of a filter sum to the real and
        the imaginary part of the filtered spectrum.
        """
        part, channels, parts = self._part, self.channels, self._parts
        real, imaginary = np.split(np.eye(2 * part.columns), 2, axis=1)
        arrange = np.concatenate((real, -imaginary, imaginary, real), axis=1)
        samples = graph.shaped(heard, channels, part.steps, part.columns)
        spectra = part.forward(graph, samples, part.steps, arrange)
        spectra = graph.shaped(spectra, channels, part.rows, 2, 2 * part.columns)
        newest = graph.shaped(graph.node("Transpose", spectra, perm=[0, 2, 1, 3]), channels, 2, 1, -1)
        if parts == 1:
            return newest
        spectra = graph.node("Concat", newest, "state.heard", axis=2)
        self._next(graph, "heard", graph.cut(spectra, 0, parts - 1, 2))
        return spectra


def analysis_window(size: int, hop: int, ahead: int) -> Matrix:
    """Rises over most of ``size`` samples and falls over the rest (``ahead`` or a hop), each as a squared sine."""
    fall = max(min(hop, size // 2), ahead)
    rise, end = (np.sin(np.pi / 2 * (np.arange(n) + 0.5) / n) ** 2 for n in (size - fall, fall))
    return np.concatenate((rise, end[::-1]))


def tap_weights(behind: int, ahead: int) -> Matrix:
    """For the taps from ``ahead`` samples before 0 to ``behind - 1`` after it: pairs weigh 2, the last quarter fades out."""
    lost = np.sin(np.pi / 2 * np.arange(1, ahead + 1) / ahead) ** 2  # of the taps ahead; all of it at the farthest
    after = np.full(behind, 2.0)
    after[0] = 1
    near = min(ahead, behind - 1)
    after[1 : near + 1] = 1 + lost[:near]
    end = behind // 4
    after[-end:] *= np.sin(np.pi / 2 * (np.arange(end)[::-1] + 0.5) / end) ** 2
    return np.concatenate(((1 - lost)[::-1], after))
