"""
Whoever starts a hub and waits for it is told when it serves.
"""

import socket
from pathlib import Path

import pytest

from gateway.cli.systemd import tell_ready


@pytest.mark.parametrize("lying", ["in a folder", "in no folder"])
def test_the_one_who_waits_is_told(lying: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the datagram socket that NOTIFY_SOCKET names; @ stands for a name outside of the file system."""
    named = f"@{folder}" if lying == "in no folder" else str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as waiting:
        waiting.bind(named.replace("@", "\0", 1))
        waiting.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", named)
        tell_ready()

        assert waiting.recv(100) == b"READY=1"


@pytest.mark.parametrize("waiting", ["", "nobody"])
def test_without_one_the_hub_works_all_the_same(waiting: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started by hand, or by one that has gone."""
    monkeypatch.setenv("NOTIFY_SOCKET", waiting and str(folder / waiting))

    tell_ready()
