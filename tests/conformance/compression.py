"""Groups 12 and 13 of the Autobahn test suite: permessage-deflate (RFC 7692), many messages a case, with zlib as the judge."""

import functools
import re
import time
import zlib
from typing import NamedTuple

import frames
import payloads
from conversation import WeClose, finish
from frames import BINARY, TEXT, fragments
from peer import Failure, expect, open_client, open_hybi, short

# Size of a message in characters or octets, seconds, and the size of the fragments in which the client sends what it has compressed.
SIZES = [(16, 60, 0), (64, 60, 0), (256, 120, 0), (1024, 240, 0), (4096, 480, 0), (8192, 480, 0), (16384, 480, 0), (32768, 480, 0),
         (65536, 480, 0), (131072, 480, 0), (8192, 480, 256), (16384, 480, 256), (32768, 480, 256), (65536, 480, 256),
         (131072, 480, 256), (131072, 480, 1024), (131072, 480, 4096), (131072, 480, 32768)]

PLAIN = 'permessage-deflate; client_no_context_takeover; client_max_window_bits'
ALONE = '; server_no_context_takeover'
WINDOW = '; server_max_window_bits=%d'
DATA = [('12.1', 'JSON', TEXT, payloads.json_text), ('12.2', 'bitmap', BINARY, payloads.bitmap),
        ('12.3', 'German text', BINARY, payloads.german), ('12.4', 'HTML', TEXT, payloads.html), ('12.5', 'PDF', BINARY, payloads.pdf)]
OFFERS = [('13.1', PLAIN), ('13.2', PLAIN + ALONE), ('13.3', PLAIN + WINDOW % 9), ('13.4', PLAIN + WINDOW % 15),
          ('13.5', PLAIN + ALONE + WINDOW % 9), ('13.6', PLAIN + ALONE + WINDOW % 15),
          ('13.7', ', '.join((PLAIN + ALONE + WINDOW % 9, PLAIN + ALONE, PLAIN)))]

TAIL = b'\x00\x00\xff\xff'  # RFC 7692 7.2.1


class Agreement(NamedTuple):
    """What the server answered to an offer, checked against it (RFC 7692 7.1)."""
    server_takeover: bool
    server_bits: int
    client_takeover: bool
    client_bits: int

    @classmethod
    def read(cls, response, offers):
        expect(response, 'the server declined permessage-deflate')
        expect(',' not in response, lambda: f'the server agreed to more than one extension: {response}')
        name, *rest = (part.strip() for part in response.split(';'))
        expect(name == 'permessage-deflate', lambda: f'the server agreed to {name!r}')
        agreed = dict(part.partition('=')[::2] for part in rest)
        expect(len(agreed) == len(rest), lambda: f'a parameter came twice: {response}')
        for key, value in agreed.items():
            if key in ('server_max_window_bits', 'client_max_window_bits'):
                expect(re.fullmatch('[89]|1[0-5]', value), lambda: f'{key}={value} is no value: {response}')
            else:
                expect(key in ('server_no_context_takeover', 'client_no_context_takeover') and '=' not in value and not value,
                       lambda: f'{key!r} is no parameter: {response}')
        problems = [cls._misfit(agreed, dict(part.strip().partition('=')[::2] for part in offer.replace('"', '').split(';')[1:]))
                    for offer in offers.split(',') if offer.strip().startswith(name)]
        expect(None in problems, lambda: f'{response} does not fit what was offered: {problems}')
        return cls('server_no_context_takeover' not in agreed, int(agreed.get('server_max_window_bits', 15)),
                   'client_no_context_takeover' not in agreed, int(agreed.get('client_max_window_bits', 15)))

    @staticmethod
    def _misfit(agreed, offer):
        if 'server_no_context_takeover' in offer and 'server_no_context_takeover' not in agreed:
            return 'server_no_context_takeover was asked for'  # 7.1.1.1
        if 'server_max_window_bits' in offer and (int(agreed.get('server_max_window_bits', 15)) > int(offer['server_max_window_bits'])
                                                  or 'server_max_window_bits' not in agreed):
            return 'server_max_window_bits was asked for'  # 7.1.2.1
        if 'client_max_window_bits' in agreed and 'client_max_window_bits' not in offer:
            return 'client_max_window_bits was not offered'  # 7.1.2.2
        return None


def agree(response, offers):
    return Inflater(Agreement.read(response, offers))


class Inflater:
    """Inflates what the server sends, with no more window and context than it agreed to. A message whose compressed octets are
    those of an earlier one is not inflated again, where neither depends on others."""

    def __init__(self, agreement):
        self.agreement = agreement
        self.stream = None
        self.known = {}
        self.compressed = 0

    def __call__(self, payload):
        self.compressed += 1
        if not self.agreement.server_takeover:
            if payload not in self.known:
                self.stream = None
                self.known[payload] = self._inflate(payload)
            return self.known[payload]
        return self._inflate(payload)

    def _inflate(self, payload):
        if self.stream is None:
            self.stream = zlib.decompressobj(-self.agreement.server_bits)
        try:
            message = self.stream.decompress(payload + TAIL)
        except zlib.error as error:
            raise Failure(f'what the server compressed cannot be inflated: {error}') from None
        expect(not self.stream.unconsumed_tail and not self.stream.unused_data, 'something stands behind the compressed message')
        return message


