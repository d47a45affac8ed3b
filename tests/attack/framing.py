"""Attacks on the framing of versions 7, 8 and 13, and of all where they are alike."""

import time

from tools import HYBI, PROOF, VERSIONS, LIMITS, Peer, answer, close_frame, connect, expect, frame, handshake, message

LIMIT = LIMITS['message_size']


def refuse(server, data, *codes, versions=HYBI):
    """Each version must close with one of the codes, with nothing executed that lies behind."""
    for version in versions:
        with connect(server, version) as peer:
            peer.send(data + message(version, b'never'))
            got = peer.read_frame()
            expect(got, f'version {version} dropped instead of closing with {codes} on {data[:40]!r}')
            expect(got[0] == 0x88, lambda: f'version {version} answered {got} to {data[:40]!r}')
            code = int.from_bytes(got[1][:2], 'big')
            expect(code in codes, lambda: f'version {version} closed with {code}, not {codes}, on {data[:40]!r}: {got[1]}')
            expect(len(got[1]) <= 125, 'the closing frame is too long')
            peer.expect_drop()


def conversation(version):
    """What a client says and the answer to it."""
    text = 'h\u00e9llo \u20ac \U0001f600'.encode()
    said, heard = message(version, text), answer(version, text)
    if version in HYBI:
        mask = b'\x37\xfa\x21\x3d'
        said += frame(0x01, text[:2], mask) + frame(0x8a, b'pong', mask) + frame(0x80, text[2:], mask) + frame(0x82, b'', mask)
        heard += frame(0x81, text, mask=None) + frame(0x82, b'', mask=None)
    else:
        said += b'\x80\x03\xff\xff\xff' + message(version, b'x')
        heard += answer(version, b'x')
    return said, heard


def every_split_point_gives_the_same(server):
    for version in VERSIONS:
        hello, (said, heard) = handshake(version), conversation(version)
        # Behind the handshake, and inside it in coarser steps.
        cuts = list(range(0, len(hello), 7)) + list(range(len(hello) - 9, len(hello) + len(said)))
        for some in (cuts[i:i + 60] for i in range(0, len(cuts), 60)):
            peers = [Peer(server).send((hello + said)[:cut]) for cut in some]
            time.sleep(0.02)
            for peer, cut in zip(peers, some):
                peer.send((hello + said)[cut:])
            for peer, cut in zip(peers, some):
                peer.read_to(b'\r\n\r\n')
                got = peer.read(len(PROOF[version]) + len(heard))
                expect(got == PROOF[version] + heard, lambda: f'version {version} cut at {cut}: {got!r}')
                peer.close()


def byte_by_byte_gives_the_same(server):
    for version in VERSIONS:
        said, heard = conversation(version)
        with Peer(server) as peer:
            for byte in handshake(version) + said:
                peer.send(bytes((byte,)))
            peer.read_to(b'\r\n\r\n')
            peer.expect(PROOF[version] + heard)


def lengths_up_to_the_limit_are_echoed(server):
    for version in HYBI:
        with connect(server, version) as peer:
            for length in (0, 1, 125, 126, 127, 65535, LIMIT):
                for kind in (0x81, 0x82):
                    peer.send(frame(kind, b'x' * length)).expect(frame(kind, b'x' * length, mask=None))


def lengths_beyond_the_limit_are_refused_before_the_payload(server):
    for length in (LIMIT + 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**62, 2**63 - 1):
        for kind in (0x81, 0x82):
            refuse(server, frame(kind, length=length), 1009)


def lengths_with_the_high_bit_are_refused(server):
    for length in (2**63, 2**63 + 5, 2**64 - 1):
        refuse(server, frame(0x82, length=length), 1002, 1009)


def longer_forms_of_lengths(server):
    for length, size in ((0, 2), (5, 2), (125, 2), (5, 8), (126, 8), (65535, 8)):
        data = frame(0x82, b'x' * length, size_of_length=size)
        refuse(server, data, 1002, versions=('13',))
        for version in ('7', '8'):  # where they are legal
            with connect(server, version) as peer:
                peer.send(data).expect(frame(0x82, b'x' * length, mask=None))
    refuse(server, frame(0x89, b'x' * 5, size_of_length=2), 1002, versions=('13',))


