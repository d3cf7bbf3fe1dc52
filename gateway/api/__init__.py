"""
The door: HTTP and JSON, problems instead of surprises.
"""