def deflate(message, bits=15, stream=None):
    """Compresses a message, on its own or behind others."""
    stream = stream or zlib.compressobj(wbits=-bits)
    compressed = stream.compress(message) + stream.flush(zlib.Z_SYNC_FLUSH)
    assert compressed.endswith(TAIL)
    return compressed[:-4]


@functools.cache
def messages(make, size):
    """Gives the different messages of a size, which begin where the one before ended; the payload is endless."""
    source = make()
    count = len(source) // size if len(source) % size == 0 else 3
    endless = source * 2 if count == 3 else source
    parts = [endless[at % len(source):at % len(source) + size] for at in range(0, count * size, size)]
    return [part.encode() if isinstance(part, str) else part for part in parts[:1000]]


class Compressed(NamedTuple):
    id: str
    kind: str  # of payload, or what is special
    opcode: int
    make: object
    offer: str
    size: int
    seconds: int
    fragment: int
    versions: tuple = ('13',)
    ours: bool = False
    refers: bool = False  # whether the client refers to earlier messages, when it may

    @property
    def sent(self):
        cut = f' in fragments of {self.fragment}' if self.fragment else ''
        offer = f'{self.kind}: ' if self.refers else ''
        return f'{offer}messages of {self.size} {"characters" if self.opcode == TEXT else "octets"}{cut}'

    @property
    def expected(self):
        return f'each echoed within {self.seconds} s, {WeClose()}'

    def run(self, target, version):
        peer, response = open_hybi(target, version, self.offer)
        agreement = Agreement.read(response, self.offer)
        return self.converse(target, peer, agreement, self.refers and agreement.client_takeover)

    def converse(self, target, peer, agreement, refers):
        """`agreement` is that of the other end, whose side is called the server's there."""
        deadline = time.monotonic() + self.seconds
        peer.inflate = inflater = Inflater(agreement)
        kind = frames.NAMES[self.opcode]
        plain = messages(self.make, self.size)
        bits = agreement.client_bits
        stream = zlib.compressobj(wbits=-bits) if refers else None
        encoded = {}

        def encode(number):
            """What does not refer to earlier messages needs to be compressed only once (RFC 7692 7.1.1.2: so say all of Autobahn's
            offers)."""
            number %= len(plain)
            if stream or number not in encoded:
                cut = fragments(self.opcode, deflate(plain[number], bits, stream), self.fragment, rsv=4)
                encoded[number] = b''.join(frame.encode(peer.key) for frame in cut)
            return encoded[number]

        with peer:
            for number in range(target.messages_of(self.size)):
                message = plain[number % len(plain)]
                peer.send(encode(number))
                got = peer.event(deadline - time.monotonic())
                expect(got, f'message {number} was not echoed within {self.seconds} s')
                expect(got == (kind, message), lambda: f'message {number}: got {got[0]} {short(got[1])} instead of what was sent')
            peer.send(frames.close(1000).encode(peer.key))
            code = finish(peer, peer.event(peer.soon), WeClose())
        # No rule says that a server must compress, but one that agreed and never does, where it is worth it, has something wrong.
        expect(inflater.compressed or self.size < 256 or self.make is payloads.pdf, 'the server agreed to compress and never did')
        return code


CASES = [Compressed(f'{group}.{number}', kind, opcode, make, PLAIN, *size)
         for group, kind, opcode, make in DATA for number, size in enumerate(SIZES, 1)]
CASES += [Compressed(f'{group}.{number}', 'JSON', TEXT, payloads.json_text, offer, *size)
          for group, offer in OFFERS for number, size in enumerate(SIZES, 1)]


class Answered(Compressed):
    """The same with a client at the other end: `offer` is what its offer is answered with."""

    @property
    def sent(self):
        return f'`{self.offer}`: {super().sent}'

    def run(self, target, version):
        peer, offers = open_client(target, version, self.offer)
        agreed = Agreement.read(self.offer, offers)
        mirrored = Agreement(agreed.client_takeover, agreed.client_bits, agreed.server_takeover, agreed.server_bits)
        return self.converse(target, peer, mirrored, agreed.server_takeover)


ANSWER = 'permessage-deflate'
CLIENT_ALONE = '; client_no_context_takeover'
CLIENT_WINDOW = '; client_max_window_bits=%d'
ANSWERS = [('c13.1', ANSWER), ('c13.2', ANSWER + ALONE), ('c13.3', ANSWER + WINDOW % 9), ('c13.4', ANSWER + WINDOW % 15),
           ('c13.5', ANSWER + ALONE + WINDOW % 9), ('c13.6', ANSWER + CLIENT_ALONE + CLIENT_WINDOW % 9),
           ('c13.7', ANSWER + ALONE + CLIENT_ALONE + WINDOW % 10 + CLIENT_WINDOW % 11)]

ANSWERED = [Answered(f'c{group}.{number}', kind, opcode, make, ANSWER, *size)
            for group, kind, opcode, make in DATA for number, size in enumerate(SIZES, 1)]
ANSWERED += [Answered(f'{group}.{number}', 'JSON', TEXT, payloads.json_text, answer, *size)
             for group, answer in ANSWERS for number, size in enumerate(SIZES, 1)]
