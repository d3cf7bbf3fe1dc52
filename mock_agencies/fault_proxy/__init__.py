"""
A TCP proxy that injects network faults between an adapter and an agency.

Beside the faults of the mock agencies, which know the format that they spoil, this one knows nothing of it and serves
before any server.
"""

from mock_agencies.fault_proxy.control import serve_control_api
from mock_agencies.fault_proxy.link import ProxyClock
from mock_agencies.fault_proxy.proxy import FaultProxy
from mock_agencies.fault_proxy.toxics import (
    Bandwidth,
    Direction,
    Garbage,
    Latency,
    LimitData,
    Refuse,
    Reset,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)

__all__ = [
    "Bandwidth",
    "Direction",
    "FaultProxy",
    "Garbage",
    "Latency",
    "LimitData",
    "ProxyClock",
    "Refuse",
    "Reset",
    "Slicer",
    "SlowClose",
    "Timeout",
    "Toxic",
    "serve_control_api",
]
