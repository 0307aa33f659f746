"""From trained weights to what is shipped: ONNX graphs, int8, cards, releases."""
