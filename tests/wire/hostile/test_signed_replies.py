"""
A route whose agency signs reads what the signature covers, or nothing: forgeries by wrapping, by time, by algorithm, by
another hand, and by leaving the signature out.
"""

import copy
import logging
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner

from adapters.errors import AgencyError, AgencyFault, AnswerUnreadable, ConfigurationError
from mock_agencies.public_security.signing import ENVELOPE, SECURITY, UTILITY, SoapSigner
from schemas.codes import Reason

pytestmark = pytest.mark.anyio

BODY: Final = f"{{{ENVELOPE}}}Body"
HEADER: Final = f"{{{ENVELOPE}}}Header"
WSS: Final = f"{{{SECURITY}}}Security"
STAMP: Final = f"{{{UTILITY}}}Timestamp"
ID: Final = f"{{{UTILITY}}}Id"
SIGNED: Final = "{http://www.w3.org/2000/09/xmldsig#}Signature"
TRUE, FORGED = "甲某某", "乙某某"

Forge = Callable[[etree._Element], etree._Element | None]


def document(name: str) -> str:
    """A reply about a person of this name, without a signature."""
    package = (
        f"<PACKAGE><PACKAGEHEAD><FHDM>10</FHDM></PACKAGEHEAD><DATA><RECORD><XM>{name}</XM></RECORD></DATA></PACKAGE>"
    )
    return (
        f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body><n:GK_JZCX_RKJCXXCXResponse xmlns:n="http://webservice.com/">'
        f"<n:out>{escape(package)}</n:out></n:GK_JZCX_RKJCXXCXResponse></s:Body></s:Envelope>"
    )


FAULT: Final = (
    f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring>x</faultstring>'
    "</s:Fault></s:Body></s:Envelope>"
)


@pytest.fixture(scope="module")
def signer() -> SoapSigner:
    """The agency's key."""
    return SoapSigner()


@pytest.fixture
def wire(bench: Any, signer: SoapSigner, tmp_path: Path) -> Callable[..., Any]:
    """A route that trusts the agency's certificate, and what it makes of a reply."""
    (tmp_path / "agency.pem").write_bytes(signer.pem)

    async def ask(reply: bytes, status: int = 200, **options: Any) -> Any:
        headers = {"Content-Type": "text/xml"}
        bench.answers("population", httpx.Response(status, headers=headers, content=reply))
        made = bench.wire("population", options={"signed_by": "agency.pem", **options})
        return (await made.ask(bench.question(), "lookup", bench.terms)).records

    return ask


@pytest.fixture
def reply(bench: Any, signer: SoapSigner) -> etree._Element:
    """The agency's own reply, signed now."""
    return etree.fromstring(signer.signed(document(TRUE).encode(), bench.milliseconds()))


def forged_body(identifier: str | None) -> etree._Element:
    """Another Body, which the agency never signed."""
    body = etree.fromstring(document(FORGED)).find(BODY)
    assert body is not None
    if identifier:
        body.set(ID, identifier)
    return body


def parts(envelope: etree._Element) -> tuple[etree._Element, etree._Element, etree._Element]:
    """Header, Security and Body of a reply."""
    header, body = envelope.find(HEADER), envelope.find(BODY)
    assert header is not None
    assert body is not None
    security = header.find(WSS)
    assert security is not None
    return header, security, body


def replaced(envelope: etree._Element, identifier: str | None = "forged") -> etree._Element:
    """Puts a forged Body in the place of the signed one, which is returned."""
    _, _, body = parts(envelope)
    envelope.replace(body, forged_body(identifier))
    return body


def aside_in_the_header(envelope: etree._Element) -> None:
    """The signed Body in a wrapper of the Header (XSW 1)."""
    etree.SubElement(parts(envelope)[0], "Wrapper").append(replaced(envelope))


def aside_in_the_signature(envelope: etree._Element) -> None:
    """The signed Body in an Object of the Signature (XSW 2)."""
    signature = parts(envelope)[1].find(SIGNED)
    assert signature is not None
    etree.SubElement(signature, "{http://www.w3.org/2000/09/xmldsig#}Object").append(replaced(envelope))


def beside(envelope: etree._Element) -> None:
    """A forged Body before the signed one (XSW 3)."""
    parts(envelope)[2].addprevious(forged_body("forged"))


def around(envelope: etree._Element) -> None:
    """A forged Body around the signed one (XSW 4)."""
    signed = replaced(envelope)
    parts(envelope)[2].append(signed)


def under_the_same_identifier(envelope: etree._Element) -> None:
    """Two Bodies with one identifier, the forged one in place (XSW 5)."""
    identifier = parts(envelope)[2].get(ID)
    etree.SubElement(parts(envelope)[0], "Wrapper").append(replaced(envelope, identifier))


def first_in_the_document(envelope: etree._Element) -> None:
    """The forged Body first, the signed one behind it under the same identifier (XSW 6)."""
    _, security, body = parts(envelope)
    security.append(body)
    envelope.insert(0, forged_body(body.get(ID)))


