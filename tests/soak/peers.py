"""The peers of the soak test: state machines on non-blocking sockets, each with its own way to behave and to end. Nothing here is
shared with the library."""

import collections
import random
import socket
import ssl
import struct
import sys
import time
import zlib

KEY3 = b'^n:ds[4U'
PROOF_76 = b'8jKS\'y:G*Co,Wxa-'
ACCEPT = b's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
TAIL = b'\0\0\xff\xff'
HYBI = ('7', '8', '13')
LETTERS = bytes(97 + i * 7 % 26 for i in range(70_000))
# As in server.cpp, in seconds, times the patience that both are told; the machine may be late by SLACK.
PATIENCE = int(sys.argv[6])
HANDSHAKE, CLOSE, PING, PONG, IDLE, SLACK = (PATIENCE * seconds for seconds in (2, 1, 2, 2, 6, 6))

context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


class Wrong(Exception):
    """The server did what it must not."""


def require(condition, what):
    if not condition:
        raise Wrong(what() if callable(what) else what)


def frame(first, payload=b''):
    """A client's frame, with a mask by chance."""
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65536:
        head = bytes((first, 0xfe)) + size.to_bytes(2, 'big')
    else:
        head = bytes((first, 0xff)) + size.to_bytes(8, 'big')
    mask = random.randbytes(4)
    stretched = (mask * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload, 'big') ^ int.from_bytes(stretched, 'big')
    return head + mask + masked.to_bytes(size, 'big')


def head(version, path, compressed):
    text = b'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n' % path
    if version in HYBI:
        text += b'Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: %s\r\n' % version.encode()
        if compressed:
            text += b'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n'
        return text + b'\r\n'
    text += b'Upgrade: WebSocket\r\nOrigin: http://127.0.0.1\r\n'
    if version == '75':
        return text + b'\r\n'
    return text + b'Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\r\n' + KEY3