def sums_of_fragments_cannot_wrap(server):
    for length in (LIMIT, 2**31 - 1, 2**32 - 1, 2**63 - 1):
        refuse(server, frame(0x02, b'x') + frame(0x80, length=length), 1009)
    refuse(server, frame(0x02, b'x') + frame(0x80, length=2**64 - 1), 1002, 1009)
    refuse(server, frame(0x02, b'x' * (LIMIT // 2)) * 1 + frame(0x00, b'x' * (LIMIT // 2)) + frame(0x80, b'x'), 1009)


def unmasked_frames_are_refused(server):
    for kind in (0x81, 0x82, 0x88, 0x89, 0x8a, 0x01):
        refuse(server, frame(kind, b'', mask=None), 1002)
        refuse(server, frame(kind, b'\x03\xe8', mask=None), 1002)


def reserved_bits_are_refused(server):
    for bits in (0x40, 0x20, 0x10, 0x70):
        for kind in (0x81, 0x82, 0x88, 0x89, 0x01):
            refuse(server, frame(kind | bits, b'x'), 1002)


def reserved_opcodes_are_refused_before_a_huge_payload(server):
    for opcode in (3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf):
        refuse(server, frame(0x80 | opcode), 1002)
        if opcode < 8:
            refuse(server, frame(0x80 | opcode, length=2**62), 1002, 1009)
            refuse(server, frame(opcode, length=2**31), 1002, 1009)


def broken_sequences_are_refused(server):
    refuse(server, frame(0x80, b'orphan'), 1002)
    refuse(server, frame(0x00, b'orphan'), 1002)
    refuse(server, frame(0x01, b'a') + frame(0x81, b'b'), 1002)
    refuse(server, frame(0x01, b'a') + frame(0x02, b'b'), 1002)
    for version in HYBI:  # an orphan behind a whole message
        with connect(server, version) as peer:
            peer.send(message(version, b'')).expect(answer(version, b''))  # so that somebody receives
            peer.send(frame(0x01, b'a') + frame(0x80, b'b') + frame(0x80, b'c'))
            peer.expect(frame(0x81, b'ab', mask=None)).expect_close(1002)


def bad_control_frames_are_refused(server):
    for kind in (0x88, 0x89, 0x8a):
        refuse(server, frame(kind, b'\x03\xe8' + b'x' * 124), 1002)
        refuse(server, frame(kind, length=2**62), 1002)
        refuse(server, frame(kind & 0x0f, b'\x03\xe8'), 1002)


def bad_close_codes_are_refused(server):
    for code in (0, 1, 999, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65535):
        refuse(server, close_frame(code), 1002)
    refuse(server, close_frame(1004), 1002, versions=('13',))
    refuse(server, frame(0x88, b'\x03'), 1002)
    for bad in (b'\xff', b'\xc0\x80', b'\xed\xa0\x80', b'\xe2\x82'):
        refuse(server, close_frame(1000, bad), 1007, 1002)


def good_close_codes_are_echoed(server):
    for version in HYBI:
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 3000, 3999, 4000, 4999):
            with connect(server, version) as peer:
                peer.send(close_frame(code, b'x' * 123) + message(version, b'never')).expect_close(code)
        for code in (1010, 1011):  # legal for a client, but not always for a server
            with connect(server, version) as peer:
                peer.send(close_frame(code)).expect_close(code, 1000, 1001)
        with connect(server, version) as peer:
            peer.send(frame(0x88)).expect_close(None, 1000)
    for version in ('7', '8'):
        with connect(server, version) as peer:
            peer.send(close_frame(1004)).expect_close(1004, 1000)


BAD_TEXTS = (b'\x80', b'\xc0\xaf', b'\xc1\xbf', b'\xe0\x80\x80', b'\xed\xa0\x80', b'\xed\xbf\xbf', b'\xf0\x80\x80\x80',
             b'\xf4\x90\x80\x80', b'\xf5\x80\x80\x80', b'\xff', b'\xfe', b'a\xc3', b'\xe2\x82', b'\xf0\x9f\x98', b'\xc3(')


def bad_text_is_refused(server):
    for text in BAD_TEXTS:
        refuse(server, frame(0x81, text), 1007)
        refuse(server, frame(0x01, text) + frame(0x80), 1007)
        refuse(server, frame(0x01, text[:1]) + frame(0x80, text[1:]), 1007)
        refuse(server, frame(0x81, b'good ' * 100 + text), 1007)


def bad_text_is_refused_as_early_as_it_can_be_known(server):
    for text in (b'\xff', b'\xc0', b'\xe0\x80', b'\xed\xa0', b'\xf0\x80', b'\xf4\x90', b'ok\xc3('):
        for version in HYBI:
            with connect(server, version) as peer:  # the rest of the frame never comes
                peer.send(frame(0x81, text, length=1000)).expect_close(1007)
            with connect(server, version) as peer:  # nor does the rest of the message
                peer.send(frame(0x01, text)).expect_close(1007)


def good_text_may_be_cut_anywhere(server):
    text = 'a\u00e9\u20ac\U0001f600\U0010ffff\ud7ff\ue000'.encode()
    for version in HYBI:
        with connect(server, version) as peer:
            for cut in range(len(text) + 1):
                peer.send(frame(0x01, text[:cut]) + frame(0x00) + frame(0x80, text[cut:]))
                peer.expect(frame(0x81, text, mask=None))
            peer.send(b''.join(frame(0x00 if i else 0x01, text[i:i + 1]) for i in range(len(text))) + frame(0x80))
            peer.expect(frame(0x81, text, mask=None))


ATTACKS = [every_split_point_gives_the_same, byte_by_byte_gives_the_same, lengths_up_to_the_limit_are_echoed,
           lengths_beyond_the_limit_are_refused_before_the_payload, lengths_with_the_high_bit_are_refused,
           longer_forms_of_lengths, sums_of_fragments_cannot_wrap, unmasked_frames_are_refused, reserved_bits_are_refused,
           reserved_opcodes_are_refused_before_a_huge_payload, broken_sequences_are_refused, bad_control_frames_are_refused,
           bad_close_codes_are_refused, good_close_codes_are_echoed, bad_text_is_refused,
           bad_text_is_refused_as_early_as_it_can_be_known, good_text_may_be_cut_anywhere]
