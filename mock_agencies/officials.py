"""
Checks of the acting official in a query, which every agency demands.
"""

from mock_agencies import check_digits


def missing_part(*, id_number: str, parts: dict[str, str]) -> str | None:
    """
    Names what is wrong with the acting official's details, or None: a real ID number, and every part filled.
    """
    if not check_digits.is_resident_number(id_number):
        return "official_id_number"
    return next((f"official_{part}" for part, text in parts.items() if not text.strip()), None)
