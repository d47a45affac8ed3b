"""Frames of hixie-75 and hixie-76 (hybi-00): groups h4 to h11."""

import time

import autobahn
from bulk import repeated, size_name
from hixie_case import add
from hixie_peer import CLOSING, Request, connect, expect_alive, expect_drop, leave, length, skipped, text
from peer import HIXIE, Peer, expect

HELLO = 'héllo € 😀'.encode()
LIMIT = 1 << 24  # of a message, on our server


def exchange(group, sent, data, answer, chop=None, versions=HIXIE, expected='echoed', seconds=60):
    """What is sent has this answer, and the connection goes on."""
    def talk(target, version):
        with connect(target, version) as peer:
            peer.send(data, chop)
            peer.expect_octets(answer, seconds)
            expect_alive(peer)
            return leave(peer, version)
    add(group, sent, expected, talk, versions)


def dropped(group, sent, data, versions=HIXIE, ours=False):
    """What is sent ends the connection, without a word, before more comes."""
    def talk(target, version):
        with connect(target, version) as peer:
            peer.send(data)
            return expect_drop(peer)
    add(group, sent, 'TCP is dropped', talk, versions, ours)


def texts():
    """Text messages."""
    for size in 0, 1, 125, 126, 127, 128, 65535, 65536:
        exchange(4, f'text of {size} octets', text(b'*' * size), text(b'*' * size))
    exchange(4, 'text of 65536 octets in pieces of 997', text(b'*' * 65536), text(b'*' * 65536), chop=997)
    exchange(4, 'text octet by octet', text(HELLO), text(HELLO), chop=1)
    exchange(4, 'every octet of ASCII, NUL too', text(bytes(range(128))), text(bytes(range(128))))
    exchange(4, 'three empty texts', text(b'') * 3, text(b'') * 3)
    ten = b''.join(text(b'payload-%d' % i) for i in range(10))
    exchange(4, 'ten texts at once', ten, ten)
    exchange(4, 'ten texts octet by octet', ten, ten, chop=1)
    exchange(4, '`80 00` between two texts, which some take for a closing frame', text(b'a') + b'\x80\x00' + text(b'b'), text(b'a') + text(b'b'))
    two = text(b'ab') + text(b'cd')
    exchange(4, 'two texts: the end of the first and the beginning of the second look like a closing frame', two, two)


def utf_8():
    """UTF-8: what is not valid becomes U+FFFD, one for each maximal part (the draft has no error for it)."""
    for _, _, title, octets, valid in autobahn.utf_8_sequences():
        if b'\xff' in octets:
            continue  # is the end of the frame
        exchange(5, f'{title}: `{octets.hex()}`', text(octets), text(octets.decode(errors='replace').encode()),
                 expected='echoed' if valid else 'echoed with U+FFFD')
    bad = autobahn.GREEK + b'\xed\xa0\x80edited'
    exchange(5, 'a surrogate in a text, octet by octet', text(bad), text(bad.decode(errors='replace').encode()), chop=1,
             expected='echoed with U+FFFD')
    long = b'a' * 1000 + b'\xc3' + b'b' * 1000
    exchange(5, 'one wrong octet in 2001', text(long), text(long.decode(errors='replace').encode()), expected='echoed with U+FFFD')


def other_frames():
    """Frames that are no text are skipped, and do not stir those around them. There are no pings."""
    def numbers(some):
        return b''.join(text(b'%d' % type) for type in some)

    for first in range(0, 0x80, 16):
        some = range(first or 1, first + 16)
        data = b''.join(skipped(type, b'some %d' % type) + text(b'%d' % type) for type in some)
        exchange(6, f'types {some[0]:02x} to {some[-1]:02x}, up to FF, with texts between them', data, numbers(some))
    for first in range(0x80, 0x100, 16):
        some = range(first, first + 16)
        data = b''.join(skipped(type, b'\xff\x00\xff%d\x00' % type) + text(b'%d' % type) for type in some)
        exchange(6, f'types {some[0]:02x} to {some[-1]:02x}, with a length and with FF and 00 inside', data, numbers(some))
    exchange(6, '`80 03 ff ff ff`, which has ended other servers', b'\x80\x03\xff\xff\xff', b'', expected='skipped')
    exchange(6, 'empty frames of all types but FF', b''.join(skipped(type, b'') for type in range(1, 0xff)), b'', expected='skipped')
    exchange(6, '`89 05 hello`, a ping of later versions', b'\x89\x05hello', b'', expected='skipped')
    exchange(6, '`ff 05 hello`', b'\xff\x05hello', b'', expected='skipped')
    garbage = b'\x01one\xff' + b'\x80\x80\x02ab' + b'\x7f\xff' + b'\x81\x05\xff\x00\xff\x00\xff' + text(HELLO) + b'\xfe\x01\x00'
    exchange(6, 'several before and behind a text, octet by octet', garbage, text(HELLO), chop=1)
    exchange(6, '1000 frames that are skipped', skipped(0x80, b'') * 500 + skipped(1, b'x') * 500, b'', expected='skipped')


