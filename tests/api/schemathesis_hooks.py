"""
What schemathesis must be told to call every route: how a body of lines is sent.
"""

from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(_context: Any, value: Any) -> bytes:
    """The text as it was made up."""
    return str(value).encode("utf-8", "surrogatepass")
