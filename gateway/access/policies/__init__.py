"""
The policies of access, in Cedar.
"""