def lengths():
    """Lengths: base 128, and not more than a message may have (16 MiB on this server)."""
    for size in 0, 1, 127, 128, 16383, 16384, 65536, 1 << 20, 1 << 21:
        exchange(7, f'a frame of {size} octets to skip', skipped(0x80, b'\xff' * size), b'', expected='skipped')
    for octets in 2, 3, 10:
        for size in 0, 5:
            exchange(7, f'the length {size} in {octets} octets', skipped(0x81, b'\x00' * size, octets), b'', expected='skipped')
    exchange(7, 'a length octet by octet', skipped(0x90, b'\xff' * 300), b'', chop=1, expected='skipped')
    exchange(7, f'a frame of {LIMIT} octets to skip', skipped(0x80, b'\x00' * LIMIT), b'', expected='skipped')
    for size in LIMIT + 1, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, 1 << 64, 1 << 70:
        name = f'2^{size.bit_length() - 1}' if size & (size - 1) == 0 else str(size)
        dropped(7, f'the beginning of a frame of {name} octets', b'\x80' + length(size), ours=True)
    dropped(7, 'the length 0 in eleven octets', b'\x80' + length(0, 11), ours=True)
    for octet in 0x80, 0x81, 0xff:
        dropped(7, f'a length that does not end: `{octet:02x}` 100000 times', b'\x80' + bytes((octet,)) * 100000)
    dropped(7, f'{LIMIT + 1} octets of a text without its end', b'\x00' + b'x' * (LIMIT + 1), ours=True)
    dropped(7, f'{LIMIT + 1} octets of a frame to skip without its end', b'\x05' + b'x' * (LIMIT + 1), ours=True)


def closings():
    """The closing handshake of 76; 75 has none."""
    def closes(sent, data, answer=b'', pause=None):
        def talk(target, version):
            with connect(target, version) as peer:
                peer.send(data[:pause])
                if pause:
                    peer.expect_silence(0.05)
                    peer.send(data[pause:])
                peer.expect_octets(answer + CLOSING, peer.soon)
                peer.expect_end()
                return 'closed'
        add(8, sent, 'echoed, `ff 00`, TCP ends' if answer else '`ff 00`, TCP ends', talk, '76')

    closes('`ff 00`', CLOSING)
    closes('`ff 80 00`', b'\xff\x80\x00')
    closes('`ff 80 80 00`', b'\xff\x80\x80\x00')
    closes('`ff`, later `00`', CLOSING, pause=1)
    closes('text, `ff 00`', text(HELLO) + CLOSING, text(HELLO))
    closes('`ff 00`, text', CLOSING + text(b'never'))
    closes('`ff 00` twice', CLOSING * 2)
    closes('the beginning of a frame to skip, its rest, `ff 00`', b'\x80\x02ab' + CLOSING, pause=3)
    for data in b'\xff\x00', b'\xff\x80\x00':
        exchange(8, f'`{data.hex(" ")}`', data + text(b'next'), text(b'next'), versions='75', expected='skipped, then echoed')

    def server_closes(sent, expected, then, versions):
        def talk(target, version):
            target = target._replace(path='/close')
            with connect(target, version) as peer:
                peer.send(text(HELLO))
                peer.expect_octets(text(HELLO) + (CLOSING if version == '76' else b''))
                then(peer)
                peer.expect_end()
                return 'closed'
        add(8, sent, expected, talk, versions, ours=True)

    def nothing(peer):
        pass

    def answers(peer):
        peer.expect_silence(0.1)
        peer.send(CLOSING)

    def talks_on(peer):
        peer.send(text(b'late') * 100)
        peer.expect_silence(0.1)
        peer.send(CLOSING)

    server_closes('text, and the server closes', 'echoed, TCP ends', nothing, '75')
    server_closes('text, and the server closes; `ff 00` for an answer', 'echoed, `ff 00`, TCP ends after the answer', answers, '76')
    server_closes('text, and the server closes; more texts, then the answer', 'echoed, `ff 00`, TCP ends after the answer', talks_on, '76')
    server_closes('text, and the server closes; the end of TCP for an answer', 'echoed, `ff 00`, TCP ends', Peer.finish, '76')


