"""What the attacks share: the server under attack, raw TCP peers, and frames made by hand."""

import contextlib
import os
import re
import select
import socket
import struct
import subprocess
import time

# What the server speaks; `run --url` narrows these down in place.
VERSIONS = ['75', '76', '7', '8', '13']
HYBI = ['7', '8', '13']
HIXIE = ['75', '76']
# As in server.cpp.
LIMITS = {'head_size': 8192, 'header_count': 50, 'message_size': 65536, 'fragments': 100}
HANDSHAKE_DEADLINE = 1.0
CLOSE_DEADLINE = 0.5
# With sanitizers all costs more.
SANITIZED = bool(os.environ.get('WSIO_SANITIZED'))
SLOWER = 5 if SANITIZED else 1
LARGER = 2 if SANITIZED else 1
PING, PONG, IDLE = 0.4, 0.4, 1.0  # of the paths /pinged and /idle
# How the attacks judge. Another server than ours may drop where ours says why, and all its cases are tried.
JUDGE = {'ours': True, 'path': '/echo', 'timeout': 5, 'seconds': 30, 'begin': 0, 'cases': 0, 'differences': []}


class Failure(Exception):
    pass


class TooMuch(Failure):
    """It took too much or too long: a busy machine does that as well, but hardly twice in a row."""


class TooLong(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failure(what() if callable(what) else what)


@contextlib.contextmanager
def case():
    """One of many cases of an attack: ours must pass each, of another server those that differ are collected."""
    JUDGE['cases'] += 1
    try:
        yield
    except (Failure, OSError) as error:
        if JUDGE['ours']:
            raise
        JUDGE['differences'].append(str(error))
    if not JUDGE['ours'] and time.monotonic() - JUDGE['begin'] > JUDGE['seconds']:
        raise TooLong


def needs(*what, **bounds):
    """Says what an attack needs that not every server has, and what it may cost, if that is not what others may (see `run`): "cpu",
    "bystander", "heap", "memory".

    "ours": the paths and ports of server.cpp; "message size": a limit that is known; "13": that version; "no sanitizer": that none
    keeps what was freed.
    """
    def mark(attack):
        attack.needs, attack.bounds = set(what), bounds
        return attack
    return mark


def wait_until(probe, what, seconds=5):
    end = time.monotonic() + SLOWER * seconds
    while not probe():
        expect(time.monotonic() < end, f'timed out waiting for {what() if callable(what) else what}')
        time.sleep(0.01)


def kept_waiting(*pids):
    """Seconds that the main threads of some processes were ready to run and were not let: what a busy machine takes from both.
    Nothing where the kernel does not count it."""
    waited = 0
    for pid in pids:
        try:
            with open(f'/proc/{pid}/schedstat', encoding='ascii') as file:
                waited += int(file.read().split()[1]) / 1e9
        except FileNotFoundError:
            return 0
    return waited


class Stopwatch:
    def __init__(self, server):
        self.pids = os.getpid(), server.pid
        self.waited, self.begin = kept_waiting(*self.pids), time.monotonic()

    def passed(self):
        return time.monotonic() - self.begin

    def kept(self):
        """What the machine has kept us and the server waiting of that."""
        return kept_waiting(*self.pids) - self.waited

    def expect(self, least, most, what):
        """So many seconds must have passed; what the machine has kept us waiting is not counted against `most`."""
        passed, kept = self.passed(), self.kept()
        expect(passed >= least, f'{what} after {passed:.2f} s, before {least:.2f} s had passed')
        if passed - kept > SLOWER * most:
            raise TooMuch(f'{what} only after {passed:.2f} s ({kept:.2f} of which are not its fault), not {most:.2f}')


class Target:
    """A server somewhere, and what the system tells about it if it has a pid here."""

    def __init__(self, host, port, pid=None):
        self.host, self.port, self.pid = host, port, pid

    def rss(self):
        """Resident memory, in bytes."""
        with open(f'/proc/{self.pid}/statm', encoding='ascii') as file:
            return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')

    def most_rss(self, begin=False):
        """The most memory that was resident since it was asked to begin, in bytes; ever, where the kernel cannot begin anew."""
        if begin:
            with contextlib.suppress(OSError), open(f'/proc/{self.pid}/clear_refs', 'w', encoding='ascii') as file:
                file.write('5')
        with open(f'/proc/{self.pid}/status', encoding='ascii') as file:
            return int(re.search(r'VmHWM:\s*(\d+) kB', file.read())[1]) * 1024

    def cpu(self):
        """Processor time used so far, in seconds."""
        with open(f'/proc/{self.pid}/stat', encoding='ascii') as file:
            fields = file.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.pid}/fd'))

    def alive(self):
        if self.pid:
            return os.path.exists(f'/proc/{self.pid}') and self.state() not in 'ZX'
        try:
            Peer(self).close()
            return True
        except OSError:
            return False

    def state(self):
        with open(f'/proc/{self.pid}/stat', encoding='ascii') as file:
            return file.read().rsplit(')', 1)[1].split()[0]


