"""aiohttp: 13, and 7 and 8 by presetting their headers."""

import asyncio

import aiohttp
from conversation import check, closer, compress, messages, origin, preset_headers, report, subprotocol, url, version


async def main():
    headers = {"Origin": origin} if version == "13" else preset_headers
    async with aiohttp.ClientSession() as session:
        try:
            client = await session.ws_connect(
                url, headers=headers, protocols=[subprotocol] if subprotocol else [], compress=15 if compress else 0)
        except aiohttp.WSServerHandshakeError as error:
            report(refused=f"HTTP {error.status}")
        for message in messages:
            if isinstance(message, bytes):
                await client.send_bytes(message)
                check(await client.receive_bytes(), message)
            else:
                await client.send_str(message)
                check(await client.receive_str(), message)
        extensions = "permessage-deflate" if client.compress else ""
        reason = ""
        if closer == "client":
            await client.close(code=1000, message=b"bye")
        else:
            closing = await client.receive()
            if closing.type != aiohttp.WSMsgType.CLOSE:
                report(failed=f"{closing.type} in place of the closing frame")
            reason = closing.extra
        report(extensions=extensions, subprotocol=client.protocol or "", code=client.close_code, reason=reason)


asyncio.run(main())
