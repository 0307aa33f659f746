"""Exported models on ONNX Runtime."""
