"""The client's side of hixie-75 and hixie-76: requests that can be wrong in every way, the responses they must get, frames."""

import hashlib
from typing import NamedTuple

from peer import Failure, NonStrict, Peer, expect, response_of, short

KEY1, KEY2, NONCE = b'4 @1  46546xW%0l 1 5', b'12998 5 Y3 1  .P00', b'^n:ds[4U'
ANSWER = b'8jKS\'y:G*Co,Wxa-'  # to these, as the draft has it

CLOSING = b'\xff\x00'


def text(payload):
    return b'\x00' + payload + b'\xff'


def length(number, octets=1):
    """Base 128, the high bit on all but the last, in at least so many octets."""
    digits = [number & 0x7f]
    while number > 0x7f or len(digits) < octets:
        number >>= 7
        digits.append(0x80 | number & 0x7f)
    return bytes(reversed(digits))


def skipped(type, payload, octets=1):
    """A frame that a server reads and forgets."""
    if type < 0x80:
        return bytes((type,)) + payload + b'\xff'
    return bytes((type,)) + length(len(payload), octets) + payload


class Request(NamedTuple):
    """A handshake. `fields` replaces fields, or leaves out those that are None; `more` is added behind them."""
    version: str
    target: object
    fields: dict = {}
    more: tuple = ()
    start: str = 'GET {path} HTTP/1.1'
    query: str = ''
    nonce: bytes = NONCE
    backwards: bool = False

    @property
    def path(self):
        return self.target.path + self.query

    def value(self, name):
        return dict(self.all_fields()).get(name)

    def all_fields(self):
        fields = {'Upgrade': b'WebSocket', 'Connection': b'Upgrade', 'Host': self.target.authority.encode(),
                  'Origin': f'http://{self.target.host}'.encode()}
        if self.version == '76':
            fields |= {'Sec-WebSocket-Key1': KEY1, 'Sec-WebSocket-Key2': KEY2}
        fields |= self.fields
        found = [(name, value) for name, value in [*fields.items(), *self.more] if value is not None]
        return found[::-1] if self.backwards else found

    def head(self):
        lines = [self.start.format(path=self.path).encode(), *(name.encode() + b': ' + value for name, value in self.all_fields())]
        return b'\r\n'.join([*lines, b'', b''])

    def encode(self):
        return self.head() + (self.nonce if self.version == '76' else b'')

    def expect_head(self, peer, protocol=None):
        """Reads the 101 and checks it; that of 75 octet by octet, as its clients do."""
        got = peer.read_to(b'\r\n\r\n')
        location = f'ws://{self.value("Host").decode()}{self.path}'.encode()
        prefix = b'' if self.version == '75' else b'Sec-'
        fields = [(b'Upgrade', b'WebSocket'), (b'Connection', b'Upgrade'), (prefix + b'WebSocket-Origin', self.value('Origin')),
                  (prefix + b'WebSocket-Location', location)]
        if protocol:
            fields.append((prefix + b'WebSocket-Protocol', protocol))
        if self.version == '75':
            wanted = b'HTTP/1.1 101 Web Socket Protocol Handshake\r\n' + b''.join(
                name + b': ' + value + b'\r\n' for name, value in fields) + b'\r\n'
            expect(got == wanted, lambda: f'got {got!r} instead of {wanted!r}')
            return
        start, found = response_of(got)
        expect(start.startswith(b'HTTP/1.1 101 '), lambda: f'the handshake was answered with {start!r}')
        for name, value in fields:
            values = [each for found_name, each in found if found_name == name.lower()]
            expect(values == [value], lambda: f'{name!r} is {values} instead of {value!r}')
        for name in b'content-length', b'transfer-encoding', *(() if protocol else (b'sec-websocket-protocol',)):
            expect(name not in dict(found), lambda: f'the response must not have {name!r}')

    def expect_accepted(self, peer, protocol=None, answer=ANSWER):
        self.expect_head(peer, protocol)
        if self.version == '76':
            peer.expect_octets(answer)

    @staticmethod
    def expect_refused(peer):
        """An error of HTTP, and the end; gives the status. Just the end is allowed, and tells the client nothing."""
        try:
            start = peer.read_to(b'\r\n')
        except Failure:
            if peer.end and not peer.input:
                raise NonStrict('TCP was dropped without a response') from None
            raise
        expect(start.startswith((b'HTTP/1.1 4', b'HTTP/1.1 5')), lambda: f'answered with {start!r}')
        head = response_of(start + peer.read_to(b'\r\n\r\n'))[1]
        peer.read(int(dict(head).get(b'content-length', b'0')))
        peer.expect_end()
        return start.split()[1].decode()


def connect(target, version, **facts):
    peer = Peer(target)
    request = Request(version, target, **facts)
    peer.send(request.encode())
    request.expect_accepted(peer)
    return peer


def answer_to(part1, part2, nonce):
    return hashlib.md5(part1.to_bytes(4, 'big') + part2.to_bytes(4, 'big') + nonce, usedforsecurity=False).digest()


def expect_alive(peer, payload=b'alive'):
    peer.send(text(payload))
    peer.expect_octets(text(payload))


def leave(peer, version):
    """The way out: a closing handshake in 76, the end of TCP in 75. Nothing else may come."""
    if version == '76':
        peer.send(CLOSING)
        peer.expect_octets(CLOSING, peer.soon)
    else:
        peer.finish()
    peer.expect_end()
    return 'closed'


def expect_drop(peer):
    try:
        peer.expect_end()
    except NonStrict:  # a reset is as good, where more was sent than the server took
        expect(not peer.input, lambda: f'got {short(peer.input)} before TCP was reset')
    return 'dropped'
