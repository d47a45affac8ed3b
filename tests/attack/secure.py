"""Attacks on TLS: what happens before, within and behind its handshake."""

import hashlib
import hmac
import os
import ssl
import tempfile
import time

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tools import HANDSHAKE_DEADLINE, Failure, Peer, TooMuch, answer, expect, handshake, message, needs, status, wait_until


def client_context():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


class SecurePeer(Peer):
    """A TLS connection of which every record is under control."""

    def __init__(self, server, context=None):
        super().__init__(server, port=server.tls_port)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = (context or client_context()).wrap_bio(self.incoming, self.outgoing, server_hostname='localhost')

    def take(self):
        data = self.socket.recv(65536)
        expect(data, 'the server ended the connection')
        self.incoming.write(data)

    def shake_hands(self):
        while True:
            try:
                self.tls.do_handshake()
                return self.flush()
            except ssl.SSLWantReadError:
                self.flush()
                self.take()

    def flush(self):
        self.send(self.outgoing.read())
        return self

    def write(self, text):
        self.tls.write(text)
        return self.flush()

    def read_text(self, enough):
        text = b''
        while not enough(text):
            try:
                text += self.tls.read(65536)
            except ssl.SSLWantReadError:
                self.take()
        return text


def hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        client_context().wrap_bio(incoming, outgoing, server_hostname='localhost').do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError('a handshake without a server')


def ends_with_the_deadline(peer, begin):
    """The server ends the connection when its time is over, not before and not much later."""
    while True:
        try:
            if not peer.socket.recv(65536):
                break
        except ConnectionResetError:
            break
    took = time.monotonic() - begin
    expect(took > 0.8 * HANDSHAKE_DEADLINE, f'took {took:.1f} s')
    if took > HANDSHAKE_DEADLINE + 1:
        raise TooMuch(f'took {took:.1f} s')


def handshakes_that_stall_end_with_the_absolute_deadline(server):
    whole = hello()
    for part in (b'', whole[:1], whole[:5], whole[:-1], whole):
        with Peer(server, port=server.tls_port) as peer:
            begin = time.monotonic()
            peer.send(part)
            ends_with_the_deadline(peer, begin)


def handshakes_that_trickle_end_with_the_absolute_deadline(server):
    with Peer(server, port=server.tls_port) as peer:
        begin = time.monotonic()
        for byte in hello():
            peer.send(bytes((byte,)))
            time.sleep(0.02)
            if time.monotonic() - begin > HANDSHAKE_DEADLINE + 0.3:
                break
        ends_with_the_deadline(peer, begin)


def a_stall_behind_the_handshake_ends_with_the_same_deadline(server):
    context = client_context()  # which takes a while itself
    begin = time.monotonic()
    with SecurePeer(server, context) as peer:
        time.sleep(HANDSHAKE_DEADLINE / 4)
        peer.shake_hands()
        ends_with_the_deadline(peer, begin)


@needs('ours', bystander=0.5, heap=16)  # the answers to 200 of them are signed in one turn
def many_handshakes_at_once_cost_little(server):
    whole = hello()
    begin = time.monotonic()
    peers = [Peer(server, port=server.tls_port) for _ in range(200)]
    for peer in peers:
        peer.send(whole)
    for peer in peers:
        ends_with_the_deadline(peer, begin)
        peer.close()


def garbage_in_place_of_a_handshake_is_dropped(server):
    whole = hello()
    for garbage in (b'\0' * 100, os.urandom(1 << 16), b'\x16\x03\x01\xff\xff' + b'x' * 70000, b'\x16\x03\x01\x00\x00' * 1000,
                    b'\x15\x03\x01\x00\x02\x01\x00' * 1000, b'\x17\x03\x03\x00\x10' + b'x' * 16, b'\x14\x03\x03\x00\x01\x01' * 100,
                    whole[:50] + os.urandom(len(whole)), whole + whole, whole + b'\x17\x03\x03\x00\x20' + b'x' * 32,
                    b'SSH-2.0-OpenSSH_9.2\r\n', b'\x80\x2e\x01\x00\x02' + b'x' * 43):
        with Peer(server, port=server.tls_port) as peer:
            peer.send(garbage)
            peer.finish()
            begin = time.monotonic()
            got = peer.read_all()
            expect(not got.startswith(b'HTTP'), lambda: f'{garbage[:20]!r} was answered {got[:50]!r}')
            expect(time.monotonic() - begin < HANDSHAKE_DEADLINE + 1, f'{garbage[:20]!r} was kept')


