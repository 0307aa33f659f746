"""The thesis' tables and figures with our numbers beside its own (MUS-05 to MUS-07, DSP-06).

``thesis.toml`` has the numbers that the thesis printed, measured on NSynth or on the 50 test songs of MUSDB18. Each of our blocks names
its own data. So numbers can be compared within a block, but only orders between blocks.
"""
