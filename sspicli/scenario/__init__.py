"""The scenario room: handshakes and sequences of calls as files, read, run and judged.

`yaml` turns text into nodes that know where they stand, `model` is the one declaration of the format, `load` makes
cases of files, `program` turns steps into drivers, `run` runs a case and `expect` holds its records against the file.
"""
