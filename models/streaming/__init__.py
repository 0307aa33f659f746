"""Stateful causal layers. Offline *is* streaming from the zero state: one code path, fed any number of frames."""

from models.streaming.align import StreamingDelay, StreamingDownsample2, StreamingUpsample2
from models.streaming.conv import StreamingConv1d, StreamingConvTranspose1d
from models.streaming.depthwise import CentredDepthwise, StreamingDepthwise
from models.streaming.lstm import StreamingLSTM
from models.streaming.norm import ChannelNorm, CumulativeNorm, GlobalNorm

__all__ = [
    "CentredDepthwise",
    "ChannelNorm",
    "CumulativeNorm",
    "GlobalNorm",
    "StreamingConv1d",
    "StreamingConvTranspose1d",
    "StreamingDelay",
    "StreamingDepthwise",
    "StreamingDownsample2",
    "StreamingLSTM",
    "StreamingUpsample2",
]
