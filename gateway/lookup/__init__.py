"""
The way of one lookup: asking, merging, ranking, recording.

`merge`, `ladder` and `switches` are pure: what the agencies said and today's date in, values out.
"""
