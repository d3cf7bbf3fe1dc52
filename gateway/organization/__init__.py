"""
The court's tree: its units, the people in them, and their roles.  What a person may do follows from their place in it.
"""
