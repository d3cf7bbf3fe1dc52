"""
The pages of those who look after a part of the court: its tree, kinds of work order, agencies, callbacks, log and keys.

Every change goes through the same services as the API, which decide it anew and record it first.
"""
