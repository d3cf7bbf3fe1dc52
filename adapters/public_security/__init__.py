"""
Public security: the police's population base and household records.
"""

from adapters.public_security.adapter import PublicSecurity

__all__ = ["PublicSecurity"]
