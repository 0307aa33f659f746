"""Live pictures of what the engine plays: spectrogram, rainbowgram, waveform. They draw columns as they come, never a picture anew.

``analysis`` and ``rainbow`` turn samples into columns (NumPy only), ``feed`` follows the engine's tap, ``picture`` shows columns.
"""
