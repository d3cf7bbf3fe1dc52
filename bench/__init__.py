"""
The benchmarks, and the hand-written gateway that the hub is compared with.
"""
