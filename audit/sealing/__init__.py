"""
Sealing of an event's personal fields: keys, commitments, blind index and unsealing.
"""
