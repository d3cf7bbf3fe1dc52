"""
The log's data formats: event, leaf, Merkle tree, tiles, signed note, checkpoint and proof.

Pure functions and values: nothing here reads a file, a clock or a database.
"""
