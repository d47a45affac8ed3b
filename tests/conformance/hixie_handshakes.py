"""Handshakes of hixie-75 and hixie-76 (hybi-00): groups h1 to h3."""

import time

from hixie_case import add
from hixie_peer import ANSWER, KEY1, KEY2, NONCE, Request, answer_to, expect_alive, expect_drop, leave, text
from peer import HIXIE, Peer

HELLO = 'héllo € 😀'.encode()


def accepted(group, sent, versions=HIXIE, ours=False, protocol=None, answer=ANSWER, **facts):
    def talk(target, version):
        with Peer(target) as peer:
            request = Request(version, target, **facts)
            peer.send(request.encode())
            request.expect_accepted(peer, protocol, answer)
            expect_alive(peer)
            return leave(peer, version)
    add(group, sent, 'accepted', talk, versions, ours)


def refused(group, sent, versions=HIXIE, ours=False, **facts):
    def talk(target, version):
        with Peer(target) as peer:
            request = Request(version, target, **facts)
            peer.send(request.encode() + text(b'never'))
            return request.expect_refused(peer)
    add(group, sent, 'refused', talk, versions, ours)


def handshakes():
    """The opening handshake. The response of 75 is compared octet by octet, the fields of 76 in any order."""
    accepted(1, 'the fields of the draft')
    accepted(1, '`Host` without a port', fields={'Host': b'127.0.0.1'}, ours=True)
    accepted(1, 'a target with a query, which `Location` repeats', query='?a=b&c=%20d', ours=True)
    accepted(1, 'a cookie and fields that nobody knows', more=[('Cookie', b'a=b; c=d'), ('X-Unknown', b'x')])
    accepted(1, 'the fields backwards', '76', backwards=True)
    accepted(1, '`upgrade: websocket`, `Connection: keep-alive, upgrade` in lower case', '76',
             fields={'Upgrade': b'websocket', 'Connection': b'keep-alive, upgrade'})
    refused(1, '`Upgrade: websocket` in lower case', '75', fields={'Upgrade': b'websocket'})
    refused(1, '`Connection: keep-alive, Upgrade`', '75', fields={'Connection': b'keep-alive, Upgrade'})
    refused(1, 'POST', start='POST {path} HTTP/1.1')
    for name in 'Upgrade', 'Connection', 'Host', 'Origin':
        refused(1, f'no `{name}`', fields={name: None})
    for name, value in ('Host', b'127.0.0.1'), ('Origin', b'http://127.0.0.1'), ('Upgrade', b'WebSocket'):
        refused(1, f'`{name}` twice', more=[(name, value)])
    refused(1, '`Upgrade: h2c`', fields={'Upgrade': b'h2c'})
    refused(1, '`Connection: close`', fields={'Connection': b'close'})
    refused(1, 'a control character in `Origin`', fields={'Origin': b'http://127.0.0.1\x01'})
    refused(1, 'an origin that is another host', fields={'Origin': b'http://example.com'}, ours=True)
    refused(1, 'a body', '75', more=[('Content-Length', b'5')])
    refused(1, 'a body in chunks', more=[('Transfer-Encoding', b'chunked')])
    refused(1, '`Sec-WebSocket-Key` without a version', more=[('Sec-WebSocket-Key', b'dGhlIHNhbXBsZSBub25jZQ==')])
    for number in b'0', b'6', b'76':
        refused(1, f'`Sec-WebSocket-Version: {number.decode()}`', more=[('Sec-WebSocket-Version', number)])
    accepted(1, '`Sec-WebSocket-Draft: 0`', '76', more=[('Sec-WebSocket-Draft', b'0')])
    refused(1, '`Sec-WebSocket-Draft: 0` without keys', '75', more=[('Sec-WebSocket-Draft', b'0')])
    for number in b'1', b'2', b'3':
        refused(1, f'`Sec-WebSocket-Draft: {number.decode()}`', more=[('Sec-WebSocket-Draft', number)])
    for prefix, version in ('', '75'), ('Sec-', '76'):
        name = prefix + 'WebSocket-Protocol'
        accepted(1, f'`{name}: superchat`, which is spoken', version, more=[(name, b'superchat')], protocol=b'superchat', ours=True)
        accepted(1, f'`{name}: unknown`', version, more=[(name, b'unknown')], ours=True)
    accepted(1, '`Sec-WebSocket-Protocol: superchat  chat`, of which the server likes the second better', '76',
             more=[('Sec-WebSocket-Protocol', b'superchat  chat')], protocol=b'chat', ours=True)

    def glued(target, version):
        with Peer(target) as peer:
            request = Request(version, target)
            peer.send(request.encode() + text(b'one') + text(b'two'))
            request.expect_accepted(peer)
            peer.expect_octets(text(b'one') + text(b'two'))
            return leave(peer, version)
    add(1, 'frames in the same packet', 'accepted, then echoed', glued)


