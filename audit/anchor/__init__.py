"""
Anchors of a checkpoint outside this log: witnesses, timestamps and paper.
"""
