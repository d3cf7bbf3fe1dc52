"""
Nothing acknowledged is ever lost, whoever is killed: the short form of `python -m tests.audit.kill_loop`.
"""

import subprocess
import sys


def test_no_acknowledged_record_is_lost_when_hubs_and_database_are_killed() -> None:
    """Eight kills of hub, PostgreSQL or both under the load of two hubs; the count is printed."""
    command = [sys.executable, "-m", "tests.audit.kill_loop", "--kills", "8"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)

    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "8 kills" in ended.stdout
    assert ", 0 lost" in ended.stdout
