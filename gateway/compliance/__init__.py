"""
What compliance staff do with the audit log, without HTTP: sentences, unusual use, reports to persons, figures, checks.

Everything here reads the log through its own search, and every look is on record before it is read.
"""