def plain_http_gets_a_plain_answer(server):
    for request in (b'GET / HTTP/1.1\r\nHost: a\r\n\r\n', handshake('13'), b'POST / HTTP/1.1\r\n\r\n' + b'x' * 100_000):
        with Peer(server, port=server.tls_port) as peer:
            peer.send_some(request)
            peer.expect_status(400)


def altered_records_end_the_connection(server):
    with SecurePeer(server) as peer:
        peer.shake_hands().write(handshake('13')).read_text(lambda text: b'\r\n\r\n' in text)
        peer.tls.write(message('13', b'secret'))
        record = bytearray(peer.outgoing.read())
        record[-1] ^= 1
        peer.send(bytes(record))
        got = peer.read_all()
        expect(b'secret' not in got and len(got) < 40, lambda: f'answered {got!r}')


def expand(secret, label, size):
    """HKDF-Expand-Label of RFC 8446 7.1, for what fits into one block of SHA-384."""
    label = b'tls13 ' + label
    info = size.to_bytes(2, 'big') + bytes((len(label),)) + label + b'\0'
    return hmac.digest(secret, info + b'\1', hashlib.sha384)[:size]


def half_a_key_update_does_not_keep_the_server_busy(server):
    # A write has to wait for the other half. It must wait for the peer, not for a socket that is always ready for it.
    with tempfile.NamedTemporaryFile() as log:
        context = client_context()
        context.keylog_filename = log.name
        peer = SecurePeer(server, context).shake_hands()
        expect(peer.tls.cipher()[0] == 'TLS_AES_256_GCM_SHA384', peer.tls.cipher())
        secret = next(bytes.fromhex(line.split()[2]) for line in open(log.name, encoding='ascii')
                      if line.startswith('CLIENT_TRAFFIC_SECRET_0'))
    key, iv = expand(secret, b'key', 32), expand(secret, b'iv', 12)

    def handshake_record(content, number):
        size = len(content) + 1 + 16
        begin = b'\x17\x03\x03' + size.to_bytes(2, 'big')
        nonce = (int.from_bytes(iv, 'big') ^ number).to_bytes(12, 'big')
        return begin + AESGCM(key).encrypt(nonce, content + b'\x16', begin)

    with peer:
        got = peer.write(handshake('13')).read_text(lambda text: b'\r\n\r\n' in text)
        expect(status(got) == 101, lambda: f'not let in: {got!r}')
        peer.tls.write(message('13', b'hello'))
        # The second and third record of the client: a message, and the header of a key update.
        peer.send(peer.outgoing.read() + handshake_record(b'\x18\0\0\1', 2))
        time.sleep(0.2)
        before = server.cpu()
        time.sleep(0.5)
        used = server.cpu() - before
        expect(used < 0.2, f'the server used {used:.2f} s of 0.5 s')
        peer.send(handshake_record(b'\0', 3))
        expect(peer.read_text(lambda text: len(text) >= 7) == answer('13', b'hello'), 'the echo did not come')


def opened(server):
    peer = SecurePeer(server).shake_hands()
    got = peer.write(handshake('13')).read_text(lambda text: b'\r\n\r\n' in text)
    expect(status(got) == 101, lambda: f'not let in: {got!r}')
    return peer


def records_of_one_byte_are_put_together(server):
    with SecurePeer(server) as peer:
        peer.shake_hands()
        for byte in handshake('13') + message('13', b'slow'):
            peer.write(bytes((byte,)))
        got = peer.read_text(lambda text: text.endswith(answer('13', b'slow')))
        expect(status(got) == 101, lambda: f'not let in: {got!r}')
    with opened(server) as peer:  # and segments of one byte
        peer.tls.write(message('13', b'slower'))
        for byte in peer.outgoing.read():
            peer.send(bytes((byte,)))
        expect(peer.read_text(lambda text: len(text) >= 8) == answer('13', b'slower'), 'the echo did not come')


