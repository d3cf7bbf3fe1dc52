"""
Timestamps (RFC 3161): an outside authority states that a checkpoint existed at a time of its clock.

The signed note is stamped byte for byte, as it is stored and exported, and the raw reply is the evidence.  It is
`valid` only where it verifies here against the authority's roots.  A granted reply for this note that the strict parser
does not read (certificates out of order, as OpenSSL's own authority sends them with its chain) is `unparsed`: stored
for `openssl ts -verify`, and never called valid.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.x509 import Certificate
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from rfc3161_client.tsp import TimeStampRequest

from audit.anchor.anchors import AnchorState

REQUEST_TYPE = "application/timestamp-query"
REPLY_TYPE = "application/timestamp-reply"

# DER of an outer SEQUENCE with a long length, and of a PKIStatusInfo that holds nothing but "granted".
_SEQUENCE = 0x30
_GRANTED = bytes.fromhex("3003020100")


class TimestampRefused(Exception):
    """The reply is not a valid timestamp of this note by this authority."""


@dataclass(frozen=True, slots=True)
class TimestampQuery:
    """A request to an authority: the note, and the DER request for it (SHA-256, nonce, certificate)."""

    note: bytes
    request: TimeStampRequest

    @classmethod
    def from_note(cls, note: bytes) -> "TimestampQuery":
        """A fresh request for a signed note."""
        builder = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256)
        return cls(note, builder.nonce(nonce=True).cert_request(cert_request=True).build())

    def encode(self) -> bytes:
        """The request's DER bytes."""
        return self.request.as_bytes()

    def judge(self, reply: bytes, roots: Sequence[Certificate]) -> AnchorState:
        """Verifies a reply.  Raises `TimestampRefused`."""
        response = _decoded(reply)
        if response is None:
            if self._seems_granted(reply):
                return AnchorState.UNPARSED
            raise TimestampRefused("could not take the timestamp: not a reply to this request")
        if response.status not in {PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS}:
            raise TimestampRefused("could not take the timestamp: the authority refused the request")
        builder = VerifierBuilder.from_request(self.request)
        for root in roots:
            builder = builder.add_root_certificate(root)
        try:
            verified = builder.build().verify_message(response, self.note)
        except (VerificationError, ValueError):
            verified = False
        if not verified:
            raise TimestampRefused("could not take the timestamp: of another note, or not by this authority")
        return AnchorState.VALID

    def _seems_granted(self, reply: bytes) -> bool:
        """Whether this is one whole DER value that begins with "granted" and contains this digest and this nonce."""
        if len(reply) < 4 or reply[0] != _SEQUENCE or reply[1] & 0x80 == 0:
            return False
        start = 2 + (reply[1] & 0x7F)
        nonce = self.request.nonce or 0
        marks = (hashlib.sha256(self.note).digest(), nonce.to_bytes((nonce.bit_length() + 7) // 8))
        return (
            int.from_bytes(reply[2:start]) == len(reply) - start
            and reply[start:].startswith(_GRANTED)
            and all(mark in reply for mark in marks)
        )


def _decoded(reply: bytes) -> TimeStampResponse | None:
    try:
        return decode_timestamp_response(reply)
    except ValueError:
        return None
