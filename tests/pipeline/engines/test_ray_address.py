"""An address at which no Ray cluster answers is known before Ray asks there for minutes."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from threading import Thread

import pytest

from alignrec.pipeline.engines.ray import RayEngine
from alignrec.pipeline.engines.ray_address import PATIENCE, check_address
from alignrec.pipeline.errors import EngineError


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A socket of a port of its own, which takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def _address(server: socket.socket) -> str:
    return f"127.0.0.1:{server.getsockname()[1]}"


def _answer(server: socket.socket, data: bytes) -> Thread:
    """Answer one client, having read how it begins."""

    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            assert connection.recv(64).startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            connection.sendall(data)

    thread = Thread(target=answer)
    thread.start()
    return thread


@pytest.mark.parametrize("variable", [False, True])
def test_an_address_where_nobody_listens_is_an_error_at_once(
    variable: bool, listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    address = _address(listening)
    listening.close()
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if variable:
        monkeypatch.setenv("RAY_ADDRESS", address)
    engine = RayEngine(None if variable else address)
    started = time.monotonic()
    with pytest.raises(EngineError) as error:
        engine._connect()
    assert time.monotonic() - started < PATIENCE
    assert f"at {address} ([Errno 111] Connection refused)" in str(error.value)
    assert "`ray start`, or name another with engine.address" in str(error.value)


def test_a_server_that_never_answers_is_not_waited_for(listening: socket.socket) -> None:
    with pytest.raises(TimeoutError, match="timed out"):
        check_address(_address(listening), patience=0.2)


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-ERR unknown command\r\n", b""])
def test_what_speaks_another_language_is_no_cluster(data: bytes, listening: socket.socket) -> None:
    thread = _answer(listening, data)
    with pytest.raises(ConnectionError):
        check_address(_address(listening))
    thread.join()


def test_a_server_of_rays_protocol_passes(listening: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = _answer(listening, bytes([0, 0, 18, 4, 0, 0, 0, 0, 0]))
    check_address(_address(listening))
    thread.join()
    monkeypatch.setenv("RAY_USE_TLS", "1")
    check_address(_address(listening))


@pytest.mark.parametrize("address", ["head", ":6379", "head:port", "head:99999", "a..b:6379"])
def test_what_is_no_address_is_said_to_be_none(address: str) -> None:
    with pytest.raises(ValueError):
        check_address(address)


@pytest.mark.parametrize("address", [None, "", "auto", "local", "ray://127.0.0.1:1"])
def test_what_ray_finds_itself_is_left_to_it(address: str | None) -> None:
    check_address(address)
