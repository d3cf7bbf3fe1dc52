"""
Human resources and social security: who insures a person, and what the person declared there.
"""

from adapters.human_resources.adapter import HumanResources

__all__ = ["HumanResources"]
