"""Sample processing: stream format, ring buffers, rate conversion, limiter, levels. Knows nothing about models, files or devices."""