class Peer:
    """One connection. The loop calls `connected`, `readable`, `writable` and `due`; `over` is set when it has ended.

    A peer that ends as it should says so by `finish`; an end that nobody expected is a `Wrong`.
    """

    path = b'/echo'
    can_be_secure = True

    def __init__(self, loop, ports):
        self.loop, self.counts = loop, loop.counts
        self.version = random.choice(('75', '76', '7', '8', '13', '13', '13'))
        self.secure = self.can_be_secure and random.random() < 0.15
        self.compressed = self.version == '13' and random.random() < 0.4
        self.output, self.input = bytearray(), bytearray()
        self.opened = self.over = self.deaf = self.closing = self.answered = self.cut_off = self.shaking = False
        self.deflater = self.inflater = None
        self.born = time.monotonic()
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # From many addresses, or the ports of one would not suffice.
        self.socket.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        self.socket.bind((f'127.0.0.{random.randrange(2, 250)}', 0))
        self.prepare()
        try:
            self.socket.connect(('127.0.0.1', ports[1 if self.secure else 0]))
        except BlockingIOError:
            pass
        self.connecting = True

    def prepare(self):
        """For what has to be set before the connection is made."""

    # What the loop calls.

    def fileno(self):
        return self.socket.fileno()

    def wants_to_write(self):
        return self.connecting or bool(self.output)

    def writable(self):
        if self.connecting:
            error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            require(error == 0, f'could not connect: error {error}')
            self.connecting = False
            if self.secure:
                self.socket = context.wrap_socket(self.socket, do_handshake_on_connect=False, server_hostname='localhost')
                self.shaking = True
            self.connected()
        if self.shaking:
            self.shake_hands()
        elif self.output:
            self.transmit()

    def connected(self):
        self.send(head(self.version, self.path, self.compressed))

    def shake_hands(self):
        try:
            self.socket.do_handshake()
            self.shaking = False
            if self.output:
                self.transmit()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass

    def readable(self):
        if self.shaking:
            self.shake_hands()
            return
        while not self.over and not self.deaf:
            try:
                data = self.socket.recv(65536)
            except (BlockingIOError, ssl.SSLWantReadError):
                return
            except (ConnectionResetError, ssl.SSLError):
                data, self.cut_off = b'', True
            if not data:
                self.ended()
                return
            self.input += data
            self.take()
            if not self.secure and len(data) < 65536:
                return

    def due(self):
        """The time came that was asked for with `loop.later`."""

    # What the kinds of peers use.

    def send(self, data):
        self.output += data
        if not self.connecting and not self.shaking:
            self.transmit()

    def transmit(self):
        try:
            while self.output:
                sent = self.socket.send(self.output[:65536])
                del self.output[:sent]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.output.clear()  # reading tells how it ended
        self.loop.watch(self)

    def take(self):
        if not self.opened:
            at = self.input.find(b'\r\n\r\n')
            if at < 0 or self.version == '76' and len(self.input) < at + 4 + 16:
                return
            answer = bytes(self.input[:at + 4])
            require(answer.startswith(b'HTTP/1.1 101 '), lambda: f'refused: {answer!r}')
            require(self.version not in HYBI or ACCEPT in answer, lambda: f'a wrong key: {answer!r}')
            del self.input[:at + 4]
            if self.version == '76':
                require(self.input[:16] == PROOF_76, 'a wrong answer to the nonce')
                del self.input[:16]
            require(self.compressed == (b'permessage-deflate' in answer), lambda: f'compression was not agreed on as it was offered: {answer!r}')
            if self.compressed:
                bits = int(answer.partition(b'client_max_window_bits=')[2][:2] or 15)
                self.deflater, self.inflater = zlib.compressobj(3, zlib.DEFLATED, -bits), zlib.decompressobj(-15)
            self.opened = True
            self.counts['opened'] += 1
            self.counts['with TLS'] += self.secure
            self.open()
        while not self.over:
            got = self.next_frame()
            if got is None:
                return
            self.got(*got)

    def next_frame(self):
        """Gives the kind ('message', 'ping', 'close') and the payload of the next frame."""
        data = self.input
        if self.version not in HYBI:
            if data[:2] == b'\xff\0':
                del data[:2]
                return 'close', b''
            end = data.find(b'\xff')
            if end < 0:
                return None
            require(data[0] == 0, lambda: f'a frame that begins with {bytes(data[:9])!r}')
            payload = bytes(data[1:end])
            del data[:end + 1]
            return 'message', payload
        if len(data) < 2:
            return None
        size, start = data[1], 2
        require(size < 128, 'the server masked a frame')
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(data) < start:
                return None
            size = int.from_bytes(data[2:start], 'big')
        if len(data) < start + size:
            return None
        first, payload = data[0], bytes(data[start:start + size])
        del data[:start + size]
        if first & 0x40:
            require(self.inflater, 'compressed, though not agreed on')
            self.counts['compressed'] += 1
            payload = self.inflater.decompress(payload + TAIL)
        kind = {1: 'message', 2: 'message', 8: 'close', 9: 'ping'}.get(first & 0xbf & 0x0f)
        require(kind and first & 0x80, f'frame {first:#x} came')
        return kind, payload

    def say(self, text):
        self.counts['sent'] += 1
        if self.version not in HYBI:
            self.send(b'\0' + text + b'\xff')
        elif self.deflater and len(text) > 64:
            packed = self.deflater.compress(text) + self.deflater.flush(zlib.Z_SYNC_FLUSH)
            self.send(frame(0xc1, packed[:-4]))
        else:
            self.send(frame(0x81, text))

    def goodbye(self, code):
        """Gives the closing frame, or its answer."""
        return b'\xff\0' if self.version == '76' else frame(0x88, code.to_bytes(2, 'big'))

    def say_goodbye(self):
        """Begins the closing handshake, where there is one."""
        self.closing = True
        self.loop.later(self, CLOSE + SLACK)
        if self.version == '75':
            if self.secure:  # nothing of TLS says that half is over
                self.finish()
            else:
                self.socket.shutdown(socket.SHUT_WR)
        else:
            self.send(self.goodbye(1000))

    def goodbye_answered(self, code):
        """The server's closing frame came. To one of ours it must be the answer."""
        require(self.closing, lambda: f'{type(self).__name__} of version {self.version} was closed with {code}, {self.age():.1f} s old')
        require(code == (1000 if self.version in HYBI else 0), lambda: f'{code} answered the closing frame')
        self.answered = True

    def left_in_order(self):
        """TCP has ended, which it must do as it should: behind the answer, where there is one."""
        who = f'{type(self).__name__} of version {self.version}'
        require(self.closing, lambda: f'{who} was dropped, {self.age():.1f} s old')
        require(self.answered or self.version == '75', lambda: f'the closing frame of {who} was not answered')
        require(not self.cut_off, lambda: f'{who} was cut off and not closed')
        self.counts['closed in order'] += 1
        self.finish()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.counts['killed'] += 1
        self.finish()

    def finish(self):
        if not self.over:
            self.over = True
            self.loop.forget(self)
            self.socket.close()

    def listen_again(self):
        self.deaf = False
        self.loop.watch(self)
        self.readable()

    def age(self):
        return time.monotonic() - self.born

    # What a kind of peer does.

    def open(self):
        """The handshake is done."""

    def got(self, kind, payload):
        if kind == 'ping':
            self.send(frame(0x8a, payload))
        elif kind == 'close':
            self.closed(int.from_bytes(payload[:2], 'big'))
        else:
            self.heard(payload)

    def heard(self, text):
        raise Wrong(f'an unexpected message: {text[:50]!r}')

    def closed(self, code):
        raise Wrong(f'{type(self).__name__} of version {self.version} was closed with {code}, {self.age():.1f} s old')

    def ended(self):
        raise Wrong(f'{type(self).__name__} of version {self.version} was dropped, {self.age():.1f} s old')


