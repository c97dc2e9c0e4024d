"""Notes, in every Python process that finds this on its path, who asks for the network."""

import os
import sys
from pathlib import Path

_EVENTS = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname")


def _note(event, arguments):
    if event in _EVENTS:
        address = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[:2]
        # A path is a socket of this machine.
        host = address[0] if isinstance(address, tuple) else None
        if host is not None and host not in ("127.0.0.1", "::1", "localhost", ""):
            with Path(os.environ["NETWORK_LOG"]).open("a") as log:
                log.write(f"{event} {address} {sys.argv[:3]}\n")


sys.addaudithook(_note)
