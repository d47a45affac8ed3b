"""A codec of its own for the frames of versions 7, 8 and 13, from either side (RFC 6455 5.2). It can break every rule."""

from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NAMES = {TEXT: 'text', BINARY: 'binary', CLOSE: 'close', PING: 'ping', PONG: 'pong'}

# Ways to cut what is sent: all in one piece, or a piece for each frame; a number is a piece for so many octets.
WHOLE, FRAMES, OCTETS = 'whole', 'frames', 1

MASKING_KEY = b'\x37\xfa\x21\x3d'  # of RFC 6455 5.7


class Frame(NamedTuple):
    opcode: int
    payload: bytes = b''
    fin: bool = True
    rsv: int = 0  # three bits, RSV1 is 4

    def encode(self, key=MASKING_KEY):
        """As a client sends it; with None for a key as a server does."""
        return header(self, key, len(self.payload)) + (mask(self.payload, key) if key else self.payload)


def header(frame, key, length):
    first = bytes((frame.fin << 7 | frame.rsv << 4 | frame.opcode,))
    masked, key = (0x80, key) if key else (0, b'')
    if length < 126:
        return first + bytes((masked | length,)) + key
    if length < 65536:
        return first + bytes((masked | 126,)) + length.to_bytes(2, 'big') + key
    return first + bytes((masked | 127,)) + length.to_bytes(8, 'big') + key


def mask(payload, key):
    """XORs as one large number, which is as fast as Python gets."""
    size = len(payload)
    keys = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, 'little') ^ int.from_bytes(keys, 'little')).to_bytes(size, 'little')


def text(payload=b'', **bits):
    return Frame(TEXT, payload, **bits)


def binary(payload=b'', **bits):
    return Frame(BINARY, payload, **bits)


def more(payload=b'', **bits):
    return Frame(CONTINUATION, payload, **bits)


def ping(payload=b'', **bits):
    return Frame(PING, payload, **bits)


def pong(payload=b'', **bits):
    return Frame(PONG, payload, **bits)


def close(code=None, reason=b'', **bits):
    return Frame(CLOSE, reason if code is None else code.to_bytes(2, 'big') + reason, **bits)


def fragments(opcode, payload, size, rsv=0):
    """Cuts a message into frames of at most `size` octets. If it divides evenly, an empty one is the last, as in Autobahn."""
    if not size or len(payload) <= size:
        return [Frame(opcode, payload, rsv=rsv)]
    cuts = range(0, len(payload) + 1, size)
    return [Frame(CONTINUATION if at else opcode, payload[at:at + size], fin=at + size > len(payload), rsv=0 if at else rsv)
            for at in cuts]


def parse(data, keys=None):
    """Takes one frame from the beginning of a bytearray; gives it, or None when it is not whole yet. It is a server's, or, where
    `keys` is a list, a client's, whose masking key is added there.

    Raises ValueError for what must not be sent; RSV1 is left to the caller."""
    if len(data) < 2:
        return None
    first, length, start = data[0], data[1], 2
    if bool(length & 0x80) != (keys is not None):
        raise ValueError('the server masked a frame' if keys is None else 'the client did not mask a frame')
    length &= 0x7f
    if length >= 126:
        start = 4 if length == 126 else 10
        if len(data) < start:
            return None
        length = int.from_bytes(data[2:start], 'big')
        if length < (126 if start == 4 else 65536) or length >> 63:
            raise ValueError(f'it wrote the length {length} in the form for larger ones')
    frame = Frame(first & 15, b'', fin=bool(first & 0x80), rsv=first >> 4 & 7)
    if frame.opcode not in NAMES and frame.opcode != CONTINUATION:
        raise ValueError(f'it sent the reserved opcode {frame.opcode}')
    if frame.opcode >= CLOSE and (not frame.fin or length > 125):
        raise ValueError('it sent a control frame that is fragmented or too long')
    body = start + (0 if keys is None else 4)
    if len(data) < body + length:
        return None
    payload = bytes(memoryview(data)[body:body + length])
    if keys is not None:
        keys.append(bytes(data[start:body]))
        payload = mask(payload, keys[-1])
    del data[:body + length]
    return frame._replace(payload=payload)
