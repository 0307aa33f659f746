"""Where examples come from: decoding, rendering, the prepared store, augmentation and batches.

``prepare`` fills the store once; ``batches`` mixes 1.5 s examples from it while a network trains. Nothing here needs torch, so that
preparation and its worker processes start fast.
"""
