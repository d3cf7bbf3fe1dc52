"""
The vocabulary of the hub: identifiers, code tables, parties, addresses, registrations, answers.

Everything here is a value.  Nothing here asks, stores or decides, and nothing of ours is imported.
"""
