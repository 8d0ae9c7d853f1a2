"""Fuzzing: anything at all is fed to what reads foreign bytes, and each reader keeps its promises.

`targets.py` holds one function for each reader: bytes in, an AssertionError when a promise is broken. The ordinary
tests feed them what hypothesis thinks of (`test_targets.py`). `python -m tests.fuzz.run TARGET` feeds them for as long
as you like under atheris, which sees what code an input reaches: `pip install atheris`; the tests do without it.
`corpus/` holds where it starts from, made from real runs by `python -m tests.fuzz.make_corpus`; `crashes/` every input
that once broke a promise.
"""
