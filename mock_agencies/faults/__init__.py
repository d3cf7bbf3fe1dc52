"""
Faults that agencies really produce, as a closed catalogue that tests and demo script over HTTP.
"""
