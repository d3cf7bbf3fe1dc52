"""
Client of a Shuniu hub for case and ticket systems: work orders, lookups, filled forms, signed callbacks.

Needs httpx and nothing else, so that a case system can copy this folder as it is.
"""

from shuniu_client.callbacks import (
    Callback,
    CallbackAltered,
    CallbackLate,
    CallbackMalformed,
    CallbackRejected,
    CallbackReplayed,
    verify_callback,
)
from shuniu_client.calls import AutofillReceipt, BatchLine
from shuniu_client.clients import AsyncClient, Client
from shuniu_client.problems import (
    Conflict,
    HubProblem,
    HubUnavailable,
    HubUnreachable,
    InvalidField,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NotPermitted,
)
from shuniu_client.retries import Patience

__all__ = [
    "AsyncClient",
    "AutofillReceipt",
    "BatchLine",
    "Callback",
    "CallbackAltered",
    "CallbackLate",
    "CallbackMalformed",
    "CallbackRejected",
    "CallbackReplayed",
    "Client",
    "Conflict",
    "HubProblem",
    "HubUnavailable",
    "HubUnreachable",
    "InvalidField",
    "InvalidInput",
    "NotAuthenticated",
    "NotFound",
    "NotPermitted",
    "Patience",
    "verify_callback",
]
