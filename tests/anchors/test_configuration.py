"""
anchors.toml: what it says is understood whole, or the hub does not start and says which line to mend.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from adapters.errors import ConfigurationError
from audit.format.checkpoint import Cosigner
from audit.format.note import Signer
from gateway.anchors.configuration import AnchorSettings, read_anchors

LOG = Signer("north.example/audit/1", bytes([1] * 32)).vkey
WITNESS = Cosigner("north.example/witness", bytes([2] * 32)).vkey
EXAMPLE = Path("config/anchors.example.toml")
TIMESTAMP = '[[timestamp]]\nname = "tsa"\nurl = "https://tsa.example/"\nca_file = "roots.pem"\n'
WITNESS_TABLE = f'[[witness]]\nname = "north"\nurl = "https://north.example/witness"\nvkey = "{WITNESS.encode()}"\n'
NEIGHBOUR = f'[[neighbour]]\norigin = "{LOG.name}"\nvkey = "{LOG.encode()}"\n'


def root() -> bytes:
    """A certificate in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Synthetic root")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=9000))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture
def file(folder: Path) -> Path:
    """Where anchors.toml is, with a root certificate beside it."""
    (folder / "roots.pem").write_bytes(root())
    (folder / "deliveries").mkdir()
    return folder / "anchors.toml"


def read(file: Path, text: str) -> AnchorSettings:
    """What the file says."""
    file.write_text(text, encoding="utf-8")
    return read_anchors(file)


def test_everything_may_be_left_out() -> None:
    """No file, no anchors."""
    assert read_anchors(None) == AnchorSettings()
    assert AnchorSettings().limit == timedelta(hours=4)


def test_a_whole_file_is_understood(file: Path) -> None:
    """Files are found beside it; an address may end in a slash."""
    said = read(
        file,
        'limit_hours = 2\nevery_minutes = 0.5\ndelivery_folder = "deliveries"\n'
        + TIMESTAMP
        + WITNESS_TABLE.replace('/witness"\nvkey', '/witness/"\nvkey')
        + NEIGHBOUR,
    )

    assert [(one.name, one.url, len(one.roots)) for one in said.timestampers] == [("tsa", "https://tsa.example/", 1)]
    assert [(one.name, one.url, one.key) for one in said.witnesses] == [
        ("north", "https://north.example/witness", WITNESS)
    ]
    assert said.neighbours == {LOG.name: LOG}
    assert (said.limit, said.every) == (timedelta(hours=2), timedelta(seconds=30))
    assert said.delivery_folder == file.parent / "deliveries"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "limit_hours = \n",
            "line 1: is not TOML; fix: correct that line",
        ),
        (
            "limit_hours = 0",
            "line 1: limit_hours: is not above 0; fix: write more than 0",
        ),
        (
            "every_minutes = true",
            "line 1: every_minutes: is not a number; fix: write a number, without quotes",
        ),
        (
            "limits = 4",
            "line 1: limits: is not known here; fix: write limit_hours, or remove it",
        ),
        (
            'delivery_folder = "nowhere"',
            "line 1: delivery_folder: is not a folder; fix: make the folder, or remove the line",
        ),
        (
            "[timestamp]\n",
            "line 1: timestamp: is not a list; fix: write timestamp = […], or [[timestamp]] before each table",
        ),
        (
            TIMESTAMP.replace('url = "https://tsa.example/"\n', ""),
            "line 1: timestamp.url: is missing; fix: write url = …",
        ),
        (
            TIMESTAMP.replace("https", "ftp"),
            'line 3: timestamp.url: is no address of a server; fix: write url = "https://<host>/<path>"',
        ),
        (
            TIMESTAMP.replace("tsa.example/", "user:x@tsa.example/"),
            'line 3: timestamp.url: is no address of a server; fix: write url = "https://<host>/<path>"',
        ),
        (
            TIMESTAMP.replace("tsa.example/", "tsa.example/?key=x"),
            'line 3: timestamp.url: is no address of a server; fix: write url = "https://<host>/<path>"',
        ),
        (
            TIMESTAMP.replace("roots", "none"),
            "line 4: timestamp.ca_file: holds no certificate; fix: name the PEM file of the authority's root",
        ),
        (
            TIMESTAMP.replace("roots.pem", "anchors.toml"),
            "line 4: timestamp.ca_file: holds no certificate; fix: name the PEM file of the authority's root",
        ),
        (
            TIMESTAMP.replace('"tsa"', '"T S A"'),
            "line 2: timestamp.name: has not the agreed form; "
            "fix: use up to 40 small letters, digits, dots and hyphens",
        ),
        (
            TIMESTAMP.replace('"tsa"', "7"),
            'line 2: timestamp.name: is not a text; fix: write name = "…"',
        ),
        (
            TIMESTAMP + "policy = 1\n",
            "line 5: timestamp.policy: is not known here; "
            "fix: write one of name, url, ca_file, tls_roots; or remove it",
        ),
        (
            TIMESTAMP + 'tls_roots = "none.pem"\n',
            "line 5: timestamp.tls_roots: holds no certificate; fix: name the PEM file of the server's root",
        ),
        (
            TIMESTAMP + TIMESTAMP,
            "line 6: timestamp.name: stands twice; fix: give each table its own",
        ),
        (
            WITNESS_TABLE + NEIGHBOUR.replace(LOG.encode(), "x"),
            'line 7: neighbour.vkey: is not the log\'s public key; fix: write vkey = "<name>+<8 hex digits>+<base64>"',
        ),
        (
            NEIGHBOUR + 'tls_roots = "roots.pem"\n',
            "line 4: neighbour.tls_roots: is not known here; fix: write one of origin, vkey; or remove it",
        ),
        (
            NEIGHBOUR + NEIGHBOUR,
            "line 5: neighbour.origin: stands twice; fix: give each table its own",
        ),
        (
            WITNESS_TABLE.replace(WITNESS.encode(), LOG.encode()),
            "line 4: witness.vkey: is not a cosignature key, as the witness prints it; "
            'fix: write vkey = "<name>+<8 hex digits>+<base64>"',
        ),
        (
            WITNESS_TABLE + WITNESS_TABLE.replace('"north"', '"again"'),
            "line 8: witness.vkey: stands twice; fix: give each table its own",
        ),
    ],
)
def test_a_mistake_is_reported_with_file_line_key_rule_and_fix(file: Path, text: str, message: str) -> None:
    """The hub does not start with half a file."""
    with pytest.raises(ConfigurationError) as caught:
        read(file, text)

    assert str(caught.value) == f"{file}, {message}"


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    """With what to do."""
    with pytest.raises(ConfigurationError, match="cannot be read as UTF-8 text; fix: copy config"):
        read_anchors(folder / "none.toml")


def test_the_example_is_right_once_its_comments_are_taken_off(file: Path) -> None:
    """Every key that there is stands in it."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line.removeprefix("#: ") for line in lines)
    for place, value in (
        ("<vkey of the neighbour's witness>", WITNESS.encode()),
        ("<origin of the neighbour's log>", LOG.name),
        ("<vkey of the neighbour's log>", LOG.encode()),
        ("/srv/shuniu/deliveries", "deliveries"),
        ("tls/tsa-root.pem", "roots.pem"),
        ("tls/government-roots.pem", "roots.pem"),
    ):
        assert place in text
        text = text.replace(place, value)
    said = read(file, text)

    assert (len(said.timestampers), len(said.witnesses), len(said.neighbours)) == (1, 1, 1)
    assert said.delivery_folder is not None
