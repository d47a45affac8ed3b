"""Attacks with bodies: two opinions about where a request ends, and bodies that never do."""

import re
import time

from tools import HANDSHAKE_DEADLINE, Peer, body, case, connect, expect, handshake, message, needs, status

GET = b'GET /who HTTP/1.1\r\nHost: a\r\n\r\n'
POST = b'POST /who HTTP/1.1\r\nHost: a\r\n'


def answers(server, data, finish=True, patience=None):
    """Gives the statuses of all answers until the server closes (it is told that nothing more comes)."""
    with Peer(server, timeout=patience) as peer:
        peer.send_some(data)
        if finish:
            peer.finish()
        text, result = peer.read_all(), []
        while text:
            head, _, rest = text.partition(b'\r\n\r\n')
            code, length = status(head + b'\r\n'), re.search(rb'\r\nContent-Length: (\d+)', head)
            if code != 101:
                expect(code and length and b'\r\nTransfer-Encoding' not in head, lambda: f'a strange answer: {head!r}')
            result.append(code)
            text = rest[int(length[1]):] if length else b''
        return result


def alone(server, request, *codes):
    """The request is refused, and what lies behind it is no second request."""
    with case():
        got = answers(server, request + GET * 3)
        expect(len(got) == 1 and got[0] in codes, lambda: f'{request[:200]!r} was answered {got}')


@needs('ours')
def two_lengths_are_refused(server):
    for lines in (b'Content-Length: 5\r\nContent-Length: 6\r\n', b'Content-Length: 5, 6\r\n', b'Content-Length: 5 5\r\n',
                  b'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', b'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n',
                  b'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', b'Transfer-Encoding: chunked, identity\r\n',
                  b'Transfer-Encoding: identity\r\n', b'Transfer-Encoding: gzip, chunked, gzip\r\n', b'Transfer-Encoding: \x0bchunked\r\n',
                  b'Transfer-Encoding: "chunked"\r\n', b'Transfer-Encoding: chunked;q=1\r\n', b'Transfer-Encoding:\r\n',
                  b'Transfer-Encoding : chunked\r\n', b'Transfer-Encoding\t: chunked\r\n', b'Transfer-Encoding\0: chunked\r\n',
                  b' Transfer-Encoding: chunked\r\n', b'X: a\r\n Transfer-Encoding: chunked\r\n', b'X: a\nTransfer-Encoding: chunked\r\n',
                  b'X: a\rTransfer-Encoding: chunked\r\n', b'Transfer_Encoding : chunked\r\n', b'Content-Length : 5\r\n',
                  b'Transfer-Encoding: chun\r\n ked\r\n', b'Transfer-Encoding: cow\r\n'):
        alone(server, POST + lines + b'\r\n0\r\n\r\n', 400, 501)


@needs('ours')
def lengths_that_are_no_numbers_are_refused(server):
    for length in (b'', b'-1', b'+1', b'0x1', b'1.0', b'1e1', b'\xb2', b'1_0', b'1 ', b"1'", b'1,', b'0 1', b'9' * 30, b'18446744073709551616',
                   b'18446744073709551617', b'4294967297', b'9223372036854775808', b'00000000000000000000000000000000001x'):
        if length.strip() != length and length.strip().isdigit():
            continue  # white space behind a value is none of it
        alone(server, POST + b'Content-Length: ' + length + b'\r\n\r\n', 400, 413)


@needs('ours')
def chunks_that_lie_are_refused(server):
    chunked = POST + b'Transfer-Encoding: chunked\r\n\r\n'
    for chunks in (b'-1\r\n', b'+1\r\nx\r\n0\r\n\r\n', b'0x1\r\nx\r\n0\r\n\r\n', b'ffffffffffffffff\r\n', b'10000000000000001\r\nx\r\n0\r\n\r\n',
                   b'g\r\n', b'\r\n\r\n', b'1\r\nxx\r\n0\r\n\r\n', b'1\r\nx0\r\n\r\n', b' 1\r\nx\r\n0\r\n\r\n', b'1\nx\n0\n\n',
                   b'100000\r\n', b'0' * 40 + b'g\r\n', b'1\r\nx\n\n0\r\n\r\n',
                   b'5;a="\nx"\r\nA\r\n21\r\n0\r\n\r\n'):
        alone(server, chunked + chunks, 400, 413)
    expect(answers(server, chunked + b'3\r\nabc\r\n0\r\n\r\n' + GET) == [200, 200], 'an honest body')


