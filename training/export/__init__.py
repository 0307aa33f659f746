"""Makes the shipped files from trained weights: ONNX graphs, int8, cards, releases."""
