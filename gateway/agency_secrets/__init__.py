"""
The agencies' secrets, shared by all hubs on one database: one of them renews, the others read.
"""

from gateway.agency_secrets.store import SharedSecretStore

__all__ = ["SharedSecretStore"]
