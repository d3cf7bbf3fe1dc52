"""
The log's formats against code that is not ours: Go's `sumdb` packages and aics-tlog.
"""
