"""
Exports of the log: tiles for public tools, and events in JSON Lines and CSV.
"""
