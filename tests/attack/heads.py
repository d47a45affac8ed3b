"""Attacks on the request head and on what a refusal leaves behind."""

import re
import time

from tools import (HANDSHAKE_DEADLINE, HYBI, JUDGE, LIMITS, PROOF, VERSIONS, Peer, answer, case, expect, handshake, message, needs,
                   status)

SMUGGLED = b'GET /open HTTP/1.1\r\nHost: a\r\n\r\n'


def with_lines(lines, version='13', path=None):
    return handshake(version, path, lines=lines)


def without(name, version='13'):
    return re.sub(rb'\r\n%s: [^\r]*' % name, b'', handshake(version))


def refused(server, request, *statuses):
    """One refusal and no second answer, whether the next request comes with it or later."""
    for at_once in (True, False):
        with case(), Peer(server) as peer:
            if at_once:
                peer.send(request + SMUGGLED).expect_status(*statuses)
            else:
                peer.send(request)
                time.sleep(0.02)
                peer.send(SMUGGLED).expect_status(*statuses)


def accepted(server, request, version='13'):
    with case(), Peer(server) as peer:
        got = peer.send(request + message(version, b'in')).read_to(b'\r\n\r\n')
        expect(status(got) == 101, lambda: f'{request[:200]!r} was answered {got[:200]!r}')
        peer.expect(PROOF[version] + answer(version, b'in'))
        return got


def long_lines_are_refused(server):
    for data in (b'GET /' + b'x' * 1_000_000, b'x' * 1_000_000, b'GET / HTTP/1.1\r\nX: ' + b'x' * 1_000_000,
                 b'GET / HTTP/1.1\r\n' + b'x' * 1_000_000, b'\r\n' * 500_000, b' ' * 1_000_000, b'\0' * 1_000_000,
                 b'GET / HTTP/1.1\r\nX:' + b' ' * 1_000_000, b'GET / HTTP/1.1\r\nX:' + b'\r\n ' * 300_000):
        with case(), Peer(server) as peer:
            begin = time.monotonic()
            peer.send_some(data)
            peer.expect_status(400, 414, 431)
            expect(time.monotonic() - begin < 2, f'took {time.monotonic() - begin:.1f} s')


@needs('ours')
def many_headers_are_refused(server):
    for data in (b''.join(b'X-%d: 1\r\n' % i for i in range(10_000)), b'X: 1\r\n' * (LIMITS['header_count'] + 1), b'a:\r\n' * 2000):
        with case(), Peer(server) as peer:
            peer.send_some(with_lines(data))
            peer.expect_status(431)
    accepted(server, with_lines(b'X: 1\r\n' * (LIMITS['header_count'] - 10)))


