"""Effects and plugins in the window: the slots of a strip, the browser, and an editor made from the table of parameters."""
