"""Benchmarks: the cost of the models on this machine, and the blocks that are missed when they play.

| module | |
|---|---|
| ``machine`` ``processor`` | the machine, and the speed of one of its threads |
| ``busy`` | what other programs and the host took of it meanwhile |
| ``timing`` | times of a call, repeated until the 99th percentile is stable |
| ``bounds`` ``models`` | a separator's hop, beside the bounds of arithmetic and memory |
| ``peers`` | other packages in the same run, timed by ``python -m training bench --peers`` |
| ``live`` | misses, load and latency of models on a private JACK server |
| ``report`` ``compare`` ``text`` ``table`` | results as JSON, against earlier ones, for a terminal, for the README |
| ``options`` ``networks`` | options of the command line; networks made for timing only |

Instruments are in ``rtaudio.bench.instrument``. The caller's thread does the work; this package owns no thread.
"""
