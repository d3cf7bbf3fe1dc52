"""
Telling whoever started this process that it does its work now: systemd (`Type=notify`), and others that speak its
protocol.  Without it a restart of the next replica would begin while this one still comes up.
"""

import os
import socket
from contextlib import suppress


def tell_ready() -> None:
    """Notifies once, if a supervisor waits for it; a failure to notify is ignored."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place:
        return
    # A leading @ stands for a name that lies in no folder.
    address = f"\0{place[1:]}" if place.startswith("@") else place
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.sendto(b"READY=1", address)
