"""Makes the calls that a provider describes, and guards the key; nothing else uses the network."""

from flux2build.purchasing.http.client import Client, ClientDeps
from flux2build.purchasing.http.clock import Clock, Limits, Monotonic, limits
from flux2build.purchasing.http.polling import Arrived, Ended, Overdue
from flux2build.purchasing.http.trust import authorities
from flux2build.purchasing.http.turns import Turn
from flux2build.purchasing.redaction import Key, redacted, unkeyed

__all__ = [
    "Arrived",
    "Client",
    "ClientDeps",
    "Clock",
    "Ended",
    "Key",
    "Limits",
    "Monotonic",
    "Overdue",
    "Turn",
    "authorities",
    "limits",
    "redacted",
    "unkeyed",
]
