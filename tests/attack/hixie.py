"""Attacks on versions 75 and 76: their framing and the keys of 76."""

import hashlib
import struct
import time

from tools import (HANDSHAKE_DEADLINE, HIXIE, KEY3, LIMITS, PROOF, Peer, Stopwatch, answer, connect, expect, head, message, needs,
                   status)


def echoes(peer, version, text=b'alive'):
    peer.send(message(version, text)).expect(answer(version, text))


def drops(server, data, patience=2.0):
    """There is no code to send: each version must drop. `data` need not be taken to its end."""
    for version in HIXIE:
        with connect(server, version) as peer:
            begin = time.monotonic()
            peer.send_some(data)
            peer.expect_drop()
            expect(time.monotonic() - begin < patience, f'version {version} took too long to drop {data[:20]!r}')


def endless_length_runs_are_dropped(server):
    for byte in (b'\x80', b'\x81', b'\xff'):  # the first is an endless zero
        drops(server, b'\x80' + byte * 1_000_000)
        drops(server, b'\xff' + byte * 1_000_000)


def lengths_beyond_the_limit_are_dropped(server):
    def run(length):
        data = bytes((length & 0x7f,))
        while length > 0x7f:
            length >>= 7
            data = bytes((0x80 | length & 0x7f,)) + data
        return b'\x80' + data

    for length in (LIMITS['message_size'] + 1, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64, 2**70):
        drops(server, run(length))
    for version in HIXIE:  # what is within the limit is skipped
        with connect(server, version) as peer:
            peer.send(run(LIMITS['message_size']) + b'\xff\0' * (LIMITS['message_size'] // 2))
            echoes(peer, version)


def text_that_never_ends_is_dropped(server):
    drops(server, b'\0' + b'x' * 10_000_000)
    drops(server, b'\x05' + b'x' * 10_000_000)  # a type that is skipped has no right to be longer
    for version in HIXIE:
        with connect(server, version) as peer:
            echoes(peer, version, b'x' * LIMITS['message_size'])


def the_frame_that_ended_other_servers_is_skipped(server):
    for version in HIXIE:
        with connect(server, version) as peer:
            peer.send(b'\x80\x03\xff\xff\xff')
            echoes(peer, version)


def other_types_are_skipped(server):
    for version in HIXIE:
        with connect(server, version) as peer:
            peer.send(b'\x01one\xff\x7ftwo\xff\x80\x00\x81\x05\xff\0\xff\0\xff\xff\x05hello\xfe\x01\0\x80\x80\x02ab')
            echoes(peer, version)


def variants_of_the_closing_frame(server):
    for closing in (b'\xff\0', b'\xff\x80\0', b'\xff\x80\x80\0'):
        with connect(server, '76') as peer:
            peer.send(closing + message('76', b'never')).expect(b'\xff\0').expect_drop()
        with connect(server, '75') as peer:
            peer.send(closing)
            echoes(peer, '75')
    with connect(server, '76') as peer:
        peer.send(b'\xff')
        time.sleep(0.05)
        peer.send(b'\0').expect(b'\xff\0').expect_drop()


def bad_text_is_replaced(server):
    sign = '\ufffd'.encode()
    for version in HIXIE:
        with connect(server, version) as peer:
            for bad in (b'\x80', b'a\xc0b', b'\xf5', b'\xfe', b'\xed\xa0\x80', b'\xe2\x82', b'a' * 300 + b'\xc3'):
                peer.send(message(version, bad))
                got = peer.read_to(b'\xff')
                got[1:-1].decode()  # is valid
                expect(sign in got, lambda: f'{bad!r} became {got!r}')


def many_empty_frames_cost_little(server):
    for version in HIXIE:
        with connect(server, version) as peer:
            peer.send_some(b'\x80\0' * 1_000_000 + b'\x01\xff' * 1_000_000, patience=2)
            echoes(peer, version)


def key_refused(server, key1, key2=b'12998 5 Y3 1  .P00'):
    for order in ((key1, key2), (key2, key1)):
        with Peer(server) as peer:
            peer.send(head('76', key1=order[0], key2=order[1]) + KEY3 + message('76', b'never'))
            peer.expect_status(400)


def bad_keys_are_refused_before_anything_is_promised(server):
    for key in (b'4@146546xW%0l15', b'4 @1  46546xW%0l 1 6', b'429496729 6', b'4 2 9 4 9 6 7 2 9 6 0          z', b'ab cd',
                b'', b'18446744073709551616 1', b'9' * 3000 + b' 9', b'1' + b' ' * 3000):
        key_refused(server, key)
    for missing in (b'Sec-WebSocket-Key1', b'Sec-WebSocket-Key2'):
        with Peer(server) as peer:
            peer.send(head('76').replace(missing, b'X-Key') + KEY3)
            peer.expect_status(400)


def odd_but_legal_keys_are_answered(server):
    for key1, number1, key2, number2, key3 in (
            (b'4294967 295!', 4294967295, b'a4294967 295b', 4294967295, b'\0\xff\r\n\r\n\0\xff'),
            (b'0 !', 0, b'!0 0 z 0', 0, b'\0' * 8),
            (b'2 1 4 7 4 8 3 6 5 2 z z z', 178956971, b'q 3 9 9 9 9 9 9 9 9 3 ~', 363636363, b'\xff\0' * 4)):
        with Peer(server) as peer:
            peer.send(head('76', key1=key1, key2=key2) + key3)
            peer.read_to(b'\r\n\r\n')
            peer.expect(hashlib.md5(struct.pack('>II', number1, number2) + key3, usedforsecurity=False).digest())
            echoes(peer, '76')


def the_key_body_may_be_split_glued_or_announced(server):
    start = head('76')
    with Peer(server) as peer:  # in eight packets
        peer.send(start)
        for byte in KEY3:
            time.sleep(0.005)
            peer.send(bytes((byte,)))
        peer.read_to(b'\r\n\r\n' + PROOF['76'])
        echoes(peer, '76')
    with Peer(server) as peer:  # glued to the first frames
        peer.send(start + KEY3 + message('76', b'one') + message('76', b'two'))
        peer.read_to(PROOF['76'] + answer('76', b'one') + answer('76', b'two'))
    with Peer(server) as peer:  # announced as a body
        peer.send(start.replace(b'\r\n\r\n', b'\r\nContent-Length: 8\r\n\r\n') + KEY3)
        peer.read_to(PROOF['76'])
        echoes(peer, '76')
    for length in (b'0', b'7', b'9', b'1000'):  # announced wrongly: as the draft knows no body, it says nothing (src/handshake/recognise.cpp)
        with Peer(server) as peer:
            peer.send(start.replace(b'\r\n\r\n', b'\r\nContent-Length: ' + length + b'\r\n\r\n') + KEY3 + message('76', b'one'))
            expect(status(peer.read_to(b'\r\n\r\n')) == 101, f'not let in with a length of {length}')
            peer.expect(PROOF['76'] + answer('76', b'one'))
            echoes(peer, '76')
    for length in (b'99999999999999999999', b'8x', b'-8', b'8\r\nContent-Length: 9'):  # no length at all
        with Peer(server) as peer:
            peer.send(start.replace(b'\r\n\r\n', b'\r\nContent-Length: ' + length + b'\r\n\r\n') + KEY3).expect_status(400)


def a_key_body_that_is_cut_short_ends_with_the_deadline(server):
    for cut in range(8):
        for finishes in (True, False):
            with Peer(server) as peer:
                watch = Stopwatch(server)
                peer.send(head('76') + KEY3[:cut])
                if finishes:
                    peer.finish()
                got = peer.read_all()
                least, most = (0, 0.5) if finishes else (0.9, 1.5)  # of what is given to a handshake
                watch.expect(least * HANDSHAKE_DEADLINE, most * HANDSHAKE_DEADLINE, f'{cut} bytes of key ended')
                expect(status(got) == 101 and got.endswith(b'\r\n\r\n'), lambda: f'not just a head, but {got!r}')


def frames_are_understood_at_every_split(server):
    said = b'\0one\xff\x80\x81\x01' + b'\xff\0' * 64 + b'x' + b'\x05skip\xff' + b'\0\xc3\xa9\xff' + b'\x80\x80\x80\0' + b'\0\xff\xff\x03abc\0end\xff'
    heard = b'\0one\xff\0\xc3\xa9\xff\0\xff\0end\xff'
    for version in HIXIE:
        for cut in range(len(said) + 1):
            with connect(server, version) as peer:
                peer.send(said[:cut])
                peer.send(said[cut:])
                got = peer.read(len(heard))
                expect(got == heard, lambda: f'version {version} cut at {cut}: {got!r}')


def the_limit_is_met_to_the_byte(server):
    for version in HIXIE:
        with connect(server, version) as peer:
            echoes(peer, version, b'x' * LIMITS['message_size'])
        with connect(server, version) as peer:
            peer.send(message(version, b'x' * (LIMITS['message_size'] + 1))).expect_drop()


def bad_text_that_is_replaced_does_not_grow_beyond_bounds(server):
    # Each byte becomes three.
    for version in HIXIE:
        with connect(server, version) as peer:
            for bad in (b'\x80', b'\xfe', b'\xc3\x80\x80'):
                peer.send(message(version, bad * (60_000 // len(bad))))
                got = peer.read_to(b'\xff')
                expect(len(got) <= 3 * LIMITS['message_size'] + 2, f'{len(got)} bytes came back')
                got[1:-1].decode()
        with connect(server, version, receive_buffer=4096) as peer:
            peer.send_some(message(version, b'\x80' * 60_000) * 300)


def bytes_behind_the_closing_frame_are_nothing(server):
    with connect(server, '76') as peer:
        peer.send(message('76', b'before') + b'\xff\0' + message('76', b'never') * 10_000 + b'\xff\0' * 1000)
        peer.expect(answer('76', b'before') + b'\xff\0').expect_drop()


def handshakes_of_two_versions_at_once_are_one_or_none(server):
    both = head('76').replace(b'\r\n\r\n', b'\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
    with Peer(server) as peer:  # the version wins, and the nonce is then a frame: a broken one
        got = peer.send(both + KEY3 + message('76', b'never')).read_all()
        expect(status(got) in (101, 400) and b'never' not in got and PROOF['76'] not in got, lambda: f'answered {got!r}')
    for line in (b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', b'Sec-WebSocket-Draft: 3', b'Sec-WebSocket-Key1: 1 1', b'Sec-WebSocket-Version: 13'):
        with Peer(server) as peer:  # 75 with something that belongs to another
            peer.send(head('75').replace(b'\r\n\r\n', b'\r\n' + line + b'\r\n\r\n') + message('75', b'never')).expect_status(400, 426)
    for line in (b'Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5', b'Sec-WebSocket-Key2: 1 1', b'Origin: http://127.0.0.1', b'Upgrade: WebSocket'):
        with Peer(server) as peer:  # twice the same
            got = peer.send(head('76').replace(b'\r\n\r\n', b'\r\n' + line + b'\r\n\r\n') + KEY3).read_to(b'\r\n\r\n')
            expect(status(got) in (400, 403), lambda: f'{line!r} twice was answered {got!r}')


ATTACKS = [endless_length_runs_are_dropped, lengths_beyond_the_limit_are_dropped, text_that_never_ends_is_dropped,
           the_frame_that_ended_other_servers_is_skipped, other_types_are_skipped, variants_of_the_closing_frame,
           bad_text_is_replaced, many_empty_frames_cost_little, bad_keys_are_refused_before_anything_is_promised,
           odd_but_legal_keys_are_answered, the_key_body_may_be_split_glued_or_announced,
           a_key_body_that_is_cut_short_ends_with_the_deadline, frames_are_understood_at_every_split, the_limit_is_met_to_the_byte,
           bad_text_that_is_replaced_does_not_grow_beyond_bounds, bytes_behind_the_closing_frame_are_nothing,
           handshakes_of_two_versions_at_once_are_one_or_none]

for attack in ATTACKS:
    needs('ours', **getattr(attack, 'bounds', {}))(attack)
