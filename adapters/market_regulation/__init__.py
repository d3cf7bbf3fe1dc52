"""
Market regulation: the register of companies, sole traders and farmers' cooperatives.
"""

from adapters.market_regulation.adapter import MarketRegulation

__all__ = ["MarketRegulation"]
