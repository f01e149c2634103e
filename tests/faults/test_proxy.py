"""The proxy does to frames what it is told, and nothing else."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from contextlib import ExitStack, closing

import pytest

from tests.acceptance.home import until
from tests.faults.proxy import Api, Direction, Pattern, Proxy

REQUESTS = Direction.REQUEST
ANSWERS = Direction.ANSWER
SOON_S = 5.0
LATE_S = 0.3


class FakeBroker(socketserver.ThreadingTCPServer):
    """Answers each request with its body, and remembers what it heard."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Connection)
        self.heard = []

    @property
    def address(self):
        return f"127.0.0.1:{self.server_address[1]}"


class _Connection(socketserver.StreamRequestHandler):
    def handle(self):
        while size := self.rfile.read(4):
            data = self.rfile.read(int.from_bytes(size, "big"))
            api, _version, correlation, length = struct.unpack_from(">hhih", data)
            body = data[10 + length :]
            self.server.heard.append((api, body))
            self.wfile.write(_framed(struct.pack(">i", correlation) + body))


class Client:
    """A connection that asks, and hears answers in whatever order they come."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), SOON_S)
        self._file = self._socket.makefile("rb")
        self._asked = 0

    def ask(self, api, body):
        self._asked += 1
        self._socket.sendall(_framed(struct.pack(">hhih", api, 0, self._asked, 2) + b"me" + body))

    def hear(self):
        """The next answer's body; nothing when the connection was closed."""
        size = self._file.read(4)
        return self._file.read(int.from_bytes(size, "big"))[4:] if size else b""

    def hears_nothing(self):
        self._socket.settimeout(LATE_S)
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(SOON_S)

    def close(self):
        self._file.close()
        self._socket.close()


def _framed(data):
    return len(data).to_bytes(4, "big") + data


@pytest.fixture
def broker():
    with FakeBroker() as broker:
        threading.Thread(target=broker.serve_forever, args=(0.02,), daemon=True).start()
        yield broker
        broker.shutdown()


@pytest.fixture
def proxy(broker):
    with Proxy(broker.address) as proxy:
        yield proxy


@pytest.fixture
def connect(proxy):
    """Opens connections through the proxy, closed at the end."""
    with ExitStack() as clients:
        yield lambda: clients.enter_context(closing(Client(proxy.bootstrap_servers)))


@pytest.fixture
def client(connect):
    return connect()


def test_what_no_rule_takes_goes_through(broker, proxy, client):
    """A proxy without rules must be no fault by itself."""
    client.ask(Api.PRODUCE, b"a" * 3_000_000)
    client.ask(Api.FETCH, b"b")

    assert [b"a" * 3_000_000, b"b"] == [client.hear(), client.hear()]
    assert [Api.PRODUCE, Api.FETCH] == [api for api, _ in broker.heard]
    assert 1 == proxy.counts["passed", "request", Api.FETCH]
    assert 1 == proxy.counts["passed", "answer", Api.FETCH]


def test_answers_name_the_proxy_instead_of_the_broker(broker, proxy, client):
    """A client that learned the broker's own address would walk round the proxy."""
    named = _address(broker.address)

    client.ask(Api.METADATA, b"<" + named + b">")
    client.ask(Api.OFFSET_FETCH, named)

    assert b"<" + _address(proxy.bootstrap_servers) + b">" == client.hear()
    assert named == client.hear()


def test_a_host_of_another_length_is_refused():
    """It would move every byte behind it."""
    with pytest.raises(ValueError, match="of one length"):
        Proxy("localhost.:9092")


def test_a_held_request_waits_with_all_behind_it(broker, proxy, client):
    """As behind a lost packet; released, it comes first."""
    rule = proxy.hold(Pattern(direction=REQUESTS, apis={Api.END_TXN}))
    client.ask(Api.END_TXN, b"1")
    client.ask(Api.FETCH, b"2")
    assert rule.wait(1, SOON_S)
    assert client.hears_nothing()

    assert 1 == rule.release()

    assert [b"1", b"2"] == [client.hear(), client.hear()]


def test_a_request_held_aside_is_overtaken(broker, proxy, client):
    """So that one request can wait for what others on its connection do."""
    rule = proxy.hold(Pattern(direction=REQUESTS, apis={Api.END_TXN}), aside=True)
    client.ask(Api.END_TXN, b"1")
    client.ask(Api.FETCH, b"2")

    assert b"2" == client.hear()
    rule.release()
    assert b"1" == client.hear()


