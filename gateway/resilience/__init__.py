"""
Between the hub and its agencies: what keeps one hung, flooding or lying agency from being anybody else's trouble.
"""