@needs('ours')
def chunks_that_never_end_are_refused(server):
    chunked = POST + b'Transfer-Encoding: chunked\r\n\r\n'
    for flood in (b'1\r\nx\r\n' * 300_000, b'1;' + b'x' * 1_000_000, b'1;a=b\r\nx\r\n' * 200_000, b'0\r\n' + b'X: y\r\n' * 200_000,
                  b'0\r\nX: ' + b'y' * 1_000_000, b'0' * 1_000_000):
        begin = time.monotonic()
        with Peer(server) as peer:
            peer.send_some(chunked + flood)
            peer.expect_status(400, 413, 431)
        expect(time.monotonic() - begin < 1.5, f'{flood[:20]!r} took {time.monotonic() - begin:.1f} s')


@needs('ours')
def pipelined_requests_that_nobody_reads_are_held_back(server):
    with Peer(server, receive_buffer=4096) as peer:
        data = GET * 1_500_000  # more than both kernels have room for
        taken = peer.send_some(data)
        expect(taken < len(data), f'{taken} bytes of requests were taken, though no answer was read')


@needs('ours')
def pipelined_requests_are_answered_in_turn(server):
    with Peer(server) as peer:
        peer.send(GET * 200)
        for _ in range(200):
            head = peer.read_to(b'\r\n\r\n')
            expect(status(head) == 200, lambda: f'answered {head!r}')
            peer.read(int(re.search(rb'Content-Length: (\d+)', head)[1]))
        peer.send(handshake('13') + message('13', b'in'))  # a handshake may follow requests
        expect(status(peer.read_to(b'\r\n\r\n')) == 101, 'no handshake behind requests')


@needs('ours')
def requests_that_expect_or_are_strange(server):
    for first in (b'POST /who HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n', b'GET * HTTP/1.1\r\nHost: a\r\n\r\n',
                  b'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n', b'GET who HTTP/1.1\r\nHost: a\r\n\r\n',
                  b'TRACE /who HTTP/1.1\r\nHost: a\r\nX: secret\r\n\r\n'):
        with Peer(server) as peer:
            peer.send(first)
            peer.finish()
            got = peer.read_all()
            expect(status(got) in (200, 400, 404, 405, 413, 417, 501) and b'secret' not in got, lambda: f'{first!r} was answered {got!r}')
    for target in (b'/who%00', b'/%2e%2e/who', b'//evil.example/who', b'http://evil.example/who', b'/who#x', b'/\xff', b'/who?' + b'%' * 500):
        with Peer(server) as peer:
            got = peer.send(b'GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' % target).read_all()
            expect(status(got) in (200, 400, 404, 421), lambda: f'{target!r} was answered {got!r}')


@needs('ours')
def idle_keep_alive_ends_with_the_deadline(server):
    with Peer(server) as peer:
        peer.send(GET)
        peer.read(len(peer.read_to(b'plain')) and 0)
        begin = time.monotonic()
        while not peer.has_ended(0.05):
            expect(time.monotonic() - begin < HANDSHAKE_DEADLINE + 1, 'an idle HTTP connection is kept')
    with Peer(server) as peer:  # a body that trickles
        begin = time.monotonic()
        peer.send(POST + b'Content-Length: 1000\r\n\r\n')
        while not peer.pending and not peer.has_ended(0.05):
            peer.send(b'x')
            expect(time.monotonic() - begin < HANDSHAKE_DEADLINE + 1, 'a body that trickles is waited for')
    with Peer(server) as peer:  # line feeds before a request
        begin = time.monotonic()
        while not peer.pending and not peer.has_ended(0.02):
            peer.send(b'\r\n')
            expect(time.monotonic() - begin < HANDSHAKE_DEADLINE + 1, 'empty lines are taken for a sign of life')


def upgrades_hide_nothing(server):
    """What follows an upgrade that was let in is frames and nothing else; what follows a refused one is nothing."""
    with case(), connect(server, '13') as peer:
        peer.send(GET * 3)  # 'G' is a final frame with RSV1 and opcode 7
        got = peer.read_all()
        expect(b'HTTP/' not in got, lambda: f'a request behind the upgrade was answered: {got!r}')
    for bad in (b'Sec-WebSocket-Version: 99', b'Sec-WebSocket-Version: 0'):
        with case(), Peer(server) as peer:
            peer.send(handshake('13').replace(b'Sec-WebSocket-Version: 13', bad) + handshake('13') + GET)
            got = peer.read_all() if peer.finish() is None else b''
            expect(got.count(b'HTTP/1.1 ') <= 1 and status(got) != 101, lambda: f'answered {got!r}')


ATTACKS = [two_lengths_are_refused, lengths_that_are_no_numbers_are_refused, chunks_that_lie_are_refused, chunks_that_never_end_are_refused,
           pipelined_requests_that_nobody_reads_are_held_back, pipelined_requests_are_answered_in_turn,
           requests_that_expect_or_are_strange, idle_keep_alive_ends_with_the_deadline, upgrades_hide_nothing]
