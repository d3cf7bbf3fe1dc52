"""
Verification of a log, from its database or from an exported directory, and the location of damage.
"""
