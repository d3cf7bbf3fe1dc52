"""
The log's data formats: event, leaf, Merkle tree, tiles, signed note, checkpoint and proof.

Pure functions and values: no file, no clock, no database.
"""
