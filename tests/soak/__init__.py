"""An evening on stage in fast motion: ``python -m tests.soak`` (``make soak``). Real server, engine, window, recordings; random faults.

``stage`` sets it up, ``faults`` are what goes wrong, ``watch`` looks at the engine all the time, ``takes`` checks what was recorded,
``table`` tells how it was. Linux only, as it reads ``/proc`` and kills servers.
"""
