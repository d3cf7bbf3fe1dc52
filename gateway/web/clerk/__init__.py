"""
The clerk's pages: my work orders, one party's lookup, what to do with its answer, and the printed record.
"""
