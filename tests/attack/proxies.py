"""Attacks with PROXY headers (haproxy's proxy-protocol.txt) and with the header fields of proxies, on a port that believes this
machine, and with too many connections, which count for the client that the header names."""

import random
import struct
import time

from tools import HANDSHAKE_DEADLINE, PROOF, VERSIONS, Peer, answer, body, case, connect, expect, handshake, message, needs, status

SIGNATURE = b'\r\n\r\n\0\r\nQUIT\n'
GOOD = b'PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n'
WHO = b'GET /who HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n'


def second(payload, command=0x21, family=0x11, length=None):
    """A header of version 2."""
    return SIGNATURE + bytes((command, family)) + struct.pack('>H', len(payload) if length is None else length) + payload


def addresses(source=(192, 0, 2, 1), port=1000):
    return bytes(source) + bytes((192, 0, 2, 2)) + struct.pack('>HH', port, 2000)


def who(server, start, lines=b'', port=None):
    """Gives whom the server takes the client for; nothing when it drops."""
    with Peer(server, port=port or server.proxied_port) as peer:
        got = peer.send(start + WHO % lines).read_all()
        expect(not got or status(got) in (200, 400), lambda: f'{start!r} was answered {got!r}')
        return body(got).decode() if status(got) == 200 else ''


def dropped(server, start):
    with Peer(server, port=server.proxied_port) as peer:
        begin = time.monotonic()
        peer.send(start + WHO % b'')
        expect(peer.read_all() == b'', lambda: f'{start!r} was taken')
        expect(time.monotonic() - begin < HANDSHAKE_DEADLINE + 0.7, lambda: f'{start!r} was kept')


@needs('ours')
def good_headers_are_believed(server):
    for start, expected in ((GOOD, '192.0.2.1:1000'), (b'PROXY TCP6 2001:db8::1 2001:db8::2 1000 2000\r\n', '[2001:db8::1]:1000'),
                            (second(addresses()), '192.0.2.1:1000'), (second(addresses() + b'\x04\0\x01x'), '192.0.2.1:1000'),
                            (second(bytes(range(36)), family=0x21), '[1:203:405:607:809:a0b:c0d:e0f]:8225')):
        for cut in range(len(start) + 1):
            with Peer(server, port=server.proxied_port) as peer:
                peer.send(start[:cut])
                got = body(peer.send(start[cut:] + WHO % b'').read_all()).decode()
                expect(got == f'{expected} plain', lambda: f'{start!r} cut at {cut} gave {got!r}')
    for start in (b'PROXY UNKNOWN\r\n', b'PROXY UNKNOWN ff:: 1 2 3\r\n', second(b'', command=0x20, family=0), second(addresses(), command=0x20),
                  second(b'', family=0)):
        expect(who(server, start).startswith('127.0.0.1:'), f'{start!r} names nobody')
    for version in VERSIONS:
        with Peer(server, port=server.proxied_port) as peer:
            peer.send(GOOD + handshake(version) + message(version, b'in')).read_to(b'\r\n\r\n')
            peer.expect(PROOF[version] + answer(version, b'in'))


@needs('ours')
def bad_first_versions_are_dropped(server):
    for start in (b'', b'\r\n', GOOD[:-2] + b'\n', GOOD[:-2] + b'\r', b'proxy' + GOOD[5:], b' ' + GOOD, GOOD.replace(b' TCP4', b'  TCP4'), GOOD.replace(b' ', b'\t'),
                  GOOD.replace(b'TCP4', b'TCP5'), GOOD.replace(b'TCP4', b'TCP6'), GOOD.replace(b'TCP4', b'UDP4'), GOOD.replace(b'TCP4', b'tcp4'),
                  GOOD.replace(b'192.0.2.1', b'192.0.2.256'), GOOD.replace(b'192.0.2.1', b'192.0.2'), GOOD.replace(b'192.0.2.1', b'::1'),
                  GOOD.replace(b'192.0.2.1', b'0x7f.0.0.1'), GOOD.replace(b'192.0.2.1', b'192.0.2.1\0'), GOOD.replace(b'192.0.2.1', b''),
                  GOOD.replace(b'192.0.2.1', b'localhost'), GOOD.replace(b'1000', b'65536'), GOOD.replace(b'1000', b'-1'), GOOD.replace(b'1000', b'+1'),
                  GOOD.replace(b'1000', b'0x1'), GOOD.replace(b'1000', b''), GOOD.replace(b'1000', b'4294967297'), GOOD.replace(b'1000', b'1e3'),
                  GOOD[:-2] + b' 1\r\n', GOOD[:-7] + b'\r\n', b'PROXY\r\n', b'PROXY \r\n', b'PROXY UNKNOWN' + b'x' * 200 + b'\r\n', b'PROXY UNKNOWN \xff' * 9,
                  b'PROXY ' + b'x' * 100_000, b'\0' * 200, b'PROXY TCP6 fe80::1%lo ::1 1 2\r\n', b'PROXY TCP6 ::g ::1 1 2\r\n'):
        dropped(server, start)


