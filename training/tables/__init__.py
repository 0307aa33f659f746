"""The thesis' tables and figures with our numbers beside its own (MUS-05 to MUS-07, DSP-06).

``thesis.toml`` holds what the thesis printed. Its rows were measured on NSynth or the 50 test songs of MUSDB18; ours on what each
line says, so numbers compare within a block, orders between blocks.
"""