def in_another_envelope(envelope: etree._Element) -> etree._Element:
    """The whole signed reply in the Header of a forged one, with a copy of its security (XSW 7)."""
    outer = etree.fromstring(document(FORGED))
    header = etree.Element(HEADER)
    header.append(copy.deepcopy(parts(envelope)[1]))
    etree.SubElement(header, "Wrapper").append(envelope)
    outer.insert(0, header)
    return outer


def under_an_identifier_of_another_case(envelope: etree._Element) -> None:
    """The forged Body with the signed one's identifier as `ID` (XSW 8)."""
    body = parts(envelope)[2]
    forged = forged_body(None)
    forged.set("ID", body.get(ID) or "")
    envelope.replace(body, forged)
    etree.SubElement(parts(envelope)[0], "Wrapper").append(body)


def in_no_namespace_of_the_wrapped(envelope: etree._Element) -> None:
    """The signed Body renamed where it stands aside, so that it is the only Body no more."""
    signed = replaced(envelope)
    signed.tag = "Body"
    etree.SubElement(parts(envelope)[0], "Wrapper").append(signed)


def with_a_new_time(envelope: etree._Element) -> None:
    """A later Timestamp in place, the signed one aside."""
    header, security, _ = parts(envelope)
    stamp = security.find(STAMP)
    assert stamp is not None
    later = copy.deepcopy(stamp)
    later.set(ID, "later")
    security.replace(stamp, later)
    etree.SubElement(header, "Wrapper").append(stamp)


def with_another_text(envelope: etree._Element) -> None:
    """One character of the signed Body."""
    out = parts(envelope)[2][0][0]
    out.text = (out.text or "").replace(TRUE, FORGED)


def without_its_signature(envelope: etree._Element) -> None:
    """Only the Signature left out."""
    security = parts(envelope)[1]
    security.remove(security[-1])


def with_a_second_signature(envelope: etree._Element) -> None:
    """Two Signatures, the second one somebody else's."""
    other = etree.fromstring(SoapSigner().signed(document(FORGED).encode(), 1_700_000_000_000))
    parts(envelope)[1].append(parts(other)[1][-1])


FORGERIES: Final[tuple[Forge, ...]] = (
    aside_in_the_header,
    aside_in_the_signature,
    beside,
    around,
    under_the_same_identifier,
    first_in_the_document,
    in_another_envelope,
    under_an_identifier_of_another_case,
    in_no_namespace_of_the_wrapped,
    with_a_new_time,
    with_another_text,
    without_its_signature,
    with_a_second_signature,
)


async def test_a_signed_reply_is_read(wire: Any, reply: etree._Element) -> None:
    """As any other would be."""
    assert await wire(etree.tostring(reply)) == ({"XM": TRUE},)


@pytest.mark.parametrize("forge", FORGERIES, ids=[forge.__name__ for forge in FORGERIES])
async def test_a_forgery_is_not_read(wire: Any, reply: etree._Element, forge: Forge) -> None:
    """Neither what was forged nor what was signed, and nothing of the library hangs on the error."""
    made = forge(reply)
    await refused(wire, etree.tostring(reply if made is None else made))


async def test_a_comment_in_a_signed_text_does_not_cut_it_short(wire: Any, reply: etree._Element) -> None:
    """The signature does not cover comments: who reads to the first of them reads another name."""
    written = etree.tostring(reply, encoding="unicode").replace(TRUE, f"{TRUE[0]}<!-- x -->{TRUE[1:]}")

    assert await wire(written.encode()) == ({"XM": TRUE},)


@pytest.mark.parametrize("seconds", [-301, 301, 3_000_000])
async def test_a_reply_of_another_time_is_not_read(bench: Any, signer: SoapSigner, wire: Any, seconds: int) -> None:
    """An old one that is sent again, or one from the future."""
    await refused(wire, signer.signed(document(TRUE).encode(), bench.milliseconds() + seconds * 1000))


async def test_a_route_may_agree_on_a_narrower_time(bench: Any, signer: SoapSigner, wire: Any) -> None:
    """Where both clocks are known to be right."""
    early = signer.signed(document(TRUE).encode(), bench.milliseconds() - 30_000)

    assert await wire(early, signed_window=31) == ({"XM": TRUE},)
    await refused(wire, early, signed_window=29)


async def test_a_signature_by_another_hand_is_not_read(bench: Any, wire: Any) -> None:
    """Though its certificate stands in the message, and holds by itself."""
    await refused(wire, SoapSigner().signed(document(TRUE).encode(), bench.milliseconds()))


async def test_a_certificate_past_its_end_signs_nothing(bench: Any, signer: SoapSigner, wire: Any) -> None:
    """By our clock."""
    bench.hands.jump(days=36_500)
    await refused(wire, signer.signed(document(TRUE).encode(), bench.milliseconds()))


