"""One TCP connection to the server under test, from the handshake to the end of TCP."""

import base64
import hashlib
import os
import select
import shlex
import socket
import subprocess
import time
from typing import NamedTuple
from urllib.parse import urlsplit

import frames

PATIENCE = 20  # seconds; for everything that has no limit of its own
# For what our own server and client do at once: far less than their own timeout of a closing handshake, which ends what hangs.
PROMPT = 3 * (5 if os.environ.get('WSIO_SANITIZED') else 1)
HYBI = ('13', '8', '7')
HIXIE = ('76', '75')


class Failure(Exception):
    """The server did something that it must not do."""


class NonStrict(Exception):
    """The server did something that is allowed, and less than the best: it said no code, or noticed late."""


def expect(condition, what):
    if not condition:
        raise Failure(what() if callable(what) else what)


def short(data):
    return repr(bytes(data[:60])) + (f'… ({len(data)} octets)' if len(data) > 60 else '')


class Target(NamedTuple):
    """Where the server is, and what is known of it."""
    host: str
    port: int
    path: str = '/'
    ours: bool = False  # whether it is the one of server.cpp, which has more to offer than an echo, or the client of client.cpp
    client: str = ''  # for a client under test: the command that runs it
    soon: float = PATIENCE  # seconds; for an answer to a closing frame or a violation, and for the end of TCP behind it
    messages: int = 1000  # how many a case of groups 12 and 13 sends
    large_messages: int = 1000  # how many, if they are of 16384 octets and more

    @classmethod
    def parse(cls, url):
        parts = urlsplit(url)
        if parts.scheme != 'ws' or not parts.hostname:
            raise ValueError(f'{url!r} is no URL such as ws://127.0.0.1:3000/')
        return cls(parts.hostname, parts.port or 80, (parts.path or '/') + (f'?{parts.query}' if parts.query else ''))

    @property
    def authority(self):
        return f'{self.host}:{self.port}'

    def messages_of(self, size):
        return min(self.messages, self.large_messages) if size >= 16384 else self.messages


