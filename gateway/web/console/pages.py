"""
The routes of the console, together.
"""

from fastapi import APIRouter

from gateway.web.console import event, events, export, figures, reports, review, verify

router = APIRouter()
for room in (events, event, verify, export, reports, review, figures):
    router.include_router(room.router)
