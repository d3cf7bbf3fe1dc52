"""
Human resources and social security (人社) behind the provincial gateway: insurance, employer, contact data.
"""

from mock_agencies import credentials
from mock_agencies.agency import MockAgency
from mock_agencies.clock import MockClock
from mock_agencies.human_resources.county import CountyParticipationLookup, CountyRefreshSecret, CountyRequestSecret
from mock_agencies.human_resources.gateway import IrsGateway
from mock_agencies.human_resources.lookups import ParticipationLookup, RefreshByKey, RefreshBySecret
from mock_agencies.human_resources.register import InsuranceRegister
from mock_agencies.population import Population

__all__ = ["create"]


def create(population: Population, clock: MockClock, *, precomputed: bool = False) -> MockAgency:
    """Creates the agency's server over a population."""
    account = credentials.HUMAN_RESOURCES
    gate, county = (IrsGateway(account.app_key, account.app_secret, clock) for _ in range(2))
    register = InsuranceRegister(population)
    return MockAgency(
        "human_resources",
        [
            RefreshByKey(gate),
            RefreshBySecret(gate),
            ParticipationLookup(register, gate, precomputed=precomputed),
            CountyRefreshSecret(county),
            CountyRequestSecret(county),
            CountyParticipationLookup(register, county, precomputed=precomputed),
        ],
        clock,
    )
