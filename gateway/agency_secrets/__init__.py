"""
The agencies' secrets, shared by all hubs on one database: one hub renews, the others read.
"""

from gateway.agency_secrets.store import SharedSecretStore

__all__ = ["SharedSecretStore"]
