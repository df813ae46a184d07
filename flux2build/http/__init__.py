"""The one door to the network: drives a provider's described calls, and guards the key."""

from flux2build.http.clock import Clock, Limits, Monotonic, limits
from flux2build.http.collection import Arrived, Ended, Overdue
from flux2build.http.redaction import Key, redacted, unkeyed
from flux2build.http.wire import Ground, Wire

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
