"""The multiplications that a network needs for one hop, from the configuration in its card. Pure arithmetic.

From them follow the two lower bounds of a hop on one thread: *compute*, these multiplications at the speed of a large float32
matrix product; *weights*, the bytes of the weights at the speed at which memory is read. A hop cannot beat the larger one, unless
the weights stay in a cache (small networks) or are multiplied as 8-bit integers (int8 networks).
"""

from __future__ import annotations

from typing import Any

from models.card import ModelCard


def layer_sizes(config: dict[str, Any]) -> list[tuple[int, int, int]]:
    """The matrix products of one frame of a causal Demucs: (rows, inner size, columns), from the configuration in its card."""
    depth, stride, kernel = config["depth"], config["stride"], config["kernel"]
    limit = config["max_channels"] or 1 << 30
    hidden = [min(int(config["channels"] * config["growth"] ** i), limit) for i in range(depth)]
    widths = [config["audio_channels"], *hidden]
    gate = {"glu": 2, "relu": 1}
    sizes = []
    for i in range(depth):
        rows, narrow, wide = stride ** (depth - 1 - i), widths[i], widths[i + 1]
        sizes.append((rows, kernel * narrow, wide))
        if config["encoder_mix"]:
            sizes.append((rows, wide, wide * gate[config["encoder_activation"]]))
        sizes.append((rows, config["decoder_context"] * wide, wide * gate[config["decoder_activation"]]))
        out = narrow if i else config["audio_channels"] * len(config["sources"])
        sizes.append((rows, wide, kernel * out))
    sizes += [(1, 2 * widths[-1], 4 * widths[-1])] * config["lstm_layers"]
    if config.get("outer_lstm"):
        sizes += [(1, 2 * widths[-2], 4 * widths[-2])] * (stride * config["lstm_layers"])
    return sizes


def mask_sizes(config: dict[str, Any]) -> list[tuple[int, int, int]]:
    """The matrix products of one call of causal masks (``models.masks``); transforms are fast and not counted."""
    rate, bands, centre = config["sample_rate"], 1, 0.0
    while centre < rate / 2:
        centre, bands = centre + max(config["spacing"], centre / config["q"]), bands + 1
    hidden, spread, local, wide = (config[name] for name in ("hidden", "spread", "local", "band_hidden"))
    outputs, once = config["audio_channels"] * len(config["sources"]), 4 if config["audio_channels"] == 2 else 1
    views = once * (1 + config.get("means", 0))
    bins, seen = config["window"] // 2 + 1, config["seen_window"] // 2 + 1
    frames = config.get("call_frames", 1)
    ahead = [(1, hidden, frames * hidden), (bands, 5 * views, frames * local)] if frames > 1 else []
    frame = [
        (once, seen, bands),
        (1, views * bands, hidden),
        *[(1, 2 * hidden, 4 * hidden)] * config["layers"],
        (1, 2 * hidden, hidden),
        (1, hidden, bands * spread),
        (bands, 5 * views, local),
        (bands, local + spread + views, wide),
        (bands, wide, 2 * outputs),
        (4 * outputs, bands, bins),
        (2 * outputs, 2 * bins, config["hop_length"]),
    ]
    return [*frame * frames, *ahead]


def network_sizes(network: str, config: dict[str, Any]) -> list[tuple[int, int, int]]:
    """The matrix products of one hop of a network by its class. Raises KeyError for an unknown class."""
    if network == "CausalMasks":
        return mask_sizes(config)
    waves = layer_sizes(config)
    if network == "CausalDemucs":
        return waves
    if network != "HybridDemucs":
        raise KeyError(network)
    frames = config.get("call_frames", 1)
    calls = config["hop_length"] * frames // config["stride"] ** config["depth"]
    link = (frames, config["hidden"], waves[-1][2] // 4)
    return [*waves * calls, *mask_sizes(config), link]


def frame_operations(card: ModelCard) -> int | None:
    """Multiplications and additions of one frame; None if the card does not have the sizes of a known network."""
    try:
        sizes = network_sizes(card.training["network"], card.training["config"])
        return sum(2 * rows * inner * columns for rows, inner, columns in sizes)
    except (KeyError, TypeError):
        return None
