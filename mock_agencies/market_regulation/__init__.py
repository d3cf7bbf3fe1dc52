"""
Market regulation (市场监管) behind the national platform: registrations of organizations, positions of persons.
"""

from mock_agencies import credentials
from mock_agencies.agency import MockAgency
from mock_agencies.clock import MockClock
from mock_agencies.market_regulation.lookups import PositionsLookup, RegistrationLookup
from mock_agencies.market_regulation.registers import OrganizationRegistry, PositionRegister
from mock_agencies.national import NationalPlatform, RefreshSecret
from mock_agencies.population import Population

__all__ = ["create"]


def create(population: Population, clock: MockClock, *, precomputed: bool = False) -> MockAgency:
    """Creates the agency's server over a population."""
    account = credentials.MARKET_REGULATION
    platform = NationalPlatform(account.app_key, account.sid, clock)
    return MockAgency(
        "market_regulation",
        [
            RefreshSecret(platform),
            RegistrationLookup(OrganizationRegistry(population), platform, precomputed=precomputed),
            PositionsLookup(PositionRegister(population), platform, precomputed=precomputed),
        ],
        clock,
    )
