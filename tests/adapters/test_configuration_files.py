"""
The agencies.toml files that come with the project: complete, loadable, and asking for no more than is read.
"""

import re
import tomllib
from pathlib import Path

import pytest

from adapters.public_security.mapping import ADDRESSES
from adapters.registry import load_agencies

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "config/agencies.example.toml", ROOT / "gateway/demo/agencies.toml"]
PLACEHOLDER = re.compile(r"<[a-z-]+>")
CREDENTIALS = """
[public_security.population]
app_key = "k"
sid = "s_1200000900000_2108"
user = "u"
password = "p"
[public_security.requests]
[human_resources]
app_key = "k"
app_secret = "s"
[market_regulation]
app_key = "k"
sid = "s_1500000900000_0001"
"""

pytestmark = pytest.mark.anyio


def filled_in(path: Path, folder: Path) -> tuple[Path, Path]:
    """The file with its placeholders filled in, and credentials beside it."""
    text = path.read_text("utf-8").replace("<gateway-host>", "gateway.example")
    filled, credentials = folder / "agencies.toml", folder / "credentials.toml"
    filled.write_text(re.sub(r"(?ms)^\[public_security\.tls\]\n.*?\n\n", "", PLACEHOLDER.sub("X1", text)), "utf-8")
    credentials.touch(mode=0o600)
    credentials.write_text(CREDENTIALS, "utf-8")
    return filled, credentials


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
async def test_every_lookup_of_every_agency_is_configured(path: Path, folder: Path) -> None:
    """The file starts the hub, and no installed lookup is left out of it."""
    agencies = load_agencies(*filled_in(path, folder))

    connected = {(name, lookup) for name, adapter in agencies.items() for lookup in adapter.capabilities}
    assert set(agencies.routes) == connected
    await agencies.aclose()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_the_police_are_asked_for_exactly_what_is_read(path: Path) -> None:
    """Not requested beats dropped: the columns in the file are those of the mapping."""
    options = tomllib.loads(path.read_text("utf-8"))["public_security"]["addresses"]["options"]

    assert sorted(options["required_items"]) == sorted(ADDRESSES.elements)


def test_the_example_names_no_real_host() -> None:
    """Where a host belongs stands a placeholder, and nothing else."""
    text = FILES[0].read_text("utf-8")
    addresses = re.findall(r'^address = "(.*)"$', text, re.MULTILINE)

    assert [address for address in addresses if not address.startswith("https://<gateway-host>")] == []
