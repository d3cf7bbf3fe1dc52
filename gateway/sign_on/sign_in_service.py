"""
The sign-in service for people at browsers: sign-in and sessions.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from audit.store.log import Log
from gateway.database import Database
from gateway.field_encryption import FieldEncryption
from gateway.settings import Settings
from gateway.sign_on.client_key import ClientKey
from gateway.sign_on.id_token import IdTokenRequirements
from gateway.sign_on.pending_sign_ins import PendingSignIns
from gateway.sign_on.sessions import SessionLimits, Sessions
from gateway.sign_on.sign_in import SignIn
from gateway.sign_on.token_verifier import TokenVerifier


@dataclass(frozen=True, slots=True)
class SignInService:
    """Sign-in and sessions of people."""

    sign_in: SignIn
    sessions: Sessions

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        verifier: TokenVerifier,
        database: Database,
        encryption: FieldEncryption,
        log: Log,
        *,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Builds both from the settings.  `clock` gives Unix time.  Raises `ConfigurationError`."""
        requirements = IdTokenRequirements(
            client=settings.sign_on_client,
            acr=tuple(settings.sign_on_acr.split()),
            max_age=settings.sign_on_max_age,
        )
        limits = SessionLimits(
            idle=settings.session_idle,
            absolute=settings.session_absolute,
            bound_to_address=settings.session_bound_to_address,
        )
        key = None if settings.sign_on_client_key is None else ClientKey.load(settings.sign_on_client_key)
        return cls(
            SignIn(verifier, PendingSignIns(database, encryption, clock), requirements, clock, key=key),
            Sessions(database, encryption, log, limits, clock),
        )

    async def aclose(self) -> None:
        """Closes the sessions' connection."""
        await self.sessions.aclose()
