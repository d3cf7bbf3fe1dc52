"""
The demo: a whole court on one machine, with agencies and sign-on as processes of their own.
"""
