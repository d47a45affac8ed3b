"""Attacks on the framing of versions 7, 8 and 13, and of all where they are alike."""

import codecs
import contextlib
import random
import time

from tools import (HYBI, JUDGE, PROOF, VERSIONS, LIMITS, Failure, Peer, answer, case, close_frame, connect, expect, frame, handshake,
                   message, needs)



def refuse(server, data, *codes, versions=HYBI):
    """Each version must close with one of the codes, with nothing executed that lies behind."""
    for version in versions:
        if version not in HYBI:
            continue
        with case(), connect(server, version) as peer:
            peer.send(data + message(version, b'never'))
            got = peer.read_frame()
            if got is None and not JUDGE['ours']:
                continue  # RFC 6455 7.1.7: a closing frame should be sent, but need not
            expect(got, f'version {version} dropped instead of closing with {codes} on {data[:40]!r}')
            expect(got[0] == 0x88, lambda: f'version {version} answered {got} to {data[:40]!r}')
            code = int.from_bytes(got[1][:2], 'big')
            expect(code in codes, lambda: f'version {version} closed with {code}, not {codes}, on {data[:40]!r}: {got[1]}')
            expect(len(got[1]) <= 125, 'the closing frame is too long')
            peer.expect_nothing_more()


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
        cuts = list(range(len(hello) + len(said) + 1))
        for some in (cuts[i:i + 60] for i in range(0, len(cuts), 60)):
            peers = [Peer(server).send((hello + said)[:cut]) for cut in some]
            time.sleep(0.02)
            for peer, cut in zip(peers, some):
                peer.send((hello + said)[cut:])
            for peer, cut in zip(peers, some):
                with case(), peer:
                    peer.read_to(b'\r\n\r\n')
                    got = peer.read(len(PROOF[version]) + len(heard))
                    expect(got == PROOF[version] + heard, lambda: f'version {version} cut at {cut}: {got!r}')


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
        with case(), connect(server, version) as peer:
            for length in (0, 1, 125, 126, 127, 65535, min(LIMITS['message_size'] or 65536, 1 << 20)):
                for kind in (0x81, 0x82):
                    peer.send(frame(kind, b'x' * length)).expect(frame(kind, b'x' * length, mask=None))


@needs('message size')
def lengths_beyond_the_limit_are_refused_before_the_payload(server):
    for length in (LIMITS['message_size'] + 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**62, 2**63 - 1):
        for kind in (0x81, 0x82):
            refuse(server, frame(kind, length=length), 1009)


def lengths_with_the_high_bit_are_refused(server):
    for length in (2**63, 2**63 + 5, 2**64 - 1):
        refuse(server, frame(0x82, length=length), 1002, 1009)


def longer_forms_of_lengths(server):
    for length, size in ((0, 2), (5, 2), (125, 2), (5, 8), (126, 8), (65535, 8)):
        data = frame(0x82, b'x' * length, size_of_length=size)
        refuse(server, data, 1002, versions=('13',))
        for version in set(HYBI) - {'13'}:  # where they are legal
            with case(), connect(server, version) as peer:
                peer.send(data).expect(frame(0x82, b'x' * length, mask=None))
    refuse(server, frame(0x89, b'x' * 5, size_of_length=2), 1002, versions=('13',))


