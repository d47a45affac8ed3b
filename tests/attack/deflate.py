"""Attacks on permessage-deflate (RFC 7692)."""

import random
import re
import zlib

from tools import HYBI, LIMITS, Peer, answer, case, connect, expect, frame, handshake, message, needs, status, wait_until

LIMIT = LIMITS['message_size']
USUAL_LIMIT = 16 << 20  # of /default
OFFER = b'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n'
EMPTY = b'\0\0\0\xff\xff'  # a stored block that holds nothing
FIXED = (0b0000000010_0000000010_0000000010_0000000010).to_bytes(5, 'little')  # four that hold nothing, with fixed Huffman codes
TABLES = bytes.fromhex('04c081000000000090ff6b100007020000000040feaf'
                       '41001c080000000000f9bf060170200000000000e4ff1a')  # four, with codes of their own
PATHS = ('/shared', '/dedicated')


def offered(text):
    return b'Sec-WebSocket-Extensions: ' + text + b'\r\n'


def deflated(data, compressor=None, bits=15):
    """A message's payload: the block of RFC 7692 7.2.1, without its last four bytes."""
    compressor = compressor or zlib.compressobj(9, zlib.DEFLATED, -bits)
    result = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
    assert result.endswith(EMPTY[1:])
    return result[:-4]


def zeros(size):
    return deflated(b'\0' * size)


def inflated(payload):
    """What a message's payload holds (RFC 7692 7.2.2), by another zlib than the server's; None if it is broken."""
    if not payload:
        return b''
    try:
        stream = zlib.decompressobj(-15)
        whole = stream.decompress(payload)
        while stream.eof and stream.unused_data:  # 7.2.3.4: behind a final block others may follow
            rest, stream = stream.unused_data, zlib.decompressobj(-15, zdict=whole[-32768:])
            whole += stream.decompress(rest)
        if not stream.eof:
            whole += stream.decompress(EMPTY[1:])
            if not stream.eof:  # whole with the tail, so that another block can begin: a last one that holds a sign
                return whole if stream.decompress(b'\x01\x01\0\xfe\xff!') == b'!' and stream.eof else None
        return None if stream.unused_data else whole
    except zlib.error:
        return None


class Inflating:
    """A connection that has agreed on compression, and what comes back on it."""

    def __init__(self, server, path, offer=OFFER, **options):
        self.peer = Peer(server, **options)
        head = self.peer.send(handshake('13', path, lines=offer)).read_to(b'\r\n\r\n')
        found = re.search(rb'\r\nSec-WebSocket-Extensions: (permessage-deflate[^\r]*)\r\n', head)
        expect(status(head) == 101 and found, lambda: f'{offer!r} was answered {head!r}')
        self.agreed = found[1].decode()
        found = re.search('client_max_window_bits=([0-9]+)', self.agreed)
        self.bits = int(found[1]) if found else 15
        self.forgets = 'server_no_context_takeover' in self.agreed
        self.is_forgotten = 'client_no_context_takeover' in self.agreed
        expect(self.forgets == self.is_forgotten == (path != '/dedicated'), lambda: f'{path} agreed on {self.agreed}')
        self.inflater = zlib.decompressobj(-15)

    def __enter__(self):
        return self.peer, self

    def __exit__(self, *_):
        self.peer.close()

    def message(self):
        """Gives the next message, inflated; whole frames only, as our server sends them."""
        first, payload = self.peer.read_frame()
        expect(first & 0x80, 'a fragment came')
        expect(first & 0x0f in (1, 2), lambda: f'frame {first:#x} came with {payload!r}')
        if not first & 0x40:
            return payload
        if self.forgets:
            self.inflater = zlib.decompressobj(-15)
        return self.inflater.decompress(payload + EMPTY[1:])

    def echoes(self, payload, data, first=0xc2):
        self.peer.send(frame(first, payload))
        got = self.message()
        expect(got == data, lambda: f'{data[:40]!r} ({len(data)}) came back as {got[:40]!r} ({len(got)})')


def fails(server, data, *codes, offer=OFFER, before=b'', paths=PATHS):
    for path in paths:
        with case(), Inflating(server, path, offer) as (peer, other):
            if before:
                other.echoes(*before)
            peer.send_some(data)
            peer.send(message('13', b'never'))
            peer.expect_close(*codes)


