"""
The administration pages: the court's tree, delegations, kinds of work order, agencies, callbacks, log and keys.

Every change goes through the same services as the API, which check and record it first.
"""
