"""websocket-client: 13, and 7 and 8 by presetting their headers."""

import websocket
from conversation import check, closer, messages, origin, preset_headers, report, subprotocol, url, version

headers = {"origin": origin} if version == "13" else {"header": preset_headers, "suppress_origin": True}
try:
    client = websocket.create_connection(url, timeout=10, subprotocols=[subprotocol] if subprotocol else None, **headers)
except websocket.WebSocketBadStatusException as error:
    report(refused=str(error))

for message in messages:
    if isinstance(message, bytes):
        client.send_binary(message)
    else:
        client.send(message)
    check(client.recv(), message)

if closer == "client":
    client.ping("p")
    check(client.recv_data(control_frame=True), (websocket.ABNF.OPCODE_PONG, b"p"))
    client.send_close(1000, b"bye")
opcode, payload = client.recv_data(control_frame=True)
if opcode != websocket.ABNF.OPCODE_CLOSE:
    report(failed=f"opcode {opcode} in place of the closing frame")
report(subprotocol=client.subprotocol or "", code=int.from_bytes(payload[:2], "big"), reason=payload[2:].decode())