def is_judged_rightly(server, path, payload):
    """What can be inflated is echoed, to the byte, and the rest refused."""
    data = inflated(payload)
    with Inflating(server, path) as (peer, other):
        peer.send(frame(0xc2, payload) + frame(0x88, b'\x03\xe8'))
        if data is None:
            return peer.expect_close(1007, 1002)
        got = other.message()
        expect(got == data, lambda: f'{payload[:40]!r} came back as {got[:40]!r}, not as {data[:40]!r}')
        peer.expect_close(1000)


@needs('ours')
def every_split_point_gives_the_same(server):
    text = 'compressed h\u00e9llo \u20ac '.encode() * 5
    packed = deflated(text)
    said = frame(0xc1, packed) + frame(0x41, packed[:5]) + frame(0x89, b'p') + frame(0x00, packed[5:9]) + frame(0x80, packed[9:])
    said += message('13', b'plain')
    for path in PATHS:
        for cut in range(len(said) + 1):
            with Inflating(server, path) as (peer, other):
                peer.send(said[:cut])
                peer.send(said[cut:])
                expect(other.message() == text, f'cut at {cut}')
                peer.expect(frame(0x8a, b'p', mask=None))
                expect(other.message() == text and other.message() == b'plain', f'cut at {cut}')
        with Inflating(server, path) as (peer, other):
            for byte in said:
                peer.send(bytes((byte,)))
            expect(other.message() == text, 'byte by byte')
            peer.expect(frame(0x8a, b'p', mask=None))
            expect(other.message() == text and other.message() == b'plain', 'byte by byte')


