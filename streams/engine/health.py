"""A worker's small HTTP server: `/metrics`, `/livez` and `/readyz`.

Alive: the worker's loop turns, or waits for Kafka. Ready: it joined its group, what it was given,
if anything, is open, and its state is restored. Both answer 200 or 503 with a JSON body that holds
the worker's state: `starting`, `restoring` or `live`. It listens on loopback unless told otherwise.
"""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Protocol, Self

from prometheus_client.exposition import choose_encoder

from streams.errors import ConfigurationError
from streams.metrics import registry

_REQUEST_TIMEOUT_S = 10
_SHUTDOWN_POLL_S = 0.05


class Probe(Protocol):
    """What the server asks the worker; answered from any thread, at once."""

    @property
    def is_alive(self) -> bool: ...
    @property
    def is_ready(self) -> bool: ...
    @property
    def state(self) -> str: ...


class HealthServer:
    """Answers health checks and scrapes from a thread of its own."""

    def __init__(self, host: str, port: int, probe: Probe) -> None:
        self._host = host
        self._wanted_port = port
        self._probe = probe
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Listen; ConfigurationError when the address is taken or is not ours."""
        try:
            server = ThreadingHTTPServer((self._host, self._wanted_port), _handler(self._probe))
        except (OSError, OverflowError) as exc:
            raise ConfigurationError(
                f"cannot serve metrics and health on {self._host}:{self._wanted_port}: {exc}; set "
                "STREAMS_HTTP_PORT to a free port (0 = any, -1 = off), or STREAMS_HTTP_HOST"
            ) from exc
        server.daemon_threads = True
        self._server = server
        Thread(
            target=server.serve_forever, args=(_SHUTDOWN_POLL_S,), name="health", daemon=True
        ).start()

    def ready(self) -> bool:
        """Whether requests are answered: from the return of `start` to `stop`."""
        return self._server is not None

    def stop(self) -> None:
        """Stop listening; stopping twice is fine."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    @property
    def port(self) -> int:
        """The port it listens on, also when any was asked for; 0 while it does not listen."""
        return self._server.server_address[1] if self._server else 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self.stop()


def _handler(probe: Probe) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_TIMEOUT_S

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(200, content_type, encode(registry()))
            elif path in ("/livez", "/readyz"):
                is_good = probe.is_alive if path == "/livez" else probe.is_ready
                body = {"status": "ok" if is_good else "unavailable", "state": probe.state}
                self._answer(200 if is_good else 503, "application/json", json.dumps(body).encode())
            else:
                self._answer(404, "text/plain", b"try /metrics, /livez or /readyz\n")

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def version_string(self) -> str:
            return "streams"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """A scrape every few seconds is not worth a line."""

    return Handler
