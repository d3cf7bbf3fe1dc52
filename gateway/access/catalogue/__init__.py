"""
The catalogue: the kinds of work order as data, with what each grants, for how long and how often.
"""

from gateway.access.catalogue.kinds import EMERGENCY, CourtOverride, Kind, Scope, Start
from gateway.access.catalogue.loading import Catalogue
from gateway.access.catalogue.masks import Mask

__all__ = ["EMERGENCY", "Catalogue", "CourtOverride", "Kind", "Mask", "Scope", "Start"]
