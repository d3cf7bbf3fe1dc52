"""
The script of faults of a running server.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Options = Mapping[str, Any]

_USUAL_TIMES = {"transient_empty": 2}


@dataclass(slots=True)
class ArmedFault:
    """
    A fault in the script: for which operations, how many requests it lets pass first, how often it then comes.
    """

    name: str
    operations: frozenset[str]
    times: int | None = None
    after: int = 0
    options: Options = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.times is None:
            self.times = _USUAL_TIMES.get(self.name)


class FaultScript:
    """
    Faults in the order in which they were armed.  Of those for one operation the first comes until it is used up.
    """

    def __init__(self) -> None:
        self.armed: list[ArmedFault] = []

    def take(self, operation: str) -> ArmedFault | None:
        """Takes the fault of this request, or None."""
        for fault in self.armed:
            if operation not in fault.operations:
                continue
            if fault.after > 0:
                fault.after -= 1
                return None
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.armed.remove(fault)
            return fault
        return None

    def arm(self, fault: ArmedFault) -> None:
        """Puts a fault at the end of the script; one with no times at all is not taken."""
        if fault.times is None or fault.times > 0:
            self.armed.append(fault)

    def clear(self) -> None:
        """Ends every fault."""
        self.armed.clear()
