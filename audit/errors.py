"""
Errors of the audit log.

    AuditError
    ├─ AuditUnavailable        not recorded, or not known to be: nothing may be asked or released on its strength
    ├─ RecordRefused           this event can never be recorded (too long, or recorded before with other content)
    └─ LogBroken               .first_bad .last_good: the stored log contradicts what was signed
    LogConfigurationError      start-up only, outside the tree; the text holds the command or statement that mends it

No text of these errors holds anything that came from a person or an agency.
"""


class AuditError(Exception):
    """Base of the log's errors at run time."""


class AuditUnavailable(AuditError):
    """
    The record is not known to be durable.  It may still turn up in the log; the caller must act as if it did not.
    """

    def __init__(self, why: str = "could not make the record durable in time") -> None:
        super().__init__(why)


class RecordRefused(AuditError, ValueError):
    """The event breaks a rule of the log; writing it again cannot succeed."""


class LogBroken(AuditError):
    """
    The stored log contradicts what was signed.

    `last_good` is the largest tree size that still agrees with a signed checkpoint, `first_bad` the smallest that does
    not; None where it is not known.
    """

    def __init__(self, what: str, *, last_good: int | None = None, first_bad: int | None = None) -> None:
        super().__init__(what)
        self.last_good = last_good
        self.first_bad = first_bad


class LogConfigurationError(Exception):
    """The log cannot be opened like this; the text says what to run."""
