"""
Four hubs write one log, and nothing acknowledged is lost, whoever is killed: the short form of `make prove PART=audit`.
"""

import re
import subprocess
import sys


def loop(*options: str) -> str:
    command = [sys.executable, "-m", "tests.audit.kill_loop", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout.splitlines()[-1]


def test_four_hubs_that_write_and_sign_at_once_keep_one_log() -> None:
    """No gap, no record twice, one root; every pair of checkpoints that any of them showed is proved consistent."""
    report = loop("--kills", "0", "--writers", "4", "--records", "400")

    assert re.match(r"0 kills \(nobody\): 1600 records acknowledged, 0 lost, ", report), report
    checkpoints, proofs = (int(number) for number in re.findall(r"(\d+) (?:signed|proofs)", report))
    assert checkpoints > 4
    # The empty log's checkpoint is consistent with everything, and has no proof.
    assert proofs >= (checkpoints - 1) * (checkpoints - 2) // 2


def test_no_acknowledged_record_is_lost_when_hubs_and_database_are_killed() -> None:
    """Eight kills of hub, PostgreSQL or both under the load of four hubs; the count is printed."""
    report = loop("--kills", "8", "--writers", "4", "--records", "0")

    assert report.startswith("8 kills ")
    assert ", 0 lost, " in report
