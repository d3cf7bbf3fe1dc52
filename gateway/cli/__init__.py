"""
The command line `shuniu`: noun then verb, data on stdout, everything else on stderr.

Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 not found, 4 an agency was not heard, 5 not permitted,
6 verified, but with findings.
"""
