"""
The right follows the task: no lookup outside an open work order that its caller holds and that names the party.
"""