def ends_of_stream():
    """The client ends its half of TCP."""
    def ends(sent, data, answer=b''):
        def talk(target, version):
            with connect(target, version) as peer:
                peer.send(data)
                peer.finish()
                peer.expect_octets(answer)
                peer.expect_end()
                return 'closed'
        add(9, sent, 'echoed, TCP ends' if answer else 'TCP ends', talk)

    ends('nothing, then the end', b'')
    ends('`00`, then the end', b'\x00')
    ends('half a text, then the end', b'\x00half')
    ends('`80`, then the end', b'\x80')
    ends('half a length, then the end', b'\x80\x81')
    ends('half a frame to skip, then the end', b'\x80\x05ab')
    ends('`ff`, then the end', b'\xff')
    ends('text, then the end', text(HELLO), text(HELLO))
    ends('text and half a text, then the end', text(HELLO) + b'\x00half', text(HELLO))


def large():
    """Large messages, and many."""
    pattern = b'BAsd7&jh23'
    for size in (1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 23, 1 << 24):
        message = text(repeated(pattern, size))
        exchange(10, f'text of {size_name(size)}', message, message)
    for chop in 64, 128, 256, 512, 1024, 2048:
        message = text(repeated(pattern, 1 << 20))
        exchange(10, f'text of 1 MiB in pieces of {chop} octets', message, message, chop)

    def many(size):
        def talk(target, version):
            message = text(b'*' * size)
            with connect(target, version) as peer:
                for _ in range(1000):
                    peer.send(message)
                    peer.expect_octets(message)
                return leave(peer, version)
        return talk
    for size in 0, 16, 64, 256, 1024, 4096:
        add(10, f'1000 texts of {size} octets, one after the other', 'each echoed', many(size))


def splits():
    """A handshake and frames of all kinds, cut anywhere."""
    said = text(HELLO) + b'\x80\x03\xff\xff\xff' + b'\x01x\xff' + text(b'') + b'\x81\x81\x00' + b'\x00' * 128 + text(b'last')
    heard = text(HELLO) + text(b'') + text(b'last')

    def check(peers):
        for peer, request, at in peers:
            request.expect_accepted(peer)
            got = peer.read(len(heard))
            expect(got == heard, lambda: f'cut at {at}: got {got!r}')
            leave(peer, request.version)
            peer.socket.close()

    def cut(handshake):
        def talk(target, version):
            request = Request(version, target)
            data = request.encode() + said
            size = len(data) - len(said)
            cuts = range(1, size) if handshake else range(size, len(data))
            for first in range(0, len(cuts), 50):
                peers = [(Peer(target), request, at) for at in cuts[first:first + 50]]
                for peer, _, at in peers:
                    peer.send(data[:at])
                time.sleep(0.02)  # so that the two parts arrive apart
                for peer, _, at in peers:
                    peer.send(data[at:])
                check(peers)
            return 'closed'
        return talk
    add(11, 'the handshake in two parts, cut at each octet', 'accepted, then echoed', cut(True))
    add(11, 'the frames in two parts, cut at each octet', 'accepted, then echoed', cut(False))

    def octets(target, version):
        request = Request(version, target)
        peer = Peer(target)
        peer.send(request.encode() + said, 1)
        check([(peer, request, 'each octet')])
        return 'closed'
    add(11, 'all octet by octet', 'accepted, then echoed', octets)
