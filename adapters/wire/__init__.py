"""
The wire families: how a question is signed, sent, kept and decoded, whichever agency it goes to.

    Route ─▶ family (irs, national, population, rbsp) ─▶ Port ─▶ engine ─▶ agency

A family raises only the errors of `adapters.errors`; no exception, address or text of a library leaves it.
"""

import os

# The engine's allocator asks the system for huge pages, which a question in flight fills in part.  It reads its
# settings once, when the engine is loaded.
os.environ.setdefault("MIMALLOC_ALLOW_THP", "0")
