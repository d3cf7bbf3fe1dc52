"""
A timestamping authority (RFC 3161) with a synthetic certificate authority of its own, made at every start.

It answers with `openssl ts -reply`: another implementation than the one that checks the replies.
"""

from mock_agencies.timestamping.server import create

__all__ = ["create"]