# Key, number divided by spaces; from the draft, and the edges.
KEYS = [
    ('example of the draft', (KEY1, 829309203), (KEY2, 259970620), NONCE),
    ('example of the draft', (b'18x 6]8vM;54 *(5:  {   U1]8  z [  8', 155712099),
     (b'1_ tx7X d  <  nw  334J702) 7]o}` 0', 173347027), b'Tm[K T2u'),
    ('example of the draft', (b'3e6b263  4 17 80', 906585445), (b'17  9 G`ZD9   2 2b 7X 3 /r90', 179922739), b'WjN}|M(6'),
    ('the largest number, a blank line in the nonce', (b'4294967 295!', 4294967295),
     (b'a4294967 295b', 4294967295), b'\x00\xff\r\n\r\n\x00\xff'),
    ('12 and 11 spaces', (b'2 1 4 7 4 8 3 6 5 2 z z z', 178956971), (b'q 3 9 9 9 9 9 9 9 9 3 ~', 363636363), b'\xff\x00' * 4),
    ('keys of Netty', (b'12 K0872 76w  64', 302181916), (b'2In 7 u 5Z403o#49* `2', 68850873), b'\x0eVSV\xe6\x84\xaa\x08'),
    ('zero', (b'0 !', 0), (b'!0 0 z 0', 0), bytes(8)),
]
BAD_KEYS = [('without a space', b'4@146546xW%0l15'), ('with a remainder', b'4 @1  46546xW%0l 1 6'), ('of 2^32', b'429496729 6'),
            ('of which only the quotient fits', b'4 2 9 4 9 6 7 2 9 6 0          z'),
            ('without a digit', b'ab cd'), ('of 2^64 + 1', b'1844674407370955 1617'),
            ('that is empty', b'')]


def keys():
    """The keys of 76: number and spaces."""
    for what, (key1, part1), (key2, part2), nonce in KEYS:
        accepted(2, f'{what}: `{key1.decode()}` and `{key2.decode()}`', '76', nonce=nonce, answer=answer_to(part1, part2, nonce),
                 fields={'Sec-WebSocket-Key1': key1, 'Sec-WebSocket-Key2': key2})
    for what, key in BAD_KEYS:
        for name, other in ('Key1', ('Key2', KEY2)), ('Key2', ('Key1', KEY1)):
            refused(2, f'a {name} {what}' + (f': `{key.decode()}`' if key else ''), '76',
                    fields={f'Sec-WebSocket-{name}': key, f'Sec-WebSocket-{other[0]}': other[1]})
    for name in 'Sec-WebSocket-Key1', 'Sec-WebSocket-Key2':
        refused(2, f'no `{name}`', '76', fields={name: None})
        refused(2, f'`{name}` twice', '76', more=[(name, KEY1)])


def nonces():
    """The eight octets behind the head of 76."""
    def pieces(sent, cuts, behind=b'', more=()):
        def talk(target, version):
            with Peer(target) as peer:
                request = Request(version, target, more=more)
                data = request.encode() + behind
                end = len(request.head())
                for begin, stop in zip((0, *(end + cut for cut in cuts)), (*(end + cut for cut in cuts), len(data))):
                    peer.send(data[begin:stop])
                    if stop < len(data):
                        time.sleep(0.01)
                request.expect_accepted(peer)
                peer.expect_octets(behind)
                expect_alive(peer)
                return leave(peer, version)
        add(3, sent, 'accepted', talk, '76')

    for cut in range(8):
        pieces(f'the head and {cut} octets, then the rest', [cut])
    pieces('the head, then octet by octet', list(range(8)))
    pieces('3 octets with the head, then the rest with a message behind it', [3], behind=text(HELLO))
    pieces('`Content-Length: 8`', [], more=[('Content-Length', b'8')])
    pieces('`Content-Length: 8`, and the octets come later', [0], more=[('Content-Length', b'8')])

    def late(target, version):
        with Peer(target) as peer:
            request = Request(version, target)
            peer.send(request.head())
            request.expect_head(peer)
            peer.expect_silence(0.1)
            peer.send(NONCE)
            peer.expect_octets(ANSWER)
            expect_alive(peer)
            return leave(peer, version)
    add(3, 'the head; the nonce only when the head of the response has come, as behind some proxies', 'accepted', late, '76')

    def cut_off(size):
        def talk(target, version):
            with Peer(target) as peer:
                request = Request(version, target)
                peer.send(request.head() + NONCE[:size])
                request.expect_head(peer)
                peer.finish()
                return expect_drop(peer)
        return talk
    for size in 0, 7:
        add(3, f'the head and {size} octets, then the end', 'no answer, TCP ends', cut_off(size), '76')
