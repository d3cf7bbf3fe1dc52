"""
The hub: who may ask, the way of one lookup, the door over HTTP, the command line.
"""
