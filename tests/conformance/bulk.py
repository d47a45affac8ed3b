"""Group 9 of the Autobahn test suite: large messages, in few and in many pieces, and many messages. Each has a time limit."""

import time
from typing import NamedTuple

import frames
from conversation import WeClose, finish
from frames import fragments
from peer import HYBI, expect, open_hybi, short

CASES = []


def repeated(pattern, size):
    return (pattern * (size // len(pattern) + 1))[:size]


class Echoes(NamedTuple):
    """The same message, sent `count` times; each echo must come before the next is sent."""
    id: str
    sent: str
    opcode: int
    payload: bytes
    seconds: int
    fragment: int = 0
    chop: int = None
    count: int = 1
    versions: tuple = HYBI
    ours: bool = False

    @property
    def expected(self):
        return f'{"each " if self.count > 1 else ""}echoed within {self.seconds} s, {WeClose()}'

    def run(self, target, version):
        deadline = time.monotonic() + self.seconds
        kind = frames.NAMES[self.opcode]
        peer, _ = open_hybi(target, version)
        encoded = peer.encode(fragments(self.opcode, self.payload, self.fragment))
        with peer:
            for _ in range(self.count):
                peer.send(encoded, self.chop)
                got = peer.event(deadline - time.monotonic())
                expect(got, f'no echo within {self.seconds} s')
                expect(got == (kind, self.payload), lambda: f'got {got[0]} {short(got[1])} instead of the {kind} that was sent')
            peer.send_frames([frames.close(1000)])
            return finish(peer, peer.event(peer.soon), WeClose())


def size_name(size):
    return f'{size >> 20} MiB' if size >= 1 << 20 else f'{size >> 10} KiB' if size >= 1 << 10 else f'{size} octets'


KINDS = (frames.TEXT, b'BAsd7&jh23'), (frames.BINARY, b'\x00\xfe\x23\xfa\xf0')

for group, (opcode, pattern) in zip(('9.1', '9.2'), KINDS):
    for number, size in enumerate((1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 23, 1 << 24), 1):
        limit = 10 if number < 3 or (opcode == frames.BINARY and number < 5) else 100
        CASES.append(Echoes(f'{group}.{number}', f'{frames.NAMES[opcode]} of {size_name(size)}', opcode, repeated(pattern, size), limit))
for group, (opcode, _) in zip(('9.3', '9.4'), KINDS):
    for number in range(1, 10):
        size = 16 << 2 * number
        CASES.append(Echoes(f'{group}.{number}', f'{frames.NAMES[opcode]} of 4 MiB in fragments of {size_name(size)}', opcode,
                            b'*' * (1 << 22), 100, fragment=size))
for group, (opcode, pattern) in zip(('9.5', '9.6'), KINDS):
    for number in range(1, 7):
        size = 32 << number
        CASES.append(Echoes(f'{group}.{number}', f'{frames.NAMES[opcode]} of 1 MiB in pieces of {size} octets', opcode,
                            repeated(pattern, 1 << 20), 1000, chop=size))
for group, opcode, octet in ('9.7', frames.TEXT, b'*'), ('9.8', frames.BINARY, b'\xfe'):
    for number, (size, limit) in enumerate(((0, 60), (16, 60), (64, 60), (256, 120), (1024, 240), (4096, 480)), 1):
        CASES.append(Echoes(f'{group}.{number}', f'1000 {frames.NAMES[opcode]} messages of {size_name(size)}, one after the other', opcode,
                            octet * size, limit, count=1000))
