"""Clients of HTTP/2 made with other people's code. Each prints as JSON what it got from the server on a port of 127.0.0.1."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator

import h2.config
import h2.connection
import h2.events
import h2.settings
import httpx

SMALL_WINDOW = 1_000
LARGE = 300_000


def frames(port: int) -> dict[str, object]:
    """h2 checks each frame of the server: fields, states and windows. Its table for fields and its windows change on the way."""
    connection = h2.connection.H2Connection(
        h2.config.H2Configuration(client_side=True, header_encoding="latin-1")
    )
    codes = h2.settings.SettingCodes
    first = {codes.INITIAL_WINDOW_SIZE: SMALL_WINDOW, codes.HEADER_TABLE_SIZE: 0}
    connection.local_settings = h2.settings.Settings(client=True, initial_values=first)
    connection.initiate_connection()
    received: dict[int, bytes] = {}
    status: dict[int, str] = {}
    trailers: dict[int, list[tuple[str, str]]] = {}
    ended: set[int] = set()
    waiting: dict[int, bytes] = {}
    pings = 0
    with socket.create_connection(("127.0.0.1", port)) as sock:

        def send_rest() -> None:
            for stream, rest in list(waiting.items()):
                room = min(
                    connection.local_flow_control_window(stream),
                    connection.max_outbound_frame_size,
                    len(rest),
                )
                if room == 0 and rest:
                    continue
                connection.send_data(stream, rest[:room])
                if room == len(rest):
                    connection.send_headers(stream, [("x-sum", "42")], end_stream=True)
                    del waiting[stream]
                else:
                    waiting[stream] = rest[room:]

        def exchange() -> None:
            nonlocal pings
            send_rest()
            sock.sendall(connection.data_to_send())
            for event in connection.receive_data(sock.recv(65536)):
                if isinstance(event, h2.events.ResponseReceived):
                    status[event.stream_id] = dict(event.headers)[":status"]
                elif isinstance(event, h2.events.DataReceived):
                    received[event.stream_id] = (
                        received.get(event.stream_id, b"") + event.data
                    )
                    connection.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
                elif isinstance(event, h2.events.TrailersReceived):
                    trailers[event.stream_id] = event.headers
                elif isinstance(event, h2.events.StreamEnded):
                    ended.add(event.stream_id)
                elif isinstance(event, h2.events.PingAckReceived):
                    pings += 1
                elif isinstance(
                    event, h2.events.StreamReset | h2.events.ConnectionTerminated
                ):
                    sys.exit(f"{event}")

        for turn in range(30):
            streams = [
                connection.get_next_available_stream_id() + 2 * i for i in range(4)
            ]
            for stream, path in zip(
                streams, ["/", "/large", "/echo", "/trailers"], strict=True
            ):
                method = "POST" if path == "/echo" else "GET"
                head = [
                    (":method", method),
                    (":scheme", "http"),
                    (":path", path),
                    (":authority", "a"),
                    ("cookie", f"a={turn}"),
                ]
                connection.send_headers(stream, head, end_stream=method == "GET")
                if method == "POST":
                    waiting[stream] = bytes(LARGE // 3)
            if turn % 5 == 1:
                sizes = {
                    codes.HEADER_TABLE_SIZE: turn * 100 % 1700,
                    codes.INITIAL_WINDOW_SIZE: SMALL_WINDOW * turn,
                }
                connection.update_settings(sizes)
            connection.ping(b"12345678")
            while not ended.issuperset(streams):
                exchange()
        connection.close_connection()
        sock.sendall(connection.data_to_send())
    return {
        "statuses": sorted(set(status.values())),
        "lengths": sorted({len(content) for content in received.values()}),
        "trailers": sorted(
            {name for fields in trailers.values() for name, _ in fields}
        ),
        "responses": len(ended),
        "pings": pings > 0,
    }


async def requests(port: int) -> dict[str, object]:
    """httpx sends many requests at once over one connection, by prior knowledge."""
    limits = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(
        http1=False, http2=True, limits=limits, timeout=60
    ) as client:

        async def content() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield bytes(3_000)
                await asyncio.sleep(0)

        base = f"http://127.0.0.1:{port}"
        small = [client.get(f"{base}/") for _ in range(60)]
        large = [client.get(f"{base}/large") for _ in range(5)]
        echoes = [client.post(f"{base}/echo", content=content()) for _ in range(5)]
        whole = [client.post(f"{base}/echo", content=bytes(LARGE)) for _ in range(5)]
        responses = await asyncio.gather(*small, *large, *echoes, *whole)
        return {
            "versions": sorted({response.http_version for response in responses}),
            "statuses": sorted({response.status_code for response in responses}),
            "lengths": sorted({len(response.content) for response in responses}),
            "responses": len(responses),
        }


if __name__ == "__main__":
    name, port = sys.argv[1:]
    print(
        json.dumps(
            frames(int(port)) if name == "frames" else asyncio.run(requests(int(port)))
        )
    )
