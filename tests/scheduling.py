"""
Which tests run in one process, and which come first, where several processes share the suite (`pytest -n`).

A file's tests stay together, so that what the file needs is made once, and so do files that share something costly.
The longest begin first: at the end no process is left alone with one.

(xdist's own groups do nothing under pytest 9.2, which has no `_nodeid` any more for them to write their names into.)
"""

from typing import Final

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# What is made once per process and used by several files.
TOGETHER: Final = {
    "tests/access/test_attacks.py": "two replicas",
    "tests/access/test_revocation_race.py": "two replicas",
    "tests/access/test_grants_follow_work_orders.py": "two replicas",
    "tests/audit/test_damaged_tables.py": "a log of 70,000 entries",
    "tests/audit/test_damaged_values.py": "a log of 70,000 entries",
}

# About how long the longest take, in seconds; of the others only their number is known.
SECONDS: Final = {
    "tests/contract/test_every_adapter.py": 80,
    "a log of 70,000 entries": 80,
    "tests/api/test_openapi_kept.py": 100,
    "two replicas": 60,
    "tests/resilience/test_shutdown.py": 50,
    "tests/autofill/test_kills.py": 40,
    "tests/anchors/test_anchoring.py": 35,
    "tests/autofill/test_a_worker_that_dies.py": 35,
    "tests/autofill/test_endings.py": 25,
    "tests/client/test_ticket_systems_document.py": 25,
    "tests/gateway/test_succession.py": 25,
    "tests/organization/test_concurrent_changes.py": 20,
    "tests/telemetry/test_traces_of_a_court.py": 20,
    "tests/anchors/test_a_whole_court.py": 17,
    "tests/audit/test_kills.py": 17,
    "tests/resilience/test_start.py": 17,
    "tests/audit/test_canaries.py": 15,
    "tests/anchors/test_two_courts.py": 14,
    "tests/resilience/test_cancelled_callers.py": 13,
}
OF_A_TEST: Final = 0.02


class LongestFirst(LoadScopeScheduling):
    """Hands out files, and what belongs together, by their length."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return TOGETHER.get(file, file)

    def _assign_work_unit(self, node: WorkerController) -> None:
        longest = max(self.workqueue, key=lambda scope: SECONDS.get(scope, OF_A_TEST * len(self.workqueue[scope])))
        self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)