class Server(Target):
    """Our server, as a process of its own."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
        lines = ''.join(self.process.stdout.readline() for _ in range(4))
        found = re.search(r'listens on .*:(\d+)\nTLS on .*:(\d+)\nPROXY headers on .*:(\d+)\nnot from us on .*:(\d+)\n', lines)
        expect(found, lambda: f'the server did not start: {lines} {self.process.stderr.read()}')
        super().__init__('127.0.0.1', int(found[1]), self.process.pid)
        self.tls_port, self.proxied_port, self.distrusting_port = int(found[2]), int(found[3]), int(found[4])

    def asked(self, path):
        with Peer(self) as peer:
            return body(peer.send(b'GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' % path).read_all()).decode()

    def open_websockets(self):
        return int(self.asked(b'/open'))

    def heap(self):
        """Bytes of the heap that are in use now, and the most since this was asked before."""
        now, most = self.asked(b'/heap').split()
        return int(now), int(most)

    def alive(self):
        return self.process.poll() is None

    def stop(self, grace=10):
        """Ends the server as Ctrl-C does; gives its exit code and what it wrote to standard error."""
        if self.alive():
            self.process.send_signal(2)
        try:
            _, error = self.process.communicate(timeout=grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, error = self.process.communicate()
        return self.process.returncode, error


class Peer:
    """One TCP connection of which every byte is under control."""

    def __init__(self, server, receive_buffer=None, timeout=None, port=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout or JUDGE['timeout'])
        self.socket.connect((server.host, port or server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        """Sends all; what the server does not take any more, because it has closed, is nobody's business."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def send_some(self, data, patience=0.3):
        """Sends until the server takes nothing for a while or closes; gives how much it took."""
        view, sent = memoryview(data), 0
        while sent < len(data):
            if not select.select([], [self.socket], [], patience)[1]:
                break
            try:
                sent += self.socket.send(view[sent:sent + 65536])
            except (BrokenPipeError, ConnectionResetError):
                break
        return sent

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b''
        except TimeoutError:
            raise Failure(f'nothing came within {self.socket.gettimeout()} s, behind {self.pending[:200]!r}') from None
        self.pending += data
        return data

    def has_ended(self, patience=0):
        """Tells whether the server ends the connection, without a word, within a time."""
        return bool(select.select([self.socket], [], [], patience)[0]) and not self._more()

    def _take(self, size):
        taken, self.pending = self.pending[:size], self.pending[size:]
        return taken

    def read(self, size):
        while len(self.pending) < size:
            expect(self._more(), lambda: f'the end came instead of {size} bytes, behind {self.pending[:200]!r}')
        return self._take(size)

    def read_to(self, mark):
        while mark not in self.pending:
            expect(self._more(), lambda: f'the end came instead of {mark!r}, behind {self.pending[:200]!r}')
        return self._take(self.pending.index(mark) + len(mark))

    def read_all(self):
        while self._more():
            pass
        self.close()
        return self._take(len(self.pending))

    def read_frame(self):
        """Gives opcode byte and payload of one hybi frame, or None at the end of the connection."""
        while not self.pending:
            if not self._more():
                return None
        first, size = self.read(2)
        expect(size < 128, 'the server masked a frame')
        if size >= 126:
            size = int.from_bytes(self.read(2 if size == 126 else 8), 'big')
        return first, self.read(size)

    def expect(self, data):
        got = self.read(len(data))
        expect(got == data, lambda: f'got {got[:200]!r}, not {data[:200]!r}')
        return self

    def expect_close(self, *codes):
        """The next frame closes, with one of the codes; then comes the end of TCP. Others than ours may say something before."""
        while True:
            got = self.read_frame()
            if got is None and not JUDGE['ours']:
                return  # RFC 6455 7.1.7: a closing frame should be sent, but need not
            expect(got, f'the connection was dropped, not closed with {codes}')
            if got[0] == 0x88:
                break
            expect(not JUDGE['ours'], lambda: f'got {got[0]:#x} {got[1][:200]!r} instead of being closed with {codes}')
        code = int.from_bytes(got[1][:2], 'big') if got[1] else None
        expect(code in codes, f'closed with {code} ({got[1][2:]!r}), not {codes}')
        self.expect_nothing_more()

    def expect_drop(self):
        """The connection must end without another byte."""
        got = self.read_all()
        expect(got == b'', lambda: f'got {got[:200]!r} instead of the end')

    def expect_refusal(self):
        """At most one answer, which must not let anything in, then the end: what can be asked of every server."""
        answer = self.read_all()
        expect(not answer or status(answer) in range(400, 600), lambda: f'answered {answer[:200]!r}')
        expect(len(re.findall(rb'HTTP/1\.1 \d{3} ', answer)) <= 1, lambda: f'answered twice: {answer[:600]!r}')
        return answer

    def expect_nothing_more(self):
        """The connection ends without another byte. How long others wait for our half of the end is not what is asked."""
        if JUDGE['ours']:
            self.expect_drop()
        else:
            expect(not self.pending and (not select.select([self.socket], [], [], 0.1)[0] or not self._more()),
                   lambda: f'got {self.pending[:200]!r} behind the closing frame')

    def expect_status(self, *statuses):
        """One refusal with a body that says why, nothing behind it, then the end."""
        if not JUDGE['ours']:
            return self.expect_refusal()
        answer = self.read_all()
        expect(status(answer) in statuses, lambda: f'answered {answer[:200]!r}, not {statuses}')
        text = body(answer)
        length = re.search(rb'\r\nContent-Length: (\d+)\r\n', answer)
        expect(length and int(length[1]) == len(text), lambda: f'the length of {answer!r} is wrong')
        expect(len(text) > 5 and text.count(b'\n') <= 1, lambda: f'{text!r} is not one line that says why')
        expect(re.search(rb'\r\nConnection: close(, Upgrade)?\r\n', answer), lambda: f'{answer!r} does not say that it closes')
        return answer

    def finish(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


def status(response):
    found = re.match(rb'HTTP/1\.1 (\d{3}) ', response)
    return int(found[1]) if found else None


def body(response):
    return response.partition(b'\r\n\r\n')[2]


KEY1, KEY2, KEY3 = b'4 @1  46546xW%0l 1 5', b'12998 5 Y3 1  .P00', b'^n:ds[4U'
PROOF = {'76': b'8jKS\'y:G*Co,Wxa-', '75': b'', '7': b'', '8': b'', '13': b''}


def head(version, path=None, lines=b'', key1=KEY1, key2=KEY2, host=b'127.0.0.1', origin=b'http://127.0.0.1'):
    """A handshake without the key3 of 76. `lines` are further header lines."""
    begin = b'GET %s HTTP/1.1\r\nHost: %s\r\n' % ((path or JUDGE['path']).encode(), host) + lines
    if version in HYBI:
        return begin + (b'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
                        b'Sec-WebSocket-Version: %s\r\n\r\n' % version.encode())
    begin += b'Upgrade: WebSocket\r\nConnection: Upgrade\r\nOrigin: %s\r\n' % origin
    if version == '76':
        begin += b'Sec-WebSocket-Key1: %s\r\nSec-WebSocket-Key2: %s\r\n' % (key1, key2)
    return begin + b'\r\n'


def handshake(version, path=None, **options):
    return head(version, path, **options) + (KEY3 if version == '76' else b'')


def connect(server, version, path=None, lines=b'', **options):
    peer = Peer(server, **options)
    peer.send(handshake(version, path, lines=lines))
    answer_head = peer.read_to(b'\r\n\r\n')
    expect(status(answer_head) == 101, lambda: f'not let in: {answer_head!r}')
    peer.expect(PROOF[version])
    return peer


def frame(first, payload=b'', mask=b'\0\0\0\0', length=None, size_of_length=None):
    """A client's frame. `length` may lie, and `size_of_length` (0, 2 or 8) choose a longer form than needed."""
    if length is None:
        length = len(payload)
    if size_of_length is None:
        size_of_length = 0 if length < 126 else 2 if length < 65536 else 8
    bit = 0 if mask is None else 0x80
    if size_of_length == 0:
        start = bytes((first, bit | length))
    else:
        start = bytes((first, bit | (126 if size_of_length == 2 else 127))) + length.to_bytes(size_of_length, 'big')
    if mask and any(mask):
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return start + (mask or b'') + payload


def close_frame(code, reason=b''):
    return frame(0x88, code.to_bytes(2, 'big') + reason)


def message(version, text):
    """A text message as a client sends it."""
    return frame(0x81, text) if version in HYBI else b'\0' + text + b'\xff'


def answer(version, text):
    """A text message as the server sends it."""
    return frame(0x81, text, mask=None) if version in HYBI else b'\0' + text + b'\xff'
