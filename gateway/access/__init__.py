"""
Access control: no lookup outside an open work order that its caller holds and that names the party.
"""
