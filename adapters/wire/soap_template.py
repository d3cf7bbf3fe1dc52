# mypy: disallow-untyped-calls=False
"""
SOAP 1.1 envelopes, built by zeep from a description that ships with us, once per process and service.

zeep writes one envelope at start, with a mark at each place that changes.  A question is spliced into those places as
escaped text: writing it costs microseconds where zeep's own walk costs hundreds.
"""

import functools
from pathlib import Path
from typing import Final, Literal

import zeep
from lxml import etree
from zeep import xsd

Namespace = Literal["http://webservice.com/", "http://webservice.tongtech.com/"]
Service = Literal["GK_JZCX_RKJCXXCX", "GK_GXFW_SFHC"]
ENVELOPE: Final = "http://schemas.xmlsoap.org/soap/envelope/"

_SHIPPED: Final = Path(__file__).parent / "wsdl"
_SETTINGS: Final = zeep.Settings(
    strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True, xml_huge_tree=False
)


class ShippedDocuments:
    """
    What zeep takes for its transport: loads the descriptions of our own folder and nothing else, and cannot send.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def load(self, url: str) -> bytes:
        """The document `url` of the folder.  Raises `PermissionError` for anything that is not in it."""
        path = Path(url)
        if path.parent != _SHIPPED or not path.is_file():
            raise PermissionError("only documents that ship with the hub are loaded")
        return path.read_bytes().replace(b"{namespace}", self._namespace.encode("ascii"))


@functools.cache
def envelope(namespace: str, service: str, prefix: str) -> tuple[str, ...]:
    """
    The envelope of one service in seven parts, between which `rid`, `sid`, `rtime`, `sign`, `in0`, `in1` and `in2` go
    in this order, each as escaped text.
    """
    places = [f"@{index}@" for index in range(7)]
    fields = [xsd.Element(f"{prefix}{name}", xsd.String()) for name in ("rid", "sid", "rtime", "sign")]
    header = xsd.Element("tongtechheader", xsd.ComplexType(xsd.Sequence(fields)))
    client = zeep.Client(str(_SHIPPED / "population.wsdl"), transport=ShippedDocuments(namespace), settings=_SETTINGS)
    message = client.create_message(client.service, service, *places[4:], _soapheaders=[header(*places[:4])])
    left = etree.tostring(message, encoding="unicode")
    parts = []
    for place in places:
        part, _, left = left.partition(place)
        parts.append(part)
    return (f'<?xml version="1.0" encoding="UTF-8"?>{parts[0]}', *parts[1:], left)
