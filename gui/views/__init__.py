"""Live displays of the engine's sound: spectrogram, rainbowgram, waveform. They only draw new columns, never the whole picture again.

``analysis`` and ``rainbow`` turn samples into columns (NumPy only), ``tap_follower`` reads the engine's tap, ``picture`` shows columns.
"""
