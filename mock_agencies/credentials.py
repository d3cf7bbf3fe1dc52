"""
The demo's credentials, synthetic, as agencies would hand them over.

`python -m mock_agencies credentials` prints them as a credentials.toml.
"""

from dataclasses import asdict, dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PopulationAccount:
    """Access to the population base: the platform's key and service id, and the service's own user."""

    app_key: str
    sid: str
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class RequesterAccount:
    """Access to the police request service: who asks, and which service."""

    requester_id: str
    service_id: str


@dataclass(frozen=True, slots=True)
class GatewayAccount:
    """Access to the provincial gateway (IRS)."""

    app_key: str
    app_secret: str


@dataclass(frozen=True, slots=True)
class PlatformAccount:
    """Access to the national platform: the long-term key and the service id."""

    app_key: str
    sid: str


PUBLIC_SECURITY_POPULATION: Final = PopulationAccount(
    app_key="demo_population_key",
    sid="s_1200000900000_2108",
    user="demo_court",
    password="demo_court_password",
)
PUBLIC_SECURITY_REQUESTS: Final = RequesterAccount(requester_id="C330800-00000001", service_id="S10-00000001")
HUMAN_RESOURCES: Final = GatewayAccount(app_key="A330800000000001", app_secret="demo_app_secret")
MARKET_REGULATION: Final = PlatformAccount(app_key="demo_app_key", sid="s_1500000900000_0001")

_TABLES: Final[dict[str, PopulationAccount | RequesterAccount | GatewayAccount | PlatformAccount]] = {
    "public_security.population": PUBLIC_SECURITY_POPULATION,
    "public_security.requests": PUBLIC_SECURITY_REQUESTS,
    "human_resources": HUMAN_RESOURCES,
    "market_regulation": MARKET_REGULATION,
}


def as_toml() -> str:
    """Writes every account as a credentials.toml."""
    return "\n".join(
        "\n".join([f"[{name}]", *(f'{key} = "{text}"' for key, text in asdict(account).items()), ""])
        for name, account in _TABLES.items()
    )
