"""
What operators see of a running hub: figures, traces and log lines.  Nothing here is about a person.
"""
