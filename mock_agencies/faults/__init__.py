"""
The ugly cases that agencies really produce, as a closed catalogue that a test or a demo scripts over HTTP.
"""