class Peer:
    key = frames.MASKING_KEY  # of the frames that are sent
    keys = None  # of those that come, when they are a client's

    def __init__(self, target):
        self.target = target
        self.soon = target.soon
        self.socket = self._connect()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.input = bytearray()
        self.end = None  # 'end' or 'reset', when TCP has ended
        self.inflate = None  # gives what a frame with RSV1 holds, when compression was agreed on
        self.message = None  # opcode, RSV1 and parts of the message that is coming in

    def _connect(self):
        return socket.create_connection((self.target.host, self.target.port), PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _read(self, seconds):
        """Waits for more; tells whether the connection goes on and something has come."""
        if self.end or not select.select([self.socket], [], [], max(seconds, 0))[0]:
            return False
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            self.end = 'reset'
            return False
        if not data:
            self.end = 'end'
        self.input += data
        return bool(data)

    def send(self, data, chop=None):
        """Sends in pieces of `chop` octets, and reads meanwhile. What a server that has ended no longer takes is no matter."""
        view = memoryview(data)
        at, size = 0, chop or 1 << 20
        try:
            while at < len(view):
                stop = at + size
                while at < min(stop, len(view)):
                    try:
                        at += self.socket.send(view[at:stop])
                    except BlockingIOError:
                        readable, writable, _ = select.select([] if self.end else [self.socket], [self.socket], [], PATIENCE)
                        expect(readable or writable, lambda: f'the server took nothing for {PATIENCE} s')
                        if readable:
                            self._read(0)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def encode(self, some):
        return b''.join(frame.encode(self.key) for frame in some)

    def send_frames(self, some, way=frames.WHOLE):
        if way == frames.FRAMES:
            for each in some:
                self.send(self.encode([each]))
                time.sleep(0.002)  # so that it leaves alone
        else:
            self.send(self.encode(some), None if way == frames.WHOLE else way)

    def finish(self):
        """Ends the sending half."""
        self.socket.shutdown(socket.SHUT_WR)

    # Octets.

    def read(self, size, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while len(self.input) < size:
            more = self._read(deadline - time.monotonic())
            expect(more or not self.end, lambda: f'TCP ended ({self.end}) behind {short(self.input)} instead of {size} octets')
            expect(more or time.monotonic() < deadline, lambda: f'{short(self.input)} came within {seconds} s instead of {size} octets')
        taken = bytes(memoryview(self.input)[:size])
        del self.input[:size]
        return taken

    def read_to(self, mark, seconds=PATIENCE):
        deadline, seen = time.monotonic() + seconds, 0
        while (at := self.input.find(mark, seen)) < 0:
            seen = max(len(self.input) - len(mark) + 1, 0)
            more = self._read(deadline - time.monotonic())
            expect(more or not self.end, lambda: f'TCP ended ({self.end}) behind {short(self.input)} instead of {mark!r}')
            expect(more or time.monotonic() < deadline, lambda: f'no {mark!r} within {seconds} s, but {short(self.input)}')
        return self.read(at + len(mark))

    def expect_octets(self, data, seconds=PATIENCE):
        """These must come next. The first that differs is told at once."""
        deadline, checked = time.monotonic() + seconds, 0
        while checked < len(data):
            stop = min(len(self.input), len(data))
            expect(self.input[checked:stop] == data[checked:stop], lambda: f'got {short(self.input)} instead of {short(data)}')
            checked = stop
            if checked < len(data):
                more = self._read(deadline - time.monotonic())
                expect(more or not self.end, lambda: f'TCP ended ({self.end}) behind {short(self.input)} instead of {short(data)}')
                expect(more or time.monotonic() < deadline, lambda: f'{short(self.input)} came within {seconds} s instead of {short(data)}')
        del self.input[:len(data)]

    def expect_silence(self, seconds):
        """Nothing may come, nor may the connection end."""
        deadline = time.monotonic() + seconds
        while not self.input and not self.end and (left := deadline - time.monotonic()) > 0:
            self._read(left)
        expect(not self.input, lambda: f'got {short(self.input)} too early')
        expect(not self.end, 'the server ended the connection too early')

    def expect_end(self, failed=False):
        """TCP ends soon and in order, and not another octet comes. A server ends it whether the connection has `failed` or not."""
        deadline = time.monotonic() + self.soon
        while not self.end and (left := deadline - time.monotonic()) > 0:
            self._read(left)
        expect(not self.input, lambda: f'got {short(self.input)} instead of the end')
        expect(self.end, lambda: f'the server did not end TCP within {self.soon} s')
        if self.end == 'reset':
            raise NonStrict('TCP was reset')

    # Frames.

    def event(self, seconds=PATIENCE):
        """Gives the next of ('text' | 'binary' | 'pong', payload), ('close', code or None) and (how TCP ended, None), or None
        when the time is over. Pings are answered."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                frame = frames.parse(self.input, self.keys)
            except ValueError as error:
                raise Failure(str(error)) from None
            if frame:
                if found := self._take(frame):
                    return found
            elif self.end:
                expect(not self.input, lambda: f'TCP ended within a frame, behind {short(self.input)}')
                return self.end, None
            elif not self._read(deadline - time.monotonic()) and not self.end and time.monotonic() >= deadline:
                return None

    def _take(self, frame):
        first = frame.opcode in (frames.TEXT, frames.BINARY)
        expect(frame.rsv == 0 or (frame.rsv == 4 and first and self.inflate), lambda: f'the server set reserved bits: {frame}')
        if frame.opcode == frames.PING:
            self.send_frames([frames.pong(frame.payload)])
            return None
        if frame.opcode == frames.CLOSE:
            return 'close', self._close_code(frame.payload)
        if frame.opcode == frames.PONG:
            return 'pong', frame.payload
        expect(first == (self.message is None), 'the server sent fragments out of order')
        if first:
            self.message = frame.opcode, frame.rsv == 4, []
        self.message[2].append(frame.payload)
        if not frame.fin:
            return None
        (opcode, compressed, parts), self.message = self.message, None
        payload = parts[0] if len(parts) == 1 else b''.join(parts)
        if compressed:
            payload = self.inflate(payload)
        return frames.NAMES[opcode], payload

    @staticmethod
    def _close_code(payload):
        if not payload:
            return None
        expect(len(payload) > 1, 'the server closed with half a code')
        try:
            payload[2:].decode()
        except UnicodeDecodeError:
            raise Failure(f'the server gave the reason {payload[2:]!r}, which is not UTF-8') from None
        return int.from_bytes(payload[:2], 'big')


def accept_value(key):
    """RFC 6455 4.2.2 5.4."""
    return base64.b64encode(hashlib.sha1(key + b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11', usedforsecurity=False).digest())


def response_of(data):
    """Splits a response head into its first line and its fields, with names in lower case, in order."""
    start, *lines = data.removesuffix(b'\r\n\r\n').split(b'\r\n')
    fields = []
    for line in lines:
        name, colon, value = line.partition(b': ')
        expect(colon and name, lambda: f'{line!r} is no header field')
        fields.append((name.lower(), value))
    return start, fields


def open_hybi(target, version, extensions=None):
    """Connects in version 7, 8 or 13; gives the peer and the extensions that the server agreed to. A client under test connects by
    itself."""
    if target.client:
        return open_client(target, version)[0], ''
    peer = Peer(target)
    key = base64.b64encode(os.urandom(16))
    lines = [f'GET {target.path} HTTP/1.1', f'Host: {target.authority}', 'Upgrade: websocket', 'Connection: Upgrade',
             f'Sec-WebSocket-Key: {key.decode()}', f'Sec-WebSocket-Version: {version}']
    if extensions:
        lines.append(f'Sec-WebSocket-Extensions: {extensions}')
    peer.send('\r\n'.join([*lines, '', '']).encode())
    start, fields = response_of(peer.read_to(b'\r\n\r\n'))
    expect(start.startswith(b'HTTP/1.1 101 '), lambda: f'the handshake was answered with {start!r}')
    agreed = {}
    for name, value in fields:
        expect(name not in agreed, lambda: f'the response has two fields {name!r}')
        agreed[name] = value
    expect(agreed.get(b'upgrade', b'').lower() == b'websocket', 'the Upgrade field of the response is wrong')
    expect(agreed.get(b'connection', b'').lower() == b'upgrade', 'the Connection field of the response is wrong')
    expect(agreed.get(b'sec-websocket-accept') == accept_value(key), 'the Sec-WebSocket-Accept field of the response is wrong')
    expect(b'sec-websocket-protocol' not in agreed, 'the server chose a subprotocol that nobody asked for')
    return peer, agreed.get(b'sec-websocket-extensions', b'').decode()


class ClientPeer(Peer):
    """The server's end, with a client under test at the other: a program of its own for each connection."""
    key = None

    def __init__(self, target, version):
        self.keys = []
        self.version = version
        super().__init__(target)

    def _connect(self):
        with socket.create_server(('127.0.0.1', 0)) as listener:
            listener.settimeout(PATIENCE)
            self.authority = f'127.0.0.1:{listener.getsockname()[1]}'
            command = [*shlex.split(self.target.client), f'ws://{self.authority}/', self.version]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                return listener.accept()[0]
            except TimeoutError:
                self.process.kill()
                raise Failure(f'the client did not connect: {self.process.communicate()}') from None

    def __exit__(self, *why):
        super().__exit__(*why)
        try:
            _, error = self.process.communicate(timeout=self.soon)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure('the client did not end') from None
        if not any(why):  # what else is wrong comes first
            first = self.keys[:20]
            expect(self.process.returncode == 0, lambda: f'the client ended with {self.process.returncode}: {error}')
            expect(len(set(first)) == len(first), 'the client used a masking key twice')

    def expect_end(self, failed=False):
        """The server ends TCP first (RFC 6455 7.1.1), unless the client has failed the connection."""
        if not failed:
            self._read(0.02)
            if self.end:
                raise NonStrict('the client ended TCP before the server')
            self.finish()
        super().expect_end()


def open_client(target, version, extensions=None):
    """Lets the client connect, and checks its request; gives the peer and the extensions that the client offered. They are answered with
    `extensions`, and declined without."""
    peer = ClientPeer(target, version)
    start, fields = response_of(peer.read_to(b'\r\n\r\n'))
    expect(start == b'GET / HTTP/1.1', lambda: f'the client asks with {start!r}')
    request = dict(fields)
    expect(len(request) == len(fields), 'the client sent a field twice')
    for name, value in (b'host', peer.authority.encode()), (b'sec-websocket-version', version.encode()):
        expect(request.get(name) == value, lambda: f'the client sent {name!r} as {request.get(name)!r} instead of {value!r}')
    for name, value in (b'upgrade', b'websocket'), (b'connection', b'upgrade'):
        expect(request.get(name, b'').lower() == value, lambda: f'the client sent {name!r} as {request.get(name)!r} instead of {value!r}')
    key = request.get(b'sec-websocket-key', b'')
    expect(len(base64.b64decode(key, validate=True)) == 16, lambda: f'the key of the client is {key!r}')
    peer.send(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: '
              + accept_value(key) + (f'\r\nSec-WebSocket-Extensions: {extensions}' if extensions else '').encode() + b'\r\n\r\n')
    return peer, request.get(b'sec-websocket-extensions', b'').decode()
