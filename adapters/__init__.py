"""
The doors to other agencies: one folder an agency, over a handful of wire families.
"""
