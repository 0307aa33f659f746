"""The engine's tap: the last seconds of the mix, the input and each stem, for a window that draws them.

``buffer`` belongs to the audio callback, which copies each block into a ring in memory while somebody listens. Thirty times a second a
control thread copies the new part of this ring into a memory-mapped file in the user's private folder (``shared``), where another process
reads it. Neither side waits for the other.
"""
