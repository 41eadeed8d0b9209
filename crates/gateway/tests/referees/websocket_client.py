"""A WebSocket client: ADDRESS TOKEN. It says what came, one JSON text a line."""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

address, token = sys.argv[1:3]


def say(**said):
    print(json.dumps(said), flush=True)


async def refused(**fields):
    try:
        async with connect(f"ws://{address}/socket", **fields):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


async def main():
    mine = {"Authorization": f"Bearer {token}", "X-User": "admin"}
    say(without=await refused(), of_another_origin=await refused(additional_headers=mine, origin="https://evil.example"))
    async with connect(f"ws://{address}/socket?a=1", additional_headers=mine, max_size=None) as socket:
        say(hello=await socket.recv())
        await socket.send("text")
        large = bytes(range(256)) * 4096
        await socket.send(large)
        say(text=await socket.recv(), large=await socket.recv() == large, pong=await asyncio.wait_for(await socket.ping(), 20) >= 0)
        try:
            await asyncio.wait_for(socket.recv(), 20)
        except ConnectionClosed as closed:
            say(cut=closed.rcvd is None)


asyncio.run(main())
