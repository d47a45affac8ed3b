"""What RFC 6455 and RFC 7692 say and Autobahn does not try."""

import zlib

import frames
import payloads
from compression import TAIL, Compressed, agree, deflate
from conversation import Closed, Conversation, Octets, Send, ServerFails, WeClose
from frames import OCTETS, Frame, binary, close, fragments, more, ping, text

LIMIT = 1 << 24  # of a message, on our server
FRAGMENTS = 70000  # on our server
OFFER = 'permessage-deflate'
HELLO = 'Hello, wörld!'.encode()
CASES = []
counts = {}


def case(group, sent, steps, events, end, **more_facts):
    if isinstance(steps[0], Frame):
        steps = [Send(steps)]
    counts[group] = counts.get(group, 0) + 1
    CASES.append(Conversation(f'x{group}.{counts[group]}', sent, steps, events, end, **more_facts))


def framing():
    """Masks, lengths, limits, codes and cut characters."""
    for what, frame in ('text', text(HELLO)), ('empty ping', ping()), ('close 1000', close(1000)):
        bare = bytes((frame.encode()[0], len(frame.payload))) + frame.payload
        case(1, f'{what} without a mask', [Octets(bare)], [], ServerFails(1002))
    for what, head, size in (('126 octets in the form of 64 bits', b'\xff', 126), ('125 octets in the form of 16 bits', b'\xfe', 125),
                             ('5 octets in the form of 64 bits', b'\xff', 5)):
        payload = b'*' * size
        octets = b'\x82' + head + size.to_bytes(8 if head == b'\xff' else 2, 'big') + bytes(4) + payload
        case(1, f'a length of {what}', [Octets(octets)], [], ServerFails(1002), versions=('13',))
        case(1, f'a length of {what}, legal before draft 14', [Octets(octets)], [('binary', payload)], WeClose(), versions=('8', '7'))
    case(1, 'a length with its top bit set', [Octets(b'\x82\xff\x80' + bytes(7) + bytes(4))], [], ServerFails(1002))
    case(1, 'the beginning of a message of 16 MiB and one octet', [Octets(frames.header(binary(), bytes(4), LIMIT + 1))], [],
         ServerFails(1009), ours=True)
    case(1, '16 MiB in two fragments, and the beginning of one of 1 octet',
         [Send([binary(bytes(LIMIT // 2), fin=False), more(bytes(LIMIT // 2), fin=False)]), Octets(frames.header(more(), bytes(4), 1))],
         [], ServerFails(1009), ours=True)
    case(1, f'a message of {FRAGMENTS + 1} fragments', fragments(frames.BINARY, bytes(FRAGMENTS), 1), [], ServerFails(1008), ours=True)
    for code in 1012, 1013, 1014:
        case(1, f'close {code}', [close(code)], [], Closed((1000, code)))
    case(1, 'close 1015', [close(1015)], [], Closed((1002,), no_code=False))
    cut = b'a\xe2\x82'
    case(1, 'text that ends within a character, octet by octet', [Send([text(cut)], OCTETS)], [], ServerFails(1007))
    case(1, 'two fragments that end within a character', [text(cut[:2], fin=False), more(cut[2:])], [], ServerFails(1007))
    case(1, 'a fragment that ends within a character, an empty last one', [text(cut, fin=False), more()], [], ServerFails(1007))
    case(1, 'the rest of a character as a text of its own', [text(cut), text(b'\xac')], [], ServerFails(1007))


def compressed(group, sent, steps, events, end, **more_facts):
    case(group, sent, steps, events, end, offer=OFFER, agree=agree, versions=('13',), **more_facts)


def packed(payload, opcode=frames.TEXT, **bits):
    return Frame(opcode, payload, rsv=4, **bits)


def compression():
    """permessage-deflate, in what a single message can show."""
    hello = deflate(HELLO)
    echo = [('text', HELLO)]
    compressed(2, 'compressed text', [packed(hello)], echo, WeClose())
    compressed(2, 'compressed text octet by octet', [Send([packed(hello)], 1)], echo, WeClose())
    compressed(2, 'compressed text in fragments of 1 octet', fragments(frames.TEXT, hello, 1, rsv=4), echo, WeClose())
    compressed(2, 'text that is not compressed', [text(HELLO)], echo, WeClose())
    compressed(2, 'three texts, of which the second is compressed', [text(b'one'), packed(hello), text(b'three')],
               [('text', b'one'), *echo, ('text', b'three')], WeClose())
    compressed(2, 'compressed text of no characters: `00`', [packed(b'\x00')], [('text', b'')], WeClose())
    compressed(2, 'compressed text of no octets on the wire', [packed(b'')], [('text', b'')], WeClose())
    stored = b'\x00' + len(HELLO).to_bytes(2, 'little') + (len(HELLO) ^ 0xffff).to_bytes(2, 'little') + HELLO + b'\x00'
    compressed(2, 'text in a block that is stored (RFC 7692 7.2.3.3)', [packed(stored)], echo, WeClose())
    final = zlib.compressobj(wbits=-15)
    final = final.compress(HELLO) + final.flush()
    compressed(2, 'text in a block that says it is the last (RFC 7692 7.2.3.4)', [packed(final + b'\x00')], echo, WeClose())
    compressed(2, 'two blocks (RFC 7692 7.2.3.5)', [packed(deflate(HELLO[:5]) + TAIL + deflate(HELLO[5:]))], echo, WeClose())
    compressed(2, 'compressed text with a ping between its fragments', [packed(hello[:4], fin=False), ping(b'between'), more(hello[4:])],
               [('pong', b'between'), *echo], WeClose())
    zeros = b'\x00' * LIMIT
    compressed(2, '16 MiB of zeros in 16 KiB', [packed(deflate(zeros), frames.BINARY)], [('binary', zeros)], WeClose(), ours=True)
    compressed(2, '16 MiB of zeros and one more in 16 KiB', [packed(deflate(zeros + b'\x00'), frames.BINARY)], [], ServerFails(1009),
               ours=True)
    bomb = (deflate(bytes(1 << 20)) + TAIL) * 1024 + b'\x00'
    compressed(2, '1 GiB of zeros in 1 MiB', [packed(bomb, frames.BINARY)], [], ServerFails(1009), ours=True)
    compressed(2, 'compressed text that is not UTF-8', [packed(deflate(b'a\xed\xa0\x80b'))], [], ServerFails(1007))
    compressed(2, 'what is no DEFLATE: `07`', [packed(b'\x07' * 10)], [], ServerFails(1007), ours=True)
    compressed(2, 'compressed text of which the end is missing', [packed(deflate(HELLO * 10)[:8])], [], ServerFails(1007), ours=True)
    compressed(2, 'a reference to before the first message', [packed(b'\x03\x82\x00')], [], ServerFails(1007), ours=True)
    compressed(2, 'RSV1 on the second fragment', [packed(hello[:4], fin=False), more(hello[4:], rsv=4)], [], ServerFails(1002))
    compressed(2, 'RSV1 on a ping', [ping(HELLO, rsv=4)], [], ServerFails(1002))
    compressed(2, 'RSV1 on a close', [close(1000, rsv=4)], [], ServerFails(1002))
    compressed(2, 'RSV1 and RSV2 on a text', [Frame(frames.TEXT, hello, rsv=6)], [], ServerFails(1002))


def offers():
    """What is agreed on. An offer that is not right is declined, and the connection does without."""
    for offer in ('permessage-deflate; unknown', 'permessage-deflate; server_max_window_bits=7',
                  'permessage-deflate; server_max_window_bits=16', 'permessage-deflate; server_max_window_bits',
                  'permessage-deflate; server_max_window_bits=09', 'permessage-deflate; client_max_window_bits=8x', 'permessage-deflate; server_no_context_takeover=1',
                  'permessage-deflate; client_no_context_takeover; client_no_context_takeover', 'permessage-deflate-x', 'deflate-stream',
                  'x-webkit-deflate-frame', 'permessage-bzip2'):
        case(3, f'`{offer}` (declined)', [text(HELLO)], [('text', HELLO)], WeClose(), versions=('13',), offer=offer)
    for offer in ('permessage-deflate', 'permessage-deflate; client_max_window_bits', 'permessage-deflate; client_max_window_bits=9',
                  'permessage-deflate; server_max_window_bits="10"', 'permessage-deflate; server_max_window_bits=8',
                  'unknown; a=b, permessage-deflate; wrong=1, permessage-deflate'):
        case(3, f'`{offer}` (agreed on)', [packed(deflate(HELLO, 9))], [('text', HELLO)], WeClose(), versions=('13',), offer=offer,
             agree=agree)
    case(3, '`permessage-deflate` on 8 and 7, which do not know it (declined)', [text(HELLO)], [('text', HELLO)], WeClose(), versions=('8', '7'),
         offer=OFFER)


def contexts():
    """Messages of a client that refers to earlier ones, as far as it may."""
    for offer in (OFFER, OFFER + '; client_max_window_bits', OFFER + '; client_max_window_bits=10; server_max_window_bits=10'):
        for size in 16, 1024, 32768:
            counts[4] = counts.get(4, 0) + 1
            CASES.append(Compressed(f'x4.{counts[4]}', f'`{offer}`', frames.TEXT, payloads.json_text, offer, size, 480, 0, refers=True))


GROUPS = [(1, framing), (2, compression), (3, offers), (4, contexts)]
for _, fill in GROUPS:
    fill()
