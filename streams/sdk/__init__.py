"""How programs emit events: `EventClient`, and `RecordingClient` for their unit tests."""

from streams.ports.records import Position
from streams.sdk.client import EventClient
from streams.sdk.emitter import Emitter
from streams.sdk.receipt import Receipt
from streams.sdk.recording import RecordingClient

__all__ = ["Emitter", "EventClient", "Position", "Receipt", "RecordingClient"]
