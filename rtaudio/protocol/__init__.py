"""What engine, supervisor and windows say to each other: messages, names of strips, the desired state. Pure data."""