class Echoing(Peer):
    """Sends, checks every echo, rests, does so again, and leaves with the closing handshake: all must have come by then."""

    rounds = (1, 6)

    def open(self):
        self.rounds_left = random.randint(*self.rounds)
        self.number = 0
        self.expected = collections.deque()
        self.speak()

    def speak(self):
        for _ in range(random.choice((1, 1, 3, 10))):
            self.number += 1
            size = random.choice((0, 20, 100, 125, 126, 1000, 5000) if random.random() < 0.97 else (60_000, 66_000))
            text = b'%d ' % self.number + LETTERS[:size]
            self.expected.append(text)
            self.say(text)
        self.rounds_left -= 1

    def heard(self, text):
        require(self.expected and text == self.expected[0], lambda: f'{text[:30]!r} came, and not {self.expected and self.expected[0][:30]!r}')
        self.expected.popleft()
        self.counts['acknowledged'] += 1
        if not self.expected and not self.closing:
            self.loop.later(self, random.uniform(0, self.loop.rest))

    def due(self):
        require(not self.closing, lambda: f'{type(self).__name__} of version {self.version}: the closing handshake took too long')
        if self.rounds_left and not self.loop.stopping:
            self.speak()
            return
        if random.random() < 0.5:  # with messages right before it, which must be answered
            self.speak()
        self.say_goodbye()

    def all_came(self):
        require(not self.expected, lambda: f'{len(self.expected)} echoes of {self.number} did not come before the end')

    def closed(self, code):
        self.goodbye_answered(code)
        self.all_came()

    def ended(self):
        if self.closing:
            self.all_came()
        self.left_in_order()


class Killed(Echoing):
    """As above, but goes away without a word, wherever it happens to be."""

    def connected(self):
        super().connected()
        self.loop.later(self, random.choice((0, 0.001, 0.01, random.uniform(0, self.loop.rest))))

    def heard(self, text):
        require(self.expected and text == self.expected.popleft(), 'another message came')
        self.counts['acknowledged'] += 1

    def due(self):
        if random.random() < 0.7:
            self.reset()
        else:
            self.counts['killed'] += 1
            self.finish()


class Silent(Peer):
    """Half-open: opens and says nothing any more, not even pongs. It must be dropped in time."""

    def open(self):
        self.loop.later(self, (PING + PONG if self.version in HYBI else IDLE) + SLACK)

    def got(self, kind, payload):
        pass

    def due(self):
        raise Wrong(f'a silent peer of version {self.version} is kept')

    def ended(self):
        require(self.age() > 2, f'a silent peer was dropped after {self.age():.1f} s')
        self.counts['half-open'] += 1
        self.finish()


class Unfinished(Peer):
    """Never finishes its head, or its TLS."""

    def connected(self):
        if self.secure:
            self.shaking, self.socket = False, self.bare_socket()
            self.send(b'\x16\x03\x01\x02\0\x01' if random.random() < 0.5 else b'')
        else:
            whole = head(self.version, self.path, self.compressed)
            self.send(whole[:random.randrange(len(whole) - 1 - (8 if self.version == '76' else 0))])
        self.loop.later(self, HANDSHAKE + CLOSE + SLACK)

    def bare_socket(self):
        return socket.socket(fileno=self.socket.detach())

    def take(self):
        self.input.clear()  # 408, perhaps, or an alert

    def due(self):
        raise Wrong('a peer that never finished its head is kept')

    def ended(self):
        require(self.age() > HANDSHAKE, lambda: f'a peer that was to finish its head was dropped after {self.age():.1f} s')
        self.counts['half-open'] += 1
        self.finish()


