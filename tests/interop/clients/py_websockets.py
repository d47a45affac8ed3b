"""websockets: 13. It sends binary messages in fragments here."""

import asyncio

import websockets
from conversation import check, closer, messages, origin, report, subprotocol, url


async def main():
    try:
        client = await websockets.connect(url, origin=origin, subprotocols=[subprotocol] if subprotocol else None)
    except websockets.InvalidStatusCode as error:
        report(refused=f"HTTP {error.status_code}")
    for message in messages:
        await client.send([message[:2], message[2:]] if isinstance(message, bytes) else message)
        check(await client.recv(), message)
    if closer == "client":
        await (await client.ping())
        await client.close(1000, "bye")
    else:
        await client.wait_closed()
    extensions = ", ".join(extension.name for extension in client.extensions)
    report(extensions=extensions, subprotocol=client.subprotocol or "", code=client.close_code, reason=client.close_reason)


asyncio.run(main())
