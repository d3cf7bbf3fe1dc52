"""
Compliance services over the audit log: narration, unusual use, reports to persons, verification.

Everything here reads the log through its search, and every search is recorded before it is made.
"""