def a_reader_that_never_reads_is_held_back(server):
    with opened(server) as peer:
        text = message('13', b'x' * 16_000)
        taken = 0
        for _ in range(2000):
            peer.tls.write(text)
            data = peer.outgoing.read()
            sent = peer.send_some(data)
            taken += sent
            if sent < len(data):
                break
        expect(taken < 30_000_000, f'{taken} bytes were taken, though no answer was read')
        peer.reset()


def connections_that_vanish_within_tls_leave_nothing(server):
    whole = hello()
    before = server.descriptors()
    for i in range(200):
        peer = Peer(server, port=server.tls_port).send(whole[:i * 3 % len(whole)])
        peer.reset() if i % 2 else peer.close()
    for i in range(30):
        peer = opened(server)
        peer.tls.write(message('13', b'x' * 10_000) * 3)
        data = peer.outgoing.read()
        peer.send(data[:len(data) * i // 30])
        peer.reset() if i % 2 else peer.close()
    wait_until(lambda: server.descriptors() <= before, 'the server to let go of them', 3)


def an_end_of_tls_ends_the_connection(server):
    with opened(server) as peer:
        try:
            peer.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        begin = time.monotonic()
        peer.flush()
        peer.read_all()
        expect(time.monotonic() - begin < 1.5, 'an end of TLS was not answered')
    with opened(server) as peer:  # an end without one is an end, too
        peer.finish()
        peer.read_all()


def floods_of_requests_in_tls_are_held_back(server):
    with SecurePeer(server) as peer:
        peer.shake_hands()
        for _ in range(3000):
            peer.tls.write(b'GET /open HTTP/1.1\r\nHost: a\r\n\r\n' * 400)
            data = peer.outgoing.read()
            if peer.send_some(data) < len(data):
                break
        else:
            raise Failure('all requests were taken, though no answer was read')
        peer.reset()


def certificates_and_names_that_are_strange(server):
    for name in ('a' * 60, 'x.' * 60 + 'y', 'xn--nxasmq6b', '127.0.0.1'):
        context = client_context()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        with Peer(server, port=server.tls_port) as peer:
            try:
                context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
            except ssl.SSLWantReadError:
                pass
            peer.send(outgoing.read())
            expect(peer.read(1) in (b'\x16', b'\x15'), f'{name} got no TLS')
    for old in (b'\x03\x00', b'\x03\x01', b'\x03\x02'):  # SSL 3, TLS 1.0 and 1.1
        body = old + os.urandom(32) + b'\0' + b'\0\2\0\x2f' + b'\1\0'
        begin = b'\x01' + len(body).to_bytes(3, 'big') + body
        with Peer(server, port=server.tls_port) as peer:
            got = peer.send(b'\x16\x03\x01' + len(begin).to_bytes(2, 'big') + begin).read_all()
            expect(got[:1] in (b'\x15', b''), lambda: f'{old!r} was answered {got!r}')


ATTACKS = [handshakes_that_stall_end_with_the_absolute_deadline, handshakes_that_trickle_end_with_the_absolute_deadline,
           a_stall_behind_the_handshake_ends_with_the_same_deadline, many_handshakes_at_once_cost_little,
           garbage_in_place_of_a_handshake_is_dropped, plain_http_gets_a_plain_answer, altered_records_end_the_connection,
           half_a_key_update_does_not_keep_the_server_busy, records_of_one_byte_are_put_together, a_reader_that_never_reads_is_held_back,
           connections_that_vanish_within_tls_leave_nothing, an_end_of_tls_ends_the_connection, floods_of_requests_in_tls_are_held_back,
           certificates_and_names_that_are_strange]

for attack in ATTACKS:
    needs('ours', **getattr(attack, 'bounds', {}))(attack)