@needs('ours')
def heads_up_to_the_limit_cost_little(server):
    room = LIMITS['head_size'] - 400
    before = server.cpu()
    for _ in range(30):
        for lines in (b'Sec-WebSocket-Protocol: ' + b',' * room, b'Sec-WebSocket-Protocol: ' + b'a,' * (room // 2),
                      b'Sec-WebSocket-Extensions: ' + b'a;' * (room // 2), b'Sec-WebSocket-Extensions: ' + b'a;b="' * (room // 5),
                      b'Sec-WebSocket-Extensions: ' + b'\\"' * (room // 2), b'X: ' + b' \t' * (room // 2) + b'x',
                      b'X-Forwarded-Proto: ' + b', ' * (room // 2), b'Origin: http://' + b'a.' * (room // 2),
                      b'Cookie: ' + b'=;' * (room // 2)):
            with case(), Peer(server) as peer:
                peer.send(with_lines(lines + b'\r\n')).read_to(b'\r\n\r\n')
    expect(server.cpu() - before < 2, f'270 heads of 8 KiB took {server.cpu() - before:.1f} s of processor time')


def malformed_heads_are_refused(server):
    good, start = handshake('13'), b'GET ' + JUDGE['path'].encode()
    for request in (good.replace(b'\r\n', b'\n'), good.replace(b'Host: ', b'Host : '), good.replace(b'Host: ', b' Host: '),
                    with_lines(b'X: a\r\n b\r\n'), with_lines(b'X: a\0b\r\n'), with_lines(b'X\0: a\r\n'), with_lines(b'X: a\rb\r\n'),
                    with_lines(b'X: \x01\r\n'), with_lines(b'X: \x7f\r\n'), with_lines(b': a\r\n'), with_lines(b'no colon\r\n'),
                    with_lines(b'X y: a\r\n'), good.replace(start, start + b'\0o'), good.replace(start, start + b' o'),
                    good.replace(start, start + b'\x01o'), good.replace(b'GET ', b'GET  '), good.replace(b' HTTP/1.1', b''),
                    good.replace(b'HTTP/1.1', b'HTTP/1'), good.replace(b'HTTP/1.1', b'HTTP/11'), good.replace(b'HTTP/1.1', b'http/1.1'),
                    good.replace(b'GET', b'G\x01T')):
        refused(server, request, 400)
    refused(server, good.replace(b'HTTP/1.1', b'HTTP/2.0'), 400, 505)
    refused(server, good.replace(b'HTTP/1.1', b'HTTP/0.9'), 400, 505)
    with case(), Peer(server) as peer:  # TLS on a plain port
        peer.send(b'\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03' + b'\xaa' * 500).expect_status(400)
    with case(), Peer(server) as peer:
        peer.send(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').expect_status(400, 404, 501, 505)


def handshakes_that_lack_or_repeat_something_are_refused(server):
    good = handshake('13')
    refused(server, without(b'Sec-WebSocket-Key'), 400)
    refused(server, without(b'Sec-WebSocket-Version'), 400)
    refused(server, without(b'Host'), 400)
    for line in (b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n', b'Sec-WebSocket-Version: 13\r\n', b'Host: 127.0.0.1\r\n',
                 b'Sec-WebSocket-Version: 8\r\n'):
        refused(server, with_lines(line), 400)
    for key in (b'', b'short', b'dGhlIHNhbXBsZSBub25jZQ', b'dGhlIHNhbXBsZSBub25jZQ===', b'!' * 24, b'x' * 5000):
        refused(server, good.replace(b'dGhlIHNhbXBsZSBub25jZQ==', key), 400)
    for version in (b'0', b'1', b'6', b'9', b'12', b'14', b'99', b'255', b'256', b'4294967309', b'99999999999999999999'):
        request = good.replace(b'Version: 13', b'Version: ' + version)
        refused(server, request, 426)
        with case(), Peer(server) as peer:
            got = peer.send(request).read_all()
            expect(b'\r\nSec-WebSocket-Version: 13, 8, 7\r\n' in got, lambda: f'{got!r} does not name the versions')
    for version in (b'013', b'+13', b'13, 8', b'-13', b'13.0', b'0x0d', b'', b'thirteen', b'13 8'):
        refused(server, good.replace(b'Version: 13', b'Version: ' + version), 400, 426)
    for method in (b'POST', b'HEAD', b'OPTIONS', b'get', b'CONNECT'):
        with case(), Peer(server) as peer:
            got = peer.send(good.replace(b'GET', method, 1)).read_to(b'\r\n\r\n')
            expect(status(got) != 101, lambda: f'{method!r} was let in: {got!r}')
    refused(server, good.replace(b'HTTP/1.1', b'HTTP/1.0'), 400, 426, 505)
    for number in (b'1', b'2', b'3'):
        refused(server, without(b'Sec-WebSocket-Version').replace(b'Sec-WebSocket-Key:', b'Sec-WebSocket-Draft: ' + number + b'\r\nX:'),
                400, 426)


@needs('ours')
def hosts_that_are_missing_or_strange(server):
    for version in VERSIONS:
        with case(), Peer(server) as peer:
            peer.send(re.sub(rb'Host: [^\r]*\r\n', b'', handshake(version))).expect_status(400)
    for host in (b'', b'a b', b'a,b', b'http://a', b'a/b', b'a@b', b'[::1', b'a:b:c', b'a:99999999', b'<script>', b'a\tb'):
        for version in ('13', '76', '75'):
            with case(), Peer(server) as peer:
                got = peer.send(handshake(version, host=host)).read_to(b'\r\n\r\n')
                expect(status(got) in (400, 403), lambda: f'version {version}, Host {host!r}: {got[:100]!r}')


def connection_headers_as_real_clients_send_them(server):
    good = handshake('13')
    for line in (b'Connection: keep-alive, Upgrade', b'Connection: keep-alive,Upgrade', b'connection: UPGRADE',
                 b'Connection: keep-alive\r\nConnection: Upgrade', b'Connection: Upgrade,,', b'Connection:Upgrade'):
        accepted(server, good.replace(b'Connection: Upgrade', line))
    accepted(server, good.replace(b'Upgrade: websocket', b'UPGRADE: WebSocket'))


def first_frames_come_with_the_handshake(server):
    for version in VERSIONS:
        accepted(server, handshake(version), version)


def upgrades_with_a_body_are_refused(server):
    for lines, content in ((b'Content-Length: 30\r\n', SMUGGLED[:30]), (b'Content-Length: 1\r\n', b'x'),
                           (b'Transfer-Encoding: chunked\r\n', b'1\r\nx\r\n0\r\n\r\n'),
                           (b'Transfer-Encoding: chunked\r\nContent-Length: 3\r\n', b'0\r\n\r\n'),
                           (b'Content-Length: 1\r\nContent-Length: 2\r\n', b'x'), (b'Content-Length: -1\r\n', b''),
                           (b'Content-Length: 18446744073709551617\r\n', b'x'), (b'Transfer-Encoding: gzip\r\n', b'x'),
                           (b'Transfer-Encoding: identity\r\n', b'')):
        refused(server, with_lines(lines) + content, 400, 411, 413, 501)


@needs('ours')
def rejected_upgrades_execute_nothing(server):
    for version in VERSIONS:
        refused(server, handshake(version, '/nowhere'), 404)
    for version in HYBI:
        name = b'Origin' if version == '13' else b'Sec-WebSocket-Origin'
        refused(server, with_lines(name + b': http://evil.example\r\n', version), 403)
    bad_then_good = handshake('13').replace(b'Version: 13', b'Version: 99') + handshake('13') + message('13', b'in')
    refused(server, bad_then_good, 426)
    # The answer arrives even when much came behind that nobody read.
    with case(), Peer(server) as peer:
        peer.send_some(handshake('13', '/nowhere') + b'x' * 3_000_000)
        peer.expect_status(404)


@needs('ours')
def origins(server):
    for origin in (b'http://127.0.0.1', b'HTTP://127.0.0.1', b'https://127.0.0.1:8443', b'http://localhost:1', b'http://[::1]'):
        accepted(server, with_lines(b'Origin: ' + origin + b'\r\n'))
    for origin in (b'', b'null', b'http://evil.example', b'http://127.0.0.1.evil.example', b'http://evil.example#127.0.0.1',
                   b'http://evil.example/127.0.0.1', b'http://evil.example?127.0.0.1', b'http://127.0.0.1@evil.example',
                   b'http://evil.example\\127.0.0.1', b'127.0.0.1', b'//127.0.0.1', b'http:', b'http://', b'x' * 5000,
                   b'http://127.0.0.1, http://evil.example', b'http://evil.example http://127.0.0.1', b'file://', b'http://0x7f.1',
                   b'http://2130706433', b'http://127.0.0.1:x', b'http://127.0.0.1\xff'):
        refused(server, with_lines(b'Origin: ' + origin + b'\r\n'), 403, 400)
        with case(), Peer(server) as peer:
            peer.send(handshake('76', origin=origin)).expect_status(403, 400)
    refused(server, with_lines(b'Origin: http://127.0.0.1\r\nOrigin: http://evil.example\r\n'), 400, 403)
    refused(server, with_lines(b'Origin: http://evil.example\r\nOrigin: http://127.0.0.1\r\n'), 400, 403)


@needs('ours')
def forged_forwarding_headers_change_nothing(server):
    for lines in (b'X-Forwarded-Proto: https\r\n', b'X-Forwarded-Ssl: on\r\n', b'X-Forwarded-Host: evil.example\r\n',
                  b'Forwarded: proto=https;host=evil.example\r\n', b'X-Forwarded-For: 10.0.0.1\r\n'):
        got = accepted(server, with_lines(lines, '76'), '76')
        expect(b'\r\nSec-WebSocket-Location: ws://127.0.0.1/echo\r\n' in got, lambda: f'{lines!r} changed {got!r}')
    refused(server, with_lines(b'X-Forwarded-Host: evil.example\r\nOrigin: http://evil.example\r\n'), 403)


@needs('ours')
def nothing_can_be_injected_into_the_response(server):
    known = (b'upgrade', b'connection', b'sec-websocket-accept', b'sec-websocket-protocol', b'sec-websocket-origin',
             b'sec-websocket-location', b'websocket-origin', b'websocket-location', b'websocket-protocol', b'content-type',
             b'content-length', b'sec-websocket-version', b'date')
    for value in (b'chat', b'chat\nX-Evil: 1', b'chat\rX-Evil: 1', b'chat\r\n X-Evil: 1', b'chat\0', b'<script>', b'a b',
                  b'\xff\xfe', b'chat;X-Evil', b'"chat"', b'X-Evil:\x0b1', b'chat, \x85X-Evil: 1'):
        for version in VERSIONS:
            name = b'WebSocket-Protocol' if version == '75' else b'Sec-WebSocket-Protocol'
            for request in (with_lines(name + b': ' + value + b'\r\n', version), handshake(version, origin=b'http://' + value),
                            with_lines(b'', version, '/echo?' + value.decode('latin-1').replace(' ', '+'))):
                with case(), Peer(server) as peer:
                    got = peer.send(request).read_to(b'\r\n\r\n')
                names = [line.partition(b':')[0].lower() for line in got[:-4].split(b'\r\n')[1:]]
                expect(set(names) <= set(known), lambda: f'{request!r} was answered {got!r}')
                expect(len(set(names)) == len(names) and b'\n' not in got.replace(b'\r\n', b''), lambda: f'a strange head: {got!r}')


@needs('ours')
def slow_heads_end_with_the_absolute_deadline(server):
    def trickle(data, pause):
        with case(), Peer(server) as peer:
            begin = time.monotonic()
            for byte in data:
                peer.send(bytes((byte,)))
                time.sleep(pause)
                if time.monotonic() - begin > HANDSHAKE_DEADLINE + 0.3:
                    break
            got = peer.read_all()
            took = time.monotonic() - begin
            expect(got == b'' or status(got) == 408, lambda: f'answered {got!r}')
            expect(0.8 * HANDSHAKE_DEADLINE < took < HANDSHAKE_DEADLINE + 1, f'took {took:.1f} s')

    trickle(handshake('13'), 0.05)
    trickle(b'', 0)
    trickle(b'GET / HTTP/1.1\r\n', 0)
    trickle(b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n' + b'x' * 50, 0.01)


@needs('ours')
def plain_http_beside_goes_on(server):
    with case(), Peer(server) as peer:
        for _ in range(3):
            peer.send(SMUGGLED)
            got = peer.read_to(b'\r\n\r\n')
            expect(status(got) == 200, lambda: f'answered {got!r}')
            length = int(re.search(rb'Content-Length: (\d+)', got)[1])
            peer.read(length)
        peer.send(b'POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n').expect_status(413)
    for lines in (b'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', b'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n',
                  b'Transfer-Encoding: xchunked\r\n', b'Content-Length: +5\r\n', b'Content-Length: 0x5\r\n'):
        with case(), Peer(server) as peer:
            peer.send(b'POST /open HTTP/1.1\r\nHost: a\r\n' + lines + b'\r\n0\r\n\r\n' + SMUGGLED).expect_status(400, 501)


ATTACKS = [long_lines_are_refused, many_headers_are_refused, heads_up_to_the_limit_cost_little, malformed_heads_are_refused,
           handshakes_that_lack_or_repeat_something_are_refused, hosts_that_are_missing_or_strange,
           connection_headers_as_real_clients_send_them, first_frames_come_with_the_handshake, upgrades_with_a_body_are_refused,
           rejected_upgrades_execute_nothing, origins, forged_forwarding_headers_change_nothing,
           nothing_can_be_injected_into_the_response, slow_heads_end_with_the_absolute_deadline, plain_http_beside_goes_on]
