"""
The wire families: how a question is signed, sent, kept and decoded, whichever agency it goes to.

    Route ─▶ family (irs, national, population, rbsp) ─▶ Port ─▶ engine ─▶ agency

A family raises only the errors of `adapters.errors`; no exception, address or text of a library leaves it.
"""
