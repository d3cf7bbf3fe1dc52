"""
The log in PostgreSQL: sequencer, writer, reader, search, checkpoint signing, erasure and succession.
"""
