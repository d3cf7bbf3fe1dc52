"""
Client of a Shuniu hub for case and ticket systems: work orders, lookups, filled forms, signed callbacks.

Needs httpx and nothing else, so that a case system can take this folder along as it is.
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
from shuniu_client.calls import Autofill, Line
from shuniu_client.clients import AsyncClient, Client
from shuniu_client.problems import (
    Conflict,
    HubUnavailable,
    HubUnreachable,
    InputError,
    InvalidInput,
    NotFound,
    NotPermitted,
    NotSignedIn,
    Problem,
)
from shuniu_client.retries import Patience

__all__ = [
    "AsyncClient",
    "Autofill",
    "Callback",
    "CallbackAltered",
    "CallbackLate",
    "CallbackMalformed",
    "CallbackRejected",
    "CallbackReplayed",
    "Client",
    "Conflict",
    "HubUnavailable",
    "HubUnreachable",
    "InputError",
    "InvalidInput",
    "Line",
    "NotFound",
    "NotPermitted",
    "NotSignedIn",
    "Patience",
    "Problem",
    "verify_callback",
]
