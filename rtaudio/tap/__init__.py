"""The engine's tap: the last seconds of the mix, the input and each stem, for a window that draws them.

``buffer`` is the side of the audio callback: it copies into a ring in memory while somebody listens, and does nothing otherwise.
``shared`` carries that ring's news, thirty times a second and in a control thread, into a memory-mapped file in the private
folder of this user, where another process reads them. No side ever waits for the other.
"""
