"""
Resilience: keeps one hung, flooding or lying agency from affecting the other agencies and their callers.
"""