@needs('message size')
def sums_of_fragments_cannot_wrap(server):
    for length in (LIMITS['message_size'], 2**31 - 1, 2**32 - 1, 2**63 - 1):
        refuse(server, frame(0x02, b'x') + frame(0x80, length=length), 1009)
    refuse(server, frame(0x02, b'x') + frame(0x80, length=2**64 - 1), 1002, 1009)
    refuse(server, frame(0x02, b'x' * (LIMITS['message_size'] // 2)) + frame(0x00, b'x' * (LIMITS['message_size'] // 2)) + frame(0x80, b'x'), 1009)


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
        for data in (frame(0x80 | opcode, length=2**62), frame(opcode, length=2**31), frame(0x80 | opcode, length=126),
                     frame(0x80 | opcode, b'x' * 1000, length=2**20)):
            refuse(server, data, *((1002,) if JUDGE['ours'] else (1002, 1009)))


def broken_sequences_are_refused(server):
    refuse(server, frame(0x80, b'orphan'), 1002)
    refuse(server, frame(0x00, b'orphan'), 1002)
    refuse(server, frame(0x01, b'a') + frame(0x81, b'b'), 1002)
    refuse(server, frame(0x01, b'a') + frame(0x02, b'b'), 1002)
    for version in HYBI:  # an orphan behind a whole message
        with case(), connect(server, version) as peer:
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
            with case(), connect(server, version) as peer:
                peer.send(close_frame(code, b'x' * 123) + message(version, b'never')).expect_close(code)
        for code in (1010, 1011):  # legal for a client, but not always for a server
            with case(), connect(server, version) as peer:
                peer.send(close_frame(code)).expect_close(code, 1000, 1001)
        with case(), connect(server, version) as peer:
            peer.send(frame(0x88)).expect_close(None, 1000)
    for version in set(HYBI) - {'13'}:
        with case(), connect(server, version) as peer:
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
            with case(), connect(server, version) as peer:  # the rest of the frame never comes
                peer.send(frame(0x81, text, length=1000)).expect_close(1007)
            with case(), connect(server, version) as peer:  # nor does the rest of the message
                peer.send(frame(0x01, text)).expect_close(1007)


def good_text_may_be_cut_anywhere(server):
    text = 'a\u00e9\u20ac\U0001f600\U0010ffff\ud7ff\ue000'.encode()
    for version in HYBI:
        with case(), connect(server, version) as peer:
            for cut in range(len(text) + 1):
                peer.send(frame(0x01, text[:cut]) + frame(0x00) + frame(0x80, text[cut:]))
                peer.expect(frame(0x81, text, mask=None))
            peer.send(b''.join(frame(0x00 if i else 0x01, text[i:i + 1]) for i in range(len(text))) + frame(0x80))
            peer.expect(frame(0x81, text, mask=None))


def violations_are_seen_at_every_split(server):
    """However a violation arrives, the same is answered; what stands before it is executed, what lies behind is not."""
    for data, code in ((frame(0x83, b'x'), 1002), (frame(0x80, b'x'), 1002), (frame(0xc1, b'x'), 1002), (frame(0x09, b'x'), 1002),
                       (frame(0x89, b'x' * 126), 1002), (frame(0x81, b'x\xc3('), 1007), (frame(0x01, b'\xe2') + frame(0x80, b'x'), 1007),
                       (frame(0x88, b'\x03'), 1002), (close_frame(1005), 1002), (close_frame(1000, b'\xff'), 1007), (frame(0x82, length=2**62), 1009),
                       (frame(0x81, b'x', mask=None), 1002), (frame(0x01, b'a') + frame(0x01, b'b'), 1002)):
        if code == 1009 and not JUDGE['ours']:
            continue  # others need not have a limit
        data = message('13', b'before') + data
        for version in HYBI:
            # The last byte may come too late for an early refusal.
            for some in (range(cut, min(cut + 40, len(data) + 1)) for cut in range(0, len(data) + 1, 40)):
                peers = [connect(server, version).send(data[:cut]) for cut in some]
                time.sleep(0.01)
                for peer, cut in zip(peers, some):
                    with case(), peer:
                        peer.send(data[cut:] + message(version, b'never'))
                        peer.expect(answer(version, b'before')).expect_close(*((code,) if JUDGE['ours'] else (1002, code)))


@needs('ours')
def random_frames_are_judged_as_a_model_does(server):
    """Conversations by chance, valid frames and broken ones; a few lines of Python that know the RFC say what must come back."""
    for seed in range(400):
        chance = random.Random(seed)
        version = chance.choice(HYBI)
        said, heard, code = conversation_by_chance(chance, version)
        with connect(server, version) as peer:
            at = 0
            while at < len(said):
                size = chance.choice((1, 2, 3, 7, 50, 1000, 100_000))
                peer.send(said[at:at + size])
                at += size
            got = peer.read(len(heard))
            expect(got == heard, lambda: f'seed {seed}: {got[:200]!r} is not {heard[:200]!r}')
            if code == OPEN:
                peer.send(close_frame(4321))
            with seed_named(seed):
                peer.expect_close(code)


OPEN = 4321  # nothing ends the conversation, so the test does


@contextlib.contextmanager
def seed_named(seed):
    try:
        yield
    except Failure as error:
        raise Failure(f'seed {seed}: {error}') from None


def conversation_by_chance(chance, version):
    """Gives what is said, what must be heard, and the code that the server must close with at the end."""
    said, heard = b'', b''
    kind, whole, count = 0, b'', 0
    for _ in range(chance.randrange(1, 25)):
        mask = chance.randbytes(4)
        payload = chance.choice((b'', b'a', 'h\u00e9\u20ac\U0001f600'.encode(), b'x' * chance.choice((125, 126, 127, 5000)), chance.randbytes(8)))
        final = chance.random() < 0.6
        opcode = chance.choice((0, 0, 1, 2, 2, 9, 10) + ((3, 8, 11) if chance.random() < 0.1 else ()))
        rsv = 0x40 >> chance.randrange(3) if chance.random() < 0.02 else 0
        control = opcode >= 8
        size = 2 if chance.random() < 0.02 and len(payload) < 126 else None
        masked = chance.random() > 0.01
        said += frame(opcode | rsv | (0x80 if final else 0), payload, mask if masked else None, size_of_length=size)
        if not masked or rsv or opcode in (3, 11) or control and (not final or len(payload) > 125 or size):
            return said, heard, 1002
        if size and version == '13':
            return said, heard, 1002
        if control:
            if opcode == 9:
                heard += frame(0x8a, payload, mask=None)
            if opcode == 8:
                return said, heard, close_answer(payload)
            continue
        if (opcode == 0) != (kind != 0):
            return said, heard, 1002
        kind, whole, count = kind or opcode, whole + payload, count + 1
        if kind == 1 and not may_become_text(whole, final):
            return said, heard, 1007
        if final:
            heard += frame(0x80 | kind, whole, mask=None)
            kind, whole, count = 0, b'', 0
    return said, heard, OPEN


def may_become_text(data, final):
    try:
        codecs.getincrementaldecoder('utf-8')().decode(data, final)
        return True
    except UnicodeDecodeError:
        return False


def close_answer(payload):
    """What must be answered to a closing frame: its code, or the code that says what is wrong with it; None for no code."""
    if not payload:
        return None
    code = int.from_bytes(payload[:2], 'big')
    if len(payload) < 2 or not (code in (1000, 1001, 1002, 1003, *range(1007, 1015)) or 3000 <= code < 5000):
        return 1002
    return code if may_become_text(payload[2:], True) else 1007


def control_frames_may_stand_anywhere(server):
    for version in HYBI:
        with case(), connect(server, version) as peer:
            parts = b'h\xc3', b'\xa9llo', b'', b' you'
            for i, part in enumerate(parts):
                peer.send(frame((0 if i else 1) | (0x80 if i == 3 else 0), part) + frame(0x89, b'%d' % i) + frame(0x8a, b'unasked'))
                if i < 3:
                    peer.expect(frame(0x8a, b'%d' % i, mask=None))
            peer.expect(frame(0x81, b''.join(parts), mask=None) + frame(0x8a, b'3', mask=None))


def masks_of_all_kinds_are_undone(server):
    chance = random.Random(3)
    for version in HYBI:
        with case(), connect(server, version) as peer:
            for size in (*range(0, 40), 63, 64, 65, 127, 128, 129, 4095, 4096, 4097):
                payload = chance.randbytes(size)
                said = frame(0x82, payload, chance.choice((b'\xff' * 4, b'\1\2\3\4', chance.randbytes(4))))
                cut = chance.randrange(len(said))
                peer.send(said[:cut])
                peer.send(said[cut:]).expect(frame(0x82, payload, mask=None))


ATTACKS = [every_split_point_gives_the_same, byte_by_byte_gives_the_same, lengths_up_to_the_limit_are_echoed,
           lengths_beyond_the_limit_are_refused_before_the_payload, lengths_with_the_high_bit_are_refused,
           longer_forms_of_lengths, sums_of_fragments_cannot_wrap, unmasked_frames_are_refused, reserved_bits_are_refused,
           reserved_opcodes_are_refused_before_a_huge_payload, broken_sequences_are_refused, bad_control_frames_are_refused,
           bad_close_codes_are_refused, good_close_codes_are_echoed, bad_text_is_refused,
           bad_text_is_refused_as_early_as_it_can_be_known, good_text_may_be_cut_anywhere, violations_are_seen_at_every_split,
           random_frames_are_judged_as_a_model_does, control_frames_may_stand_anywhere, masks_of_all_kinds_are_undone]