class Slow(Echoing):
    """Sends much and does not read for a while, then reads it all, slowly: what comes must be in order. It takes so long that the
    server may find it idle, and says so behind all that it has sent."""

    rounds = (1, 1)
    idle = False  # in the eyes of the server

    def prepare(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)

    def open(self):
        super().open()
        for _ in range(100):
            self.number += 1
            self.expected.append(b'%d ' % self.number + LETTERS[:4000])
            self.say(self.expected[-1])
        self.deaf = True
        self.loop.watch(self)
        self.loop.later(self, random.uniform(0.1, 1.5))
        self.counts['read late'] += 1

    def due(self):
        require(not self.idle, lambda: f'a slow reader of version {self.version} that was closed is kept')
        if self.deaf:
            self.listen_again()
        else:
            super().due()

    def closed(self, code):
        if self.closing:
            super().closed(code)
        else:
            require(code == (1001 if self.version in HYBI else 0) and self.age() > IDLE,
                    lambda: f'a slow reader was closed with {code}, {self.age():.1f} s old')
            self.idle = True
            self.all_came()
            self.send(self.goodbye(code))
            self.loop.later(self, CLOSE + SLACK)

    def ended(self):
        if self.closing and not self.idle:
            super().ended()
        else:
            require(self.age() > IDLE, lambda: f'a slow reader was dropped, {self.age():.1f} s old')
            self.finish()


class Never(Peer):
    """Sends and never reads. It must be dropped in time."""

    def prepare(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    def open(self):
        self.text = LETTERS[:8000]
        for _ in range(120):
            self.say(self.text)
        self.deaf = True
        self.loop.watch(self)
        self.loop.later(self, (PING + PONG if self.version in HYBI else IDLE) + CLOSE + SLACK)

    def got(self, kind, payload):
        pass

    def due(self):
        # A reset says so; an end in order would wait here behind all that is not read.
        raise Wrong(f'a peer of version {self.version} that read nothing for {self.age():.0f} s is kept')

    def ended(self):
        self.counts['never read'] += 1
        self.finish()


class Member(Peer):
    """Is in the room of its loop and checks that it misses nothing."""

    path = b'/room'

    def open(self):
        self.last, self.own = None, 0
        self.mine = b'%d-%d' % (id(self), random.getrandbits(30))
        self.leaves = time.monotonic() + random.uniform(1, 6 * self.loop.rest)
        self.loop.later(self, random.uniform(0, 2))

    def due(self):
        require(not self.closing, 'the closing handshake of a member of a room took too long')
        if time.monotonic() > self.leaves or self.loop.stopping:
            self.say_goodbye()
            return
        self.own += 1
        self.say(self.mine + b' %d' % self.own + LETTERS[:random.choice((10, 300))])
        self.loop.later(self, random.uniform(2, 6))

    def heard(self, text):
        number, said = text.split(b' ', 1)
        require(self.last is None or int(number) == self.last + 1, lambda: f'number {int(number)} of the room came behind {self.last}')
        self.last = int(number)
        self.counts['broadcast'] += 1
        if said.startswith(self.mine):
            require(said.startswith(self.mine + b' '), 'another message came')
            self.counts['acknowledged'] += 1
            self.own -= 1

    def closed(self, code):
        self.goodbye_answered(code)

    def ended(self):
        require(not self.closing or self.own == 0, f'{self.own} messages of a member did not come back')
        self.left_in_order()


class Breaking(Peer):
    """Breaks the protocol and must be told why, where there are words for it, and be let go of."""

    def open(self):
        self.code, breach = random.choice(((1002, frame(0x83, b'x')), (1002, frame(0x80)), (1007, frame(0x81, b'\xff')),
                                           (1002, b'\x81\x05hello'), (1002, frame(0x89, b'x' * 200))))
        self.send(breach if self.version in HYBI else b'\x80' + b'\xff' * 50)
        self.loop.later(self, CLOSE + SLACK)

    def got(self, kind, payload):
        require(kind == 'close' and self.version in HYBI, f'a {kind} came where version {self.version} was broken')
        require(not self.answered, 'a second closing frame came')
        code = int.from_bytes(payload[:2], 'big')
        require(code == self.code, lambda: f'closed with {code} instead of {self.code}')
        self.answered = True
        if random.random() < 0.5:
            self.send(self.goodbye(code))

    def due(self):
        raise Wrong('one who broke the protocol is kept')

    def ended(self):
        require(self.answered or self.version not in HYBI, lambda: f'one who broke version {self.version} was not told why')
        self.counts['broke the protocol'] += 1
        self.finish()


KINDS, WEIGHTS = zip((Echoing, 50), (Killed, 22), (Silent, 4), (Unfinished, 5), (Slow, 4), (Never, 1), (Member, 4), (Breaking, 6))
