"""
Autofill: the forms of work orders, filled in the background, once, and never after the right has ended.
"""