@pytest.mark.parametrize(
    ("method", "digest", "covered"),
    [
        (SignatureMethod.ECDSA_SHA1, DigestAlgorithm.SHA256, (STAMP, BODY)),
        (SignatureMethod.ECDSA_SHA256, DigestAlgorithm.SHA1, (STAMP, BODY)),
        (SignatureMethod.ECDSA_SHA512, DigestAlgorithm.SHA256, (STAMP, BODY)),
        (SignatureMethod.ECDSA_SHA256, DigestAlgorithm.SHA256, (BODY,)),
        (SignatureMethod.ECDSA_SHA256, DigestAlgorithm.SHA256, (STAMP,)),
        (SignatureMethod.ECDSA_SHA256, DigestAlgorithm.SHA256, (BODY, BODY)),
        (SignatureMethod.ECDSA_SHA256, DigestAlgorithm.SHA256, (STAMP, BODY, HEADER)),
    ],
    ids=["SHA-1", "digests by SHA-1", "another method", "no time", "no body", "the body twice", "more than agreed"],
)
async def test_a_signature_of_another_kind_is_not_read(
    wire: Any, signer: SoapSigner, reply: etree._Element, method: SignatureMethod, digest: DigestAlgorithm, covered: Any
) -> None:
    """By the agency's own key: what was not agreed is not read."""
    header, security, _ = parts(reply)
    security.remove(security[-1])
    header.set(ID, "header")
    made = Old(
        method=SignatureConstructionMethod.detached,
        signature_algorithm=method,
        digest_algorithm=digest,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    references = [f"#{next(reply.iter(tag)).get(ID)}" for tag in covered]
    security.append(made.sign(reply, key=signer._key, cert=[signer.certificate], reference_uri=references))

    await refused(wire, etree.tostring(reply))


async def test_the_public_certificate_is_no_shared_secret(wire: Any, signer: SoapSigner, reply: etree._Element) -> None:
    """A signature by HMAC under what everybody knows."""
    security = parts(reply)[1]
    security.remove(security[-1])
    made = XMLSigner(
        method=SignatureConstructionMethod.detached,
        signature_algorithm=SignatureMethod.HMAC_SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    references = [f"#{next(reply.iter(tag)).get(ID)}" for tag in (STAMP, BODY)]
    security.append(made.sign(reply, key=signer.pem, reference_uri=references))

    await refused(wire, etree.tostring(reply))


@pytest.mark.parametrize("unsigned", [document(TRUE), FAULT], ids=["answer", "fault"])
async def test_an_unsigned_reply_is_not_read(wire: Any, unsigned: str) -> None:
    """A Fault neither: it would say that the agency is at fault, and only the agency can say that."""
    await refused(wire, unsigned.encode())


async def test_an_unsigned_fault_with_status_500_is_that_status(wire: Any) -> None:
    """Which any proxy may send."""
    with pytest.raises(AgencyError) as caught:
        await wire(FAULT.encode(), status=500)

    assert caught.value.reason is Reason.HTTP


@pytest.mark.parametrize("status", [200, 500])
async def test_a_signed_fault_is_heard(bench: Any, signer: SoapSigner, wire: Any, status: int) -> None:
    """On either status, as without signatures."""
    with pytest.raises(AgencyFault) as caught:
        await wire(signer.signed(FAULT.encode(), bench.milliseconds()), status=status)

    assert caught.value.reason is Reason.FAULT


async def test_one_certificate_may_replace_another(bench: Any, signer: SoapSigner, wire: Any, tmp_path: Path) -> None:
    """While both stand in the file, either signs."""
    (tmp_path / "both.pem").write_bytes(SoapSigner().pem + signer.pem)
    now = signer.signed(document(TRUE).encode(), bench.milliseconds())

    assert await wire(now, signed_by="both.pem") == ({"XM": TRUE},)


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
async def test_a_route_without_a_usable_certificate_stops_the_start(
    wire: Any, tmp_path: Path, content: bytes | None
) -> None:
    """Rather than to read what nobody vouches for."""
    if content is not None:
        (tmp_path / "odd.pem").write_bytes(content)

    with pytest.raises(ConfigurationError, match=r"options\.signed_by: holds no usable certificate"):
        await wire(b"", signed_by="odd.pem")


async def test_the_library_writes_no_reply_into_the_log(
    wire: Any, reply: etree._Element, caplog: pytest.LogCaptureFixture
) -> None:
    """Not at its most talkative either."""
    with caplog.at_level(logging.DEBUG):
        await wire(etree.tostring(reply))

    assert TRUE not in caplog.text


class Old(XMLSigner):
    """A signer that does what nobody should do any more."""

    def check_deprecated_methods(self) -> None:
        """Lets SHA-1 pass."""


async def refused(wire: Any, reply: bytes, **options: Any) -> None:
    """The reply is unreadable because of its signature, and the error holds nothing else."""
    with pytest.raises(AnswerUnreadable) as caught:
        await wire(reply, **options)

    assert (caught.value.reason, caught.value.__context__, caught.value.__cause__) == (Reason.SIGNATURE, None, None)
