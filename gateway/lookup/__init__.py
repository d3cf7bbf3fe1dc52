"""
Lookups: asking, merging, ranking, recording, releasing.

`merge`, `address_ranking` and `service_flags` are pure.
"""
