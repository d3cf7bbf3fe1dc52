"""
Public security (公安): the population base by SOAP behind the national platform, and the request service in XML.
"""

from mock_agencies import credentials
from mock_agencies.agency import MockAgency
from mock_agencies.clock import MockClock
from mock_agencies.national import NationalPlatform, RefreshSecret
from mock_agencies.population import Population
from mock_agencies.public_security.rbsp import AddressesLookup
from mock_agencies.public_security.registers import HouseholdRegister, PopulationBase
from mock_agencies.public_security.signing import SoapSigner
from mock_agencies.public_security.soap import IdentityLookup

__all__ = ["create"]


def create(
    population: Population, clock: MockClock, *, precomputed: bool = False, signer: SoapSigner | None = None
) -> MockAgency:
    """Creates the agency's server over a population; with a signer the population base signs its replies."""
    account = credentials.PUBLIC_SECURITY_POPULATION
    platform = NationalPlatform(account.app_key, account.sid, clock)
    requests = credentials.PUBLIC_SECURITY_REQUESTS
    return MockAgency(
        "public_security",
        [
            RefreshSecret(platform),
            IdentityLookup(
                PopulationBase(population), platform, account, clock, precomputed=precomputed, signer=signer
            ),
            AddressesLookup(HouseholdRegister(population), requests, clock, precomputed=precomputed),
        ],
        clock,
    )
