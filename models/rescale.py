"""Initial weight rescaling (thesis section 3.4.3, EQ-DMX-6, errata 22 and 23)."""

from __future__ import annotations

import torch
from torch import nn

from models.streaming import StreamingConv1d, StreamingConvTranspose1d

CONVOLUTIONS = (StreamingConv1d, StreamingConvTranspose1d, nn.Conv1d, nn.ConvTranspose1d)


@torch.no_grad()
def rescale_weights(module: nn.Module, reference: float) -> None:
    """Divide each convolution's weights and bias by ``sqrt(std(w) / reference)``; LSTM and linear layers stay as they are.

    The new standard deviation is ``sqrt(reference * std(w))``, the geometric mean of the old one and ``reference``; that is
    what the thesis prints and intends. ``reference = 0`` leaves everything alone.
    """
    if not reference:
        return
    for layer in module.modules():
        if isinstance(layer, CONVOLUTIONS):
            scale = (layer.weight.std() / reference).sqrt()
            layer.weight.div_(scale)
            if layer.bias is not None:
                layer.bias.div_(scale)
