"""
What the contract suite runs on: every agency that an entry point names, against the mock agencies as real servers.
"""