@needs('ours')
def bad_second_versions_are_dropped(server):
    good = second(addresses())
    for start in (good[:12] + b'\x11' + good[13:], good[:12] + b'\x01' + good[13:], good[:12] + b'\x31' + good[13:], good[:12] + b'\x22' + good[13:],
                  good[:12] + b'\x2f' + good[13:], second(addresses()[:-1]), second(b''), second(addresses(), family=0x21), second(b'x' * 35, family=0x21),
                  second(b'x' * 215, family=0x31), second(b'', length=4097) + b'x' * 4097, second(b'', length=65535) + b'x' * 65535,
                  SIGNATURE[:-1] + b'\r' + good[12:], SIGNATURE + b'\r\n', good[1:], SIGNATURE * 100):
        dropped(server, start)


@needs('ours')
def records_that_overrun_are_dropped_or_skipped(server):
    for records in (b'\x04', b'\x04\0', b'\x04\xff\xff', b'\x04\0\x02x', b'\x20\0\x01x', b'\x20\0\x05\xff\xff\xff\xff\xff', b'\x20\0\x08\1\0\0\0\0\x21\xff\xffx',
                    b'\x03\0\x04abcd', b'\x30' + b'\xff' * 300, b'\x04\0\0' * 1000):
        with case():
            got = who(server, second(addresses() + records))
            expect(got in ('', '192.0.2.1:1000 plain', '192.0.2.1:1000 secure'), lambda: f'{records!r} led to {got!r}')


@needs('ours')
def a_second_header_is_no_request(server):
    for both in (GOOD + GOOD, GOOD + second(addresses()), second(addresses()) + GOOD, second(addresses()) + second(addresses())):
        with Peer(server, port=server.proxied_port) as peer:
            peer.send(both + WHO % b'').expect_status(400)


@needs('ours')
def headers_that_are_slow_or_cut_end_with_the_deadline(server):
    peers = []
    for start in (GOOD, second(addresses()), second(b'', length=4000)):
        for cut in (0, 1, 5, 12, 14, len(start) - 1):
            peers.append(Peer(server, port=server.proxied_port).send(start[:cut]))
    begin = time.monotonic()
    trickled = Peer(server, port=server.proxied_port)
    for byte in GOOD:
        if trickled.has_ended(0.05):
            break
        trickled.send(bytes((byte,)))
    for peer in (*peers, trickled):
        peer.expect_drop()
    expect(time.monotonic() - begin < HANDSHAKE_DEADLINE + 1, f'took {time.monotonic() - begin:.1f} s')


@needs('ours')
def headers_from_somebody_else_are_not_believed(server):
    for start in (GOOD, second(addresses()), b''):
        with Peer(server, port=server.distrusting_port) as peer:
            peer.send(start + WHO % b'').expect_drop()
    for start in (GOOD, second(addresses())):  # on a port that does not expect them
        with Peer(server) as peer:
            peer.send(start + WHO % b'').expect_status(400)
    for lines in (b'X-Forwarded-For: 192.0.2.9\r\n', b'Forwarded: for=192.0.2.9;proto=https\r\n', b'X-Forwarded-Proto: https\r\n'):
        got = who(server, b'', lines, server.port)
        expect(got.startswith('127.0.0.1:') and got.endswith(' plain'), f'{lines!r} led to {got!r}')


