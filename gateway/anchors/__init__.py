"""
Anchoring the audit log outside the house, and cosigning the neighbours' logs.

All of it happens beside the lookups: no lookup imports, awaits or is refused because of anything in here.
"""
