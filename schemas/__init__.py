"""
The vocabulary of the hub: identifiers, code tables, parties, addresses, registrations, answers.

Values only: no input or output, no storage, no decisions, and no import of another package of the product.
"""
