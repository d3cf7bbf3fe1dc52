"""
Sentences for the errors that end a command: what happened and the next step.
"""

from pydantic import ValidationError

from adapters.errors import ConfigurationError
from audit.errors import AuditError, AuditUnavailable, LogConfigurationError
from gateway.database import DatabaseUnavailable


def explain(error: Exception) -> str | None:
    """The sentence for an expected error, or None."""
    match error:
        case AuditUnavailable():
            return f"{error}: see that PostgreSQL runs and that SHUNIU_DATABASE_URL names it"
        case DatabaseUnavailable():
            return "The database does not answer: see that PostgreSQL runs and that SHUNIU_DATABASE_URL names it."
        case ConfigurationError() | LogConfigurationError() | AuditError():
            return str(error)
        case ValidationError(title="Settings"):
            rules = (f"SHUNIU_{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors())
            return "\n".join((*rules, "See docs/settings.md."))
    return None
