"""The one door to the network: drives a provider's described calls, and guards the key."""

from flux2build.purchasing.http.client import Ground, Wire
from flux2build.purchasing.http.clock import Clock, Limits, Monotonic, limits
from flux2build.purchasing.http.polling import Arrived, Ended, Overdue
from flux2build.purchasing.http.redaction import Key, redacted, unkeyed

__all__ = [
    "Arrived",
    "Clock",
    "Ended",
    "Ground",
    "Key",
    "Limits",
    "Monotonic",
    "Overdue",
    "Wire",
    "limits",
    "redacted",
    "unkeyed",
]