@pytest.mark.parametrize("aside", [False, True])
def test_a_held_request_outlives_its_client(broker, proxy, client, connect, aside):
    """The heart of the held EndTxn: what is on its way arrives though its sender is gone."""
    rule = proxy.hold(Pattern(direction=REQUESTS, apis={Api.END_TXN}), aside=aside, most=1)
    client.ask(Api.END_TXN, b"1")
    assert rule.wait(1, SOON_S)
    proxy.reset()
    again = connect()
    again.ask(Api.END_TXN, b"2")
    assert b"2" == again.hear()

    answers = proxy.watch(Pattern(direction=ANSWERS, apis={Api.END_TXN}))
    rule.release()

    assert answers.wait(1, SOON_S)
    assert [(Api.END_TXN, b"2"), (Api.END_TXN, b"1")] == broker.heard
    assert b"1" == answers.frames[0].data[4:]
    with pytest.raises(ConnectionResetError):
        client.hear()


def test_a_held_answer_was_asked_and_heard(broker, proxy, client):
    """The broker did what was asked, and the client does not know."""
    rule = proxy.hold(Pattern(direction=ANSWERS, apis={Api.END_TXN}))
    client.ask(Api.END_TXN, b"1")

    assert rule.wait(1, SOON_S)
    assert [(Api.END_TXN, b"1")] == broker.heard
    assert client.hears_nothing()
    rule.release()
    assert b"1" == client.hear()


def test_a_dropped_frame_never_arrives_and_the_connection_stays(broker, proxy, client):
    """A broker that lost a request looks so."""
    proxy.drop(Pattern(direction=REQUESTS, apis={Api.PRODUCE}), most=1)

    for body in (b"1", b"2"):
        client.ask(Api.PRODUCE, body)

    assert b"2" == client.hear()
    assert 1 == proxy.counts["dropped", "request", Api.PRODUCE]


def test_a_frame_may_reset_its_connection(broker, proxy, client):
    """Before the broker heard of it, or after it answered."""
    proxy.reset_on(Pattern(direction=ANSWERS, apis={Api.PRODUCE}))

    client.ask(Api.PRODUCE, b"1")

    with pytest.raises(ConnectionResetError):
        client.hear()
    assert [(Api.PRODUCE, b"1")] == broker.heard
    assert 1 == proxy.counts["connections reset", "", -1]


def test_late_frames_keep_their_order_unless_told(broker, proxy, client):
    """Latency must not reorder by itself; `keeps_order=False` is there to."""
    first = Pattern(direction=ANSWERS, where=lambda frame: frame.correlation % 2 == 1)
    rule = proxy.delay(first, LATE_S, LATE_S)
    client.ask(Api.FETCH, b"1")
    client.ask(Api.FETCH, b"2")
    assert [b"1", b"2"] == [client.hear(), client.hear()]
    rule.end()

    proxy.delay(first, LATE_S, LATE_S, keeps_order=False)
    client.ask(Api.FETCH, b"3")
    client.ask(Api.FETCH, b"4")

    assert [b"4", b"3"] == [client.hear(), client.hear()]


def test_a_cut_may_be_one_way(broker, proxy, client):
    """The broker goes on hearing, and its answers come once the cut is healed."""
    proxy.cut({ANSWERS}, nodes={0})
    client.ask(Api.PRODUCE, b"1")
    until(lambda: broker.heard, SOON_S, "what the broker may hear")
    assert client.hears_nothing()

    proxy.heal()

    assert b"1" == client.hear()


def test_a_silenced_connection_is_dead_and_a_new_one_is_not(broker, proxy, client, connect):
    """As behind a firewall that forgot the connections of before."""
    client.ask(Api.PRODUCE, b"1")
    assert b"1" == client.hear()

    proxy.silence()

    client.ask(Api.PRODUCE, b"2")
    assert client.hears_nothing()
    other = connect()
    other.ask(Api.PRODUCE, b"3")
    assert b"3" == other.hear()
    assert [b"1", b"3"] == [body for _, body in broker.heard]


def test_the_newest_rule_decides(broker, proxy, client):
    """A cut on top of latency is a cut."""
    proxy.delay(Pattern(direction=REQUESTS), 0.0, 0.0)
    proxy.cut({REQUESTS})

    client.ask(Api.PRODUCE, b"1")

    assert client.hears_nothing()
    assert [] == broker.heard


def test_a_broker_that_is_gone_is_gone_for_clients(broker, proxy, connect):
    """A client must not wait for a broker that the proxy cannot reach."""
    broker.shutdown()
    broker.server_close()

    client = connect()

    assert b"" == client.hear()


def _address(address):
    host, _, port = address.rpartition(":")
    return host.encode() + int(port).to_bytes(4, "big")
