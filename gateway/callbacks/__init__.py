"""
Callbacks: what the hub tells ticket systems of its own accord, signed, once, and never after the right has ended.
"""
