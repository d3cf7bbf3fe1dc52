"""
People at their browsers: how they sign in, and the sessions that follow.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from audit.store.log import Log
from gateway.database import Database
from gateway.field_encryption import Vault
from gateway.settings import Settings
from gateway.sign_on.client_key import ClientKey
from gateway.sign_on.id_token import Demand
from gateway.sign_on.pending_sign_ins import Attempts
from gateway.sign_on.sessions import Limits, Sessions
from gateway.sign_on.sign_in import SignIn
from gateway.sign_on.token_verifier import SignOn


@dataclass(frozen=True, slots=True)
class People:
    """The two halves: getting in, and being in."""

    sign_in: SignIn
    sessions: Sessions

    @classmethod
    def of(
        cls,
        settings: Settings,
        sign_on: SignOn,
        database: Database,
        vault: Vault,
        log: Log,
        *,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Puts them together as the settings say.  `clock` gives Unix time.  Raises `ConfigurationError`."""
        demand = Demand(
            client=settings.sign_on_client,
            acr=tuple(settings.sign_on_acr.split()),
            max_age=settings.sign_on_max_age,
        )
        limits = Limits(
            idle=settings.session_idle,
            absolute=settings.session_absolute,
            bound_to_address=settings.session_bound_to_address,
        )
        key = None if settings.sign_on_client_key is None else ClientKey.load(settings.sign_on_client_key)
        return cls(
            SignIn(sign_on, Attempts(database, vault, clock), demand, clock, key=key),
            Sessions(database, vault, log, limits, clock),
        )

    async def aclose(self) -> None:
        """Gives back what they hold."""
        await self.sessions.aclose()
