"""
Hub, worker and database are killed under load, and every accepted request ends exactly once: the short form of
`make prove PART=autofill`.
"""

import subprocess
import sys


def test_no_accepted_form_is_lost_or_doubled_whoever_is_killed() -> None:
    """Six kills, agencies and callbacks failing; the ticket system's ledger is held against the hub."""
    command = [sys.executable, "-m", "tests.autofill.kill_loop", "--kills", "6", "--rate", "3", "--lasts", "8"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)

    assert ended.returncode == 0, ended.stderr[-3000:]
    said = ended.stdout.splitlines()[-1]
    assert said.startswith("6 kills ")
    assert said.endswith(", 0 faults")
