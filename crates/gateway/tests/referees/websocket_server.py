"""A WebSocket service that echoes. It says the port it listens on."""

import asyncio

from websockets.asyncio.server import serve


async def echo(connection):
    token = connection.request.headers.get("authorization", "").split(" ")[0]
    await connection.send(f"{connection.request.path} {token} {connection.request.headers.get('x-user')}")
    async for message in connection:
        await connection.send(message)


async def main():
    async with serve(echo, "127.0.0.1", 0, max_size=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
