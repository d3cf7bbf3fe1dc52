"""
The client library for case and ticket systems, under the hub's own roof.

It lives in `shuniu_client`, which imports nothing of the hub, so that a case system can take it along.
"""

from shuniu_client import AsyncClient, Client, verify_callback

__all__ = ["AsyncClient", "Client", "verify_callback"]