@needs('ours')
def forged_fields_behind_a_proxy_name_nobody(server):
    # The PROXY header names 192.0.2.1, which is no trusted proxy: what stands in its fields is its own invention.
    for lines in (b'X-Forwarded-For: 127.0.0.1\r\n', b'X-Forwarded-For: 10.0.0.1, 127.0.0.1\r\n', b'X-Forwarded-For: ' + b',' * 5000 + b'\r\n',
                  b'X-Forwarded-For: <script>\r\n', b'X-Forwarded-For: ' + b'10.0.0.1,' * 600 + b'\r\n', b'X-Forwarded-For: 999.1.1.1\r\n',
                  b'Forwarded: for="[::1]:x"\r\n', b'X-Forwarded-Proto: https\r\n'):
        got = who(server, GOOD, lines)
        expect(got == '192.0.2.1:1000 plain', lambda: f'{lines[:60]!r} led to {got!r}')
    # This machine is trusted, and what it names is taken, if it is an address.
    local = b'PROXY TCP4 127.0.0.1 127.0.0.1 5 6\r\n'
    expect(who(server, local, b'X-Forwarded-For: 192.0.2.7\r\n').startswith('192.0.2.7'), 'the proxy was not believed')
    for value in (b'<script>', b'999.1.1.1', b'192.0.2.7:99999', b'[::1', b'"', b',', b'\xff', b'192.0.2.7\t192.0.2.8', b'unknown', b'_hidden', b'0',
                  b'192.0.2.7 ' * 300, b',' * 5000, b', ' * 2500, b'127.0.0.1,' * 600, b'"' * 3000, b'x' * 7000):
        for name in (b'X-Forwarded-For', b'Forwarded', b'X-Forwarded-Proto', b'X-Real-IP'):
            got = who(server, local, name + b': ' + value + b'\r\n')
            expect(got.startswith(('127.0.0.1:', '127.0.0.1 ', '192.0.2.7')) or got == '', lambda: f'{name!r}: {value[:60]!r} led to {got!r}')


@needs('ours')
def one_client_cannot_take_all_connections(server):
    """60 connections in all, 20 of each address (server.cpp): whoever comes 100 times is stopped, and another is not."""
    def come(start):
        peer = Peer(server, port=server.proxied_port)
        peer.send(start + handshake('13'))
        code = status(peer.read_to(b'\r\n\r\n'))
        if code != 101:
            peer.reset()
        return peer, code

    peers = [come(GOOD) for _ in range(50)]
    statuses = [code for _, code in peers]
    expect(statuses.count(101) == 20 and statuses.count(429) == 30, f'the first client got {statuses}')
    again, code = come(b'PROXY TCP4 198.51.100.1 192.0.2.2 1 2\r\n')
    expect(code == 101, f'another client got {code}')
    # An IPv6 client has as many addresses as it wants: its /64 counts.
    chance = random.Random(11)
    peers += [come(b'PROXY TCP6 2001:db8::%x:%x ::1 1 2\r\n' % (chance.randrange(65536), chance.randrange(65536))) for _ in range(40)]
    expect([code for _, code in peers[50:]].count(101) == 20, f'the IPv6 client got {[code for _, code in peers[50:]]}')
    # Fresh addresses meet the bound of all.
    more = [come(b'PROXY TCP4 203.0.113.%d 192.0.2.2 1 2\r\n' % i) for i in range(40)]
    expect([code for _, code in more].count(101) == 19, f'fresh addresses got {[code for _, code in more]}')
    expect({code for _, code in more} <= {101, 503}, f'fresh addresses got {[code for _, code in more]}')
    again.send(message('13', b'alive')).expect(answer('13', b'alive'))
    for peer, code in (*peers, *more, (again, 101)):
        if code == 101:
            peer.reset()
    end = time.monotonic() + 2
    while True:  # and all is given back
        peer, code = come(GOOD)
        peer.reset()
        if code == 101:
            break
        expect(time.monotonic() < end, f'still {code} when all have left')


@needs('ours')
def silent_connections_do_not_keep_others_out_for_long(server):
    silent = [Peer(server, port=server.proxied_port) for _ in range(150)]
    begin = time.monotonic()
    while True:
        with Peer(server, port=server.proxied_port) as peer:
            peer.send(GOOD + handshake('13'))
            if not peer.has_ended(0.05) and status(peer.pending) == 101:
                break
        expect(time.monotonic() - begin < HANDSHAKE_DEADLINE + 1, 'silent connections keep others out')
        time.sleep(0.05)
    for peer in silent:
        peer.close()


ATTACKS = [good_headers_are_believed, bad_first_versions_are_dropped, bad_second_versions_are_dropped, records_that_overrun_are_dropped_or_skipped,
           a_second_header_is_no_request, headers_that_are_slow_or_cut_end_with_the_deadline, headers_from_somebody_else_are_not_believed,
           forged_fields_behind_a_proxy_name_nobody, one_client_cannot_take_all_connections, silent_connections_do_not_keep_others_out_for_long]