@needs('ours')
def messages_are_inflated_up_to_the_limit_and_no_byte_more(server):
    chance = random.Random(7)
    for path in PATHS:
        for data in (b'\0' * LIMIT, bytes(chance.randrange(4) for _ in range(LIMIT))):
            with Inflating(server, path) as (peer, other):
                other.echoes(deflated(data, bits=other.bits), data)
    for extra in (1, 2, 3, 257, 258, 259, 32768):
        fails(server, frame(0xc2, zeros(LIMIT + extra)), 1009)
        half = zeros(LIMIT + extra)
        fails(server, frame(0x42, half[:len(half) // 2]) + frame(0x80, half[len(half) // 2:]), 1009)


@needs('ours', memory=6)
def bombs_are_not_inflated(server):
    bomb = zeros(64 << 20)  # 1000 : 1
    expect(len(bomb) < 70_000, 'no bomb')
    for _ in range(5):
        fails(server, frame(0xc2, bomb), 1009)
    fails(server, frame(0x42, bomb[:100]) + frame(0x00, bomb[100:300]) + frame(0x80, bomb[300:400]), 1009)
    fails(server, b''.join(frame(0x00 if i else 0x42, bomb[i:i + 1]) for i in range(300)), 1008, 1009)


@needs('ours')
def a_bomb_that_rests_on_what_came_before_is_not_inflated(server):
    chance = random.Random(8)
    for path in PATHS:
        for size in (LIMIT, LIMIT + 1):
            with Inflating(server, path) as (peer, other):
                noise = bytes(chance.randrange(256) for _ in range(200))
                compressor = zlib.compressobj(9, zlib.DEFLATED, -other.bits)
                other.echoes(deflated(noise, compressor), noise)
                if other.is_forgotten:
                    compressor = None
                data = (noise * (size // 200 + 1))[:size]
                packed = deflated(data, compressor, other.bits)
                if size == LIMIT:
                    other.echoes(packed, data)
                else:
                    peer.send(frame(0xc2, packed) + message('13', b'never')).expect_close(1009)


@needs('ours')
def many_small_bombs_cost_bounded_time(server):
    # Each is within the limit and 1000 times as large inflated. Nobody reads what comes back.
    data = frame(0xc2, zeros(LIMIT)) * 2000
    for path in PATHS:
        with Inflating(server, path, receive_buffer=4096) as (peer, _):
            peer.send_some(data)


@needs('ours')
def garbage_fails_and_says_so(server):
    chance = random.Random(9)
    for bad in (b'\xff\xff\xff\xff', b'\x07', b'\x06\xff', b'\x01\x05\x00\x00\x00hello', b'\x05\0', b'\xed\xfd\x01', bytes(range(255, 0, -1))):
        fails(server, frame(0xc2, bad), 1007, 1002)
    whole = deflated(b'some text that is not too short' * 3)
    for at in range(len(whole)):
        for path in PATHS:
            damaged = bytearray(whole)
            damaged[at] ^= 1 << chance.randrange(8)
            is_judged_rightly(server, path, bytes(damaged))
    for _ in range(300):
        is_judged_rightly(server, chance.choice(PATHS), chance.randbytes(chance.randrange(1, chance.choice((6, 200)))))


@needs('ours')
def bad_text_under_compression_is_refused(server):
    for bad in (b'\xff', b'ok ' * 50 + b'\xc3(', b'\xed\xa0\x80', b'cut \xe2\x82'):
        fails(server, frame(0xc1, deflated(bad)), 1007)
        packed = deflated(bad)
        fails(server, frame(0x41, packed[:2]) + frame(0x00) + frame(0x80, packed[2:]), 1007)


@needs('ours')
def blocks_that_hold_nothing_cost_bounded_time(server):
    # A quarter more than the limit is what a message may have on the wire (docs/security.md).
    for path in PATHS:
        with Inflating(server, path) as (peer, other):
            other.echoes(EMPTY * 100 + b'\0', b'')
            other.echoes(EMPTY * 10_000 + deflated(b'end'), b'end')
            other.echoes(b'\0', b'')  # RFC 7692 7.2.3.6: the empty message
            other.echoes(FIXED * 200 + deflated(b'end'), b'end')
    fails(server, frame(0xc2, EMPTY * 100_000), 1009)
    fails(server, frame(0x42, EMPTY * 2000) + frame(0x00, EMPTY * 2000) * 90, 1008, 1009)
    fails(server, frame(0x42) + frame(0x00) * 1000, 1008)
    for path in PATHS:  # small messages, each of which inflates to nothing
        with Inflating(server, path) as (peer, other):
            peer.send_some(frame(0xc1, b'\0') * 20_000, patience=2)
            for _ in range(20_000):
                expect(other.message() == b'', 'not empty')


def holds_nothing(server, blocks):
    """An empty message of as many bytes as one may have on the wire by default (docs/security.md); one more is too many."""
    most = USUAL_LIMIT + USUAL_LIMIT // 4 + 64
    with Inflating(server, '/default', timeout=60) as (_, other):
        other.echoes(blocks * ((most - 1) // len(blocks)) + b'\0', b'')
    fails(server, frame(0xc2, blocks * (most // len(blocks) + 1)), 1009, paths=('/default',))


@needs('ours', bystander=0.4, heap=40, memory=48)
def bombs_at_the_default_limits(server):
    with Inflating(server, '/default', timeout=60) as (_, other):
        other.echoes(zeros(USUAL_LIMIT), b'\0' * USUAL_LIMIT)
    for size in (USUAL_LIMIT + 1, 4 * USUAL_LIMIT):
        fails(server, frame(0xc2, zeros(size)), 1009, paths=('/default',))


@needs('ours', cpu=3, heap=48, memory=64)
def blocks_that_hold_nothing_at_the_default_limits(server):
    for blocks in (EMPTY, FIXED, b'\x03\0'):
        holds_nothing(server, blocks)


@needs('ours', cpu=6, heap=48, memory=64)
def blocks_that_bring_tables_for_nothing_at_the_default_limits(server):
    """The worst that is known: zlib makes tables of codes for 11 bytes, and again for the next. Others have their turn meanwhile."""
    holds_nothing(server, TABLES)


@needs('ours')
def last_blocks_and_missing_tails(server):
    for path in PATHS:
        with Inflating(server, path) as (_, other):  # RFC 7692 7.2.3.4: a block that says that it is the last
            compressor = zlib.compressobj(9, zlib.DEFLATED, -other.bits)
            packed = compressor.compress(b'last') + compressor.flush()
            other.echoes(packed + b'\0', b'last')
            other.echoes(deflated(b'and one more', bits=other.bits), b'and one more')
    compressor = zlib.compressobj(9, zlib.DEFLATED, -9)
    last = compressor.compress(b'last') + compressor.flush()
    cut = deflated(b'cut short' * 9)
    for path in PATHS:  # what lies behind it, no tail behind it, and a block that ends too early
        for payload in (last, last + deflated(b'not hidden'), last + b'junk' * 100, last * 1000, b'\x01', b'',
                        *(cut[:size] for size in range(len(cut)))):
            is_judged_rightly(server, path, payload)
        fails(server, frame(0xc2, cut[:-3]), 1007, paths=(path,))


@needs('ours')
def blocks_that_say_they_are_the_last_cost_bounded_time(server):
    # Behind each a stream begins anew. Whoever sets up its window again copies tens of KiB for two bytes.
    payload = zeros(32768) + EMPTY[1:] + b'\x03\0' * 40_000 + b'\0'
    for path in PATHS:
        with Inflating(server, path) as (_, other):
            for _ in range(50):
                other.echoes(payload, bytes(32768))


@needs('ours')
def references_beyond_the_agreed_window_are_refused(server):
    chance = random.Random(10)
    noise = chance.randbytes(300)
    far = noise + bytes(20_000) + noise
    for path in PATHS:
        offer = offered(b'permessage-deflate; client_max_window_bits=9')
        compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = deflated(far, compressor)
        with Inflating(server, path, offer) as (_, other):  # within a message zlib keeps more than was agreed on
            expect(other.bits == 9, other.agreed)
            other.echoes(packed, far)
        for reach in (100, 600):  # what it rests on is in the message before: within the window and beyond it
            with Inflating(server, path, offer) as (peer, other):
                compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
                other.echoes(deflated(noise + b'y' * (reach - 100), compressor), noise + b'y' * (reach - 100))
                packed = deflated(noise, compressor)
                expect(len(packed) < 100, 'it does not refer back')
                if reach == 100 and not other.is_forgotten:
                    other.echoes(packed, noise)
                else:
                    peer.send(frame(0xc2, packed) + message('13', b'never')).expect_close(1007, 1002)


@needs('ours')
def compression_bits_where_they_do_not_belong(server):
    packed = deflated(b'hello')
    for data in (frame(0x41, packed[:2]) + frame(0xc0, packed[2:]), frame(0x01, b'a') + frame(0xc0, packed), frame(0xc9, packed),
                 frame(0xca, packed), frame(0xc8, packed), frame(0xe1, packed), frame(0xd1, packed), frame(0xf1, packed), frame(0xa1, b'x'),
                 frame(0xc1, packed, mask=None), frame(0xc3, packed), frame(0xc0, packed)):
        fails(server, data, 1002)
    with connect(server, '13', '/echo', lines=OFFER) as peer:  # where it is off
        peer.send(frame(0xc1, packed) + message('13', b'never')).expect_close(1002)
    for version in HYBI:  # who did not ask, or speaks a version that has none
        lines = b'' if version == '13' else OFFER
        with connect(server, version, '/shared', lines=lines) as peer:
            peer.send(frame(0xc1, packed) + message(version, b'never')).expect_close(1002)


def agreed_on(server, offer, path='/dedicated'):
    with Peer(server) as peer:
        head = peer.send(handshake('13', path, lines=offer)).read_to(b'\r\n\r\n')
        if status(head) != 101:
            expect(status(head) in (400, 431), lambda: f'{offer[:200]!r} was answered {head!r}')
            return None
        fields = re.findall(rb'\r\nSec-WebSocket-Extensions: ([^\r]*)', head)
        expect(len(fields) <= 1, lambda: f'{head!r} agrees twice')
        text = bytes(97 + i * i % 23 for i in range(2000)) * 2
        first, payload = peer.send(message('13', text)).read_frame()
        agreed = fields[0].decode() if fields else ''
        if agreed:  # what comes keeps to what was agreed on
            found = re.search(r'server_max_window_bits=(\d+)', agreed)
            expect(first == 0xc1, f'{offer[:200]!r}: frame {first:#x} came')
            payload = zlib.decompressobj(-int(found[1] if found else 15)).decompress(payload + EMPTY[1:])
        expect(payload == text, f'{offer[:200]!r} was answered {agreed}, and the echo is not the same')
        return agreed


@needs('ours')
def illegal_offers_are_declined(server):
    for bad in (b'server_max_window_bits=7', b'server_max_window_bits=16', b'server_max_window_bits=08', b'server_max_window_bits=',
                b'server_max_window_bits', b'server_max_window_bits=-9', b'server_max_window_bits=1e1', b'server_max_window_bits=4294967305',
                b'client_max_window_bits=7', b'client_max_window_bits=16', b'client_max_window_bits=0', b'client_max_window_bits=x',
                b'client_max_window_bits=10; client_max_window_bits=10', b'server_no_context_takeover=1', b'client_no_context_takeover=true',
                b'server_no_context_takeover; server_no_context_takeover', b'unknown', b'unknown=1', b'server_max_window_bits=99999999999999999999',
                b'server_max_window_bits=" 10"', b'server_max_window_bits="10', b'=', b'=10', b'server_max_window_bits=10=10', b'\xff'):
        got = agreed_on(server, offered(b'permessage-deflate; ' + bad))
        expect(not got, f'{bad!r} led to {got}')
        # The next offer counts. It leaves the window of the server to the server, and says nothing of the client's.
        got = agreed_on(server, offered(b'permessage-deflate; ' + bad + b', permessage-deflate'))
        expect(not got or re.fullmatch('permessage-deflate(; server_max_window_bits=(9|1[0-5])|; (server|client)_no_context_takeover)*', got),
               f'{bad!r} led to {got}')
    for name in (b'permessage-deflate2', b'xpermessage-deflate', b'permessage-bzip2', b'deflate-frame', b'x-webkit-deflate-frame',
                 b'deflate-stream', b'mux', b'constructor', b'__proto__', b'toString'):
        got = agreed_on(server, offered(name))
        expect(not got, f'{name!r} led to {got}')


@needs('ours')
def legal_offers_are_answered_within_what_they_allow(server):
    for path in PATHS:
        for bits in range(8, 16):
            for text in (b'server_max_window_bits=%d', b'server_max_window_bits="%d"'):
                got = agreed_on(server, offered(b'permessage-deflate; ' + text % bits), path)
                found = re.search(r'server_max_window_bits=(\d+)', got or '')
                if got:
                    expect(found and 8 <= int(found[1]) <= bits, f'{bits} bits led to {got!r}')
            got = agreed_on(server, offered(b'permessage-deflate; client_max_window_bits=%d' % bits), path)
            found = re.search(r'client_max_window_bits=(\d+)', got or '')
            expect(not found or 8 <= int(found[1]) <= bits, f'{bits} bits of the client led to {got!r}')
        got = agreed_on(server, offered(b'permessage-deflate'), path)
        expect(got and 'client_max_window_bits' not in got, f'not offered, but agreed: {got}')
        got = agreed_on(server, offered(b'foo, permessage-deflate; server_no_context_takeover, bar; x="a"'), path)
        expect(got and 'server_no_context_takeover' in got, f'agreed: {got}')


@needs('ours')
def floods_of_offers_cost_little(server):
    before = server.cpu()
    for _ in range(20):
        for text in (b'permessage-deflate; x' + b', permessage-deflate; x' * 300, b'permessage-deflate' + b'; server_max_window_bits=10' * 250,
                     b'permessage-deflate; x="' + b'\\"' * 3000, b',' * 7000, b';' * 7000, b'"' * 7000, b'permessage-deflate;' * 350,
                     b'permessage-deflate' * 380, b'\t ' * 3500 + b'x', b'a=b;' * 1700 + b'=', b'permessage-deflate; a' + b'=' * 5000):
            agreed_on(server, offered(text))
        agreed_on(server, offered(b'permessage-deflate; x') * 40)
    used = server.cpu() - before
    expect(used < 1.5, f'240 offers of up to 8 KiB took {used:.1f} s of processor time')


@needs('ours')
def compressed_connections_give_their_memory_back(server):
    before = server.heap()[0]
    for _ in range(5):
        several = [Inflating(server, '/dedicated') for _ in range(60)]
        for other in several:
            other.echoes(deflated(b'hello ' * 100, bits=other.bits), b'hello ' * 100)
        for other in several:
            other.peer.reset()
    wait_until(lambda: server.open_websockets() == 1, 'the server to let go of the connections')
    grown = server.heap()[0] - before
    expect(grown < 300 << 10, f'300 compressed connections left {grown >> 10} KiB')


ATTACKS = [every_split_point_gives_the_same, messages_are_inflated_up_to_the_limit_and_no_byte_more, bombs_are_not_inflated,
           a_bomb_that_rests_on_what_came_before_is_not_inflated, many_small_bombs_cost_bounded_time, garbage_fails_and_says_so,
           bad_text_under_compression_is_refused, blocks_that_hold_nothing_cost_bounded_time, bombs_at_the_default_limits,
           blocks_that_hold_nothing_at_the_default_limits, blocks_that_bring_tables_for_nothing_at_the_default_limits,
           last_blocks_and_missing_tails, blocks_that_say_they_are_the_last_cost_bounded_time, references_beyond_the_agreed_window_are_refused,
           compression_bits_where_they_do_not_belong, illegal_offers_are_declined,
           legal_offers_are_answered_within_what_they_allow, floods_of_offers_cost_little, compressed_connections_give_their_memory_back]
