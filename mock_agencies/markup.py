"""
Reading the XML of a caller: no document type, no entities, names without their namespace.
"""

from lxml import etree


def parse(text: bytes) -> etree._Element | None:
    """Parses a document; None if it is not XML or has a document type."""
    # A parser of its own for each document: one that was shared would carry state from the last.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError:
        return None
    return root if etree.ElementTree(root).docinfo.internalDTD is None else None


def local(element: etree._Element) -> str:
    """Returns an element's name without its namespace."""
    return etree.QName(element).localname


def namespace(element: etree._Element) -> str:
    """Returns an element's namespace, "" if it has none."""
    return etree.QName(element).namespace or ""


def child(element: etree._Element | None, name: str) -> etree._Element | None:
    """Returns the first child of that local name, or None."""
    if element is None:
        return None
    return next(
        (candidate for candidate in element if isinstance(candidate.tag, str) and local(candidate) == name), None
    )


def texts(element: etree._Element | None) -> dict[str, str]:
    """Returns the children's texts by local name; empty if there is no element."""
    if element is None:
        return {}
    return {local(child): (child.text or "").strip() for child in element if isinstance(child.tag, str)}
