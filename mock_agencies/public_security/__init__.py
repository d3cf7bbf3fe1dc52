"""
Public security (公安): the population base by SOAP behind the national platform, and the request service in XML.
"""

from mock_agencies import credentials
from mock_agencies.agency import Agency
from mock_agencies.clock import Clock
from mock_agencies.national import NationalPlatform, RefreshSecret
from mock_agencies.population import Population
from mock_agencies.public_security.rbsp import Addresses
from mock_agencies.public_security.registers import HouseholdRegister, PopulationBase
from mock_agencies.public_security.signing import Signer
from mock_agencies.public_security.soap import Identity

__all__ = ["create"]


def create(population: Population, clock: Clock, *, precomputed: bool = False, signer: Signer | None = None) -> Agency:
    """Creates the agency's server over a population; with a signer the population base signs its replies."""
    account = credentials.PUBLIC_SECURITY_POPULATION
    platform = NationalPlatform(account.app_key, account.sid, clock)
    requests = credentials.PUBLIC_SECURITY_REQUESTS
    return Agency(
        "public_security",
        [
            RefreshSecret(platform),
            Identity(PopulationBase(population), platform, account, clock, precomputed=precomputed, signer=signer),
            Addresses(HouseholdRegister(population), requests, clock, precomputed=precomputed),
        ],
        clock,
    )
