"""Damaged and malicious input by the ten thousand: ``python -m tests.fuzz`` (``make fuzz``).

``targets`` has a function for everything that comes from outside, ``mutate`` damages what is right, ``__main__`` runs each target in a
process of its own: with atheris, which follows the coverage, where it is installed, else at random from the same seeds. What once broke
something lies in ``found/TARGET`` and is tried first, by the ordinary tests too.
"""
