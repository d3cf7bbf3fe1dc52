"""
What `shuniu agencies list` says of the certificates of a connection.
"""

from datetime import UTC, datetime, timedelta

from rich.console import Console

from gateway.cli.agencies import certificates

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def test_each_file_has_its_end_and_a_warning_in_words_where_it_is_near() -> None:
    """Days that are left; from thirty days on, what to do; and that it is over."""
    ends = {"roots": 400, "identity": 20}
    matrix = [
        {"id": "public_security", "certificates": [_file(name, days) for name, days in ends.items()]},
        {"id": "human_resources", "certificates": [_file("identity", -0.5)]},
        {"id": "market_regulation", "certificates": []},
    ]
    console = Console(width=120)
    with console.capture() as said:
        console.print(certificates(matrix, NOW))

    rows = [line.split() for line in said.get().splitlines()[1:]]
    assert [(row[0], row[1], " ".join(row[4:])) for row in rows] == [
        ("public_security", "roots", "400 days left"),
        ("public_security", "identity", "20 days left: ask for the next one now"),
        ("human_resources", "identity", "over: the agency cannot be reached any more"),
    ]


def _file(name: str, days: float) -> dict[str, str]:
    return {"file": name, "expires_at": (NOW + timedelta(days=days)).isoformat()}
