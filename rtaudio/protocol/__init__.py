"""Data that engine, supervisor and windows exchange: messages, names of strips, the desired state."""
