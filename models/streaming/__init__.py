"""Stateful causal layers. Offline *is* streaming from the zero state: one code path, fed any number of frames."""

from models.streaming.conv import StreamingConv1d, StreamingConvTranspose1d
from models.streaming.lstm import StreamingLSTM

__all__ = ["StreamingConv1d", "StreamingConvTranspose1d", "StreamingLSTM"]
