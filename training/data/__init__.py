"""Training data: decoding, rendering, the prepared store, augmentation and batches.

``prepare`` fills the store once; ``batches`` mixes 1.5 s examples from it while a network trains. Nothing here imports torch, so
preparation and its worker processes start quickly.
"""
