"""
The clerk's pages: work orders, the lookup of a party, its result, and the printed record.
"""
