"""The cases of the Autobahn test suite, groups 1 to 7 and 10, as conversations. Group 9 is in bulk.py, 12 and 13 are in
compression.py. Ids, octets, events and codes are those of crossbario/autobahn-testsuite 25.10.1; where it takes two results
(OK and NON-STRICT), only the first counts here."""

import frames
from conversation import Closed, Conversation, Gets, Part, Send, ServerFails, Silence, WeClose
from frames import FRAMES, OCTETS, WHOLE, Frame, binary, close, fragments, more, ping, pong, text

HELLO = b'Hello, world!'
ODD = b'\x00\xff\xfe\xfd\xfc\xfb\x00\xff'
CUT = {WHOLE: 'at once', FRAMES: 'frame by frame', OCTETS: 'octet by octet'}
CASES = []


def case(id, sent, steps, events, end, **more_facts):
    """`steps` may be frames alone, which are sent at once."""
    if isinstance(steps, Frame):
        steps = [steps]
    if all(isinstance(step, Frame) for step in steps):
        steps = [Send(steps)]
    CASES.append(Conversation(id, sent, steps, events, end, **more_facts))


def group_1():
    """Messages of different lengths."""
    for group, make, kind, octet in ('1.1', text, 'text', b'*'), ('1.2', binary, 'binary', b'\xfe'):
        for number, length in enumerate((0, 125, 126, 127, 128, 65535, 65536, 65536), 1):
            message = make(octet * length)
            way = 997 if number == 8 else WHOLE
            case(f'{group}.{number}', f'{kind} of {length} octets' + (f' in pieces of {way}' if number == 8 else ''),
                 [Send([message], way)], [(kind, message.payload)], WeClose())


def group_2():
    """Pings and pongs."""
    for number, what, payload in ((1, 'empty ping', b''), (2, 'ping with text', HELLO), (3, 'ping with octets that are no text', ODD),
                                  (4, 'ping of 125 octets', b'\xfe' * 125)):
        case(f'2.{number}', what, ping(payload), [('pong', payload)], WeClose())
    case('2.5', 'ping of 126 octets', ping(b'\xfe' * 126), [], ServerFails(1002))
    case('2.6', 'ping of 125 octets, octet by octet', [Send([ping(b'\xfe' * 125)], OCTETS)], [('pong', b'\xfe' * 125)], WeClose())
    unasked = pong(b'unsolicited pong payload')
    case('2.7', 'empty pong that nobody asked for, close 1000', [pong(), close(1000)], [], Closed((1000,)))
    case('2.8', 'pong that nobody asked for, close 1000', [unasked, close(1000)], [], Closed((1000,)))
    case('2.9', 'pong that nobody asked for, ping', [unasked, ping(b'ping payload')], [('pong', b'ping payload')], WeClose())
    payloads = [b'payload-%d' % i for i in range(10)]
    for number, way in (10, WHOLE), (11, OCTETS):
        case(f'2.{number}', f'10 pings {CUT[way]}', [Send([ping(each) for each in payloads], way)],
             [('pong', each) for each in payloads], WeClose())


def echo_then_failure(id, what, bad, way=WHOLE):
    case(id, f'text, {what}, ping, {CUT[way]}', [Send([text(HELLO), bad, ping()], way)], [('text', HELLO)], ServerFails(1002))


def group_3():
    """Reserved bits, as a number of three bits in which RSV1 is 4."""
    case('3.1', 'text with reserved bits 1', text(HELLO, rsv=1), [], ServerFails(1002))
    for number, way in (2, WHOLE), (3, FRAMES), (4, OCTETS):
        echo_then_failure(f'3.{number}', f'text with reserved bits {number}', text(HELLO, rsv=number), way)
    case('3.5', 'binary with reserved bits 5', binary(ODD, rsv=5), [], ServerFails(1002))
    case('3.6', 'binary with reserved bits 6', binary(HELLO, rsv=6), [], ServerFails(1002))
    case('3.7', 'close with reserved bits 7', close(rsv=7), [], ServerFails(1002))


def group_4():
    """Reserved opcodes, of data and of control frames."""
    for group, first in ('4.1', 3), ('4.2', 11):
        case(f'{group}.1', f'empty frame with opcode {first}', Frame(first), [], ServerFails(1002))
        case(f'{group}.2', f'frame with opcode {first + 1}', Frame(first + 1, b'reserved opcode payload'), [], ServerFails(1002))
        for number, payload, way in (3, b'', WHOLE), (4, HELLO, WHOLE), (5, HELLO, OCTETS):
            opcode = first + number - 1
            echo_then_failure(f'{group}.{number}', f'{"" if payload else "empty "}frame with opcode {opcode}', Frame(opcode, payload), way)


def group_5():
    """Fragments."""
    one, two, three, four, five = (b'fragment%d' % i for i in range(1, 6))
    case('5.1', 'ping in two fragments', [ping(one, fin=False), more(two)], [], ServerFails(1002))
    case('5.2', 'pong in two fragments', [pong(one, fin=False), more(two)], [], ServerFails(1002))
    ways = WHOLE, FRAMES, OCTETS
    for number, way in enumerate(ways, 3):
        case(f'5.{number}', f'text in two fragments {CUT[way]}', [Send([text(one, fin=False), more(two)], way)],
             [('text', one + two)], WeClose())
    inner = ping(b'ping payload')
    for number, way in enumerate(ways, 6):
        case(f'5.{number}', f'text in two fragments with a ping between them {CUT[way]}',
             [Send([text(one, fin=False), inner, more(two)], way)], [('pong', inner.payload), ('text', one + two)], WeClose())
    for start, fin, what in (9, True, 'last'), (12, False, 'further'):
        for number, way in enumerate(ways, start):
            case(f'5.{number}', f'{what} fragment of nothing, text, {CUT[way]}',
                 [Send([more(b'non-continuation payload', fin=fin), text(HELLO)], way)], [], ServerFails(1002))
    case('5.15', 'text in two fragments, further fragment of nothing, text',
         [text(one, fin=False), more(two), more(three, fin=False), text(four)], [('text', one + two)], ServerFails(1002))
    for number, fin, what in (16, False, 'further'), (17, True, 'last'):
        case(f'5.{number}', f'twice: {what} fragment of nothing, text in two fragments',
             [more(one, fin=fin), text(two, fin=False), more(three)] * 2, [], ServerFails(1002))
    case('5.18', 'two fragments that both say they are the first', [text(one, fin=False), text(two)], [], ServerFails(1002))
    pings = [ping(b'pongme 1!'), ping(b'pongme 2!')]
    pongs = [('pong', each.payload) for each in pings]
    for number, way in (19, WHOLE), (20, FRAMES):
        case(f'5.{number}', f'two fragments and a ping, a wait, two more and a ping, the last, {CUT[way]}',
             [Send([text(one, fin=False), more(two, fin=False), pings[0]], way), Gets(pongs[:1]), Silence(),
              Send([more(three, fin=False), more(four, fin=False), pings[1], more(five)], way)],
             [*pongs, ('text', one + two + three + four + five)], WeClose())


# Groups 6.5 to 6.23: from Markus Kuhn's "UTF-8 decoder capability and stress test". True is valid.
GREEK = 'κόσμε'.replace('ό', '\u1f79').encode()
MISSING = ['c0', 'e080', 'f08080', 'f8808080', 'fc80808080', 'df', 'efbf', 'f7bfbf', 'fbbfbfbf', 'fdbfbfbfbf']
LONELY = (0xc0, 0xdf), (0xe0, 0xef), (0xf0, 0xf7), (0xf8, 0xfb), (0xfc, 0xfd)
HIGH, LOW = ('eda080', 'edadbf', 'edae80', 'edafbf'), ('edb080', 'edbfbf')
# The last two code points of each plane are no characters, and valid.
PLANES = [chr(plane << 16 | last).encode().hex() for plane in range(1, 17) for last in (0xfffe, 0xffff)]
UTF_8 = [
    ('valid text', True, ['68656c6c6f24776f726c64', '68656c6c6fc2a2776f726c64', '68656c6c6fe282ac776f726c64',
                          '68656c6c6ff0a4ada2776f726c64', GREEK.hex()]),
    ('beginning of a valid text', None, [GREEK[:size].hex() for size in range(1, len(GREEK) + 1)]),
    ('first of its length', True, ['00', 'c280', 'e0a080', 'f0908080']),
    ('first of a length that is too long', False, ['f888808080', 'fc8480808080']),
    ('last of its length', True, ['7f', 'dfbf', 'efbfbf', 'f48fbfbf']),
    ('last of a length, too large', False, ['f7bfbfbf', 'fbbfbfbfbf', 'fdbfbfbfbfbf']),
    ('other boundary', None, ['ed9fbf', 'ee8080', 'efbfbd', 'f48fbfbf', 'f4908080']),
    ('unexpected continuation', False, ['80', 'bf', '80bf', '80bf80', '80bf80bf', '80bf80bf80', '80bf80bf80bf',
                                        bytes(range(0x80, 0xbf)).hex()]),
    ('lonely start', False, [b' '.join(bytes((i,)) for i in range(*ends)).hex() + '20' for ends in LONELY]),
    ('last octet missing', False, MISSING),
    ('many of which the last octet is missing', False, [''.join(MISSING)]),
    ('impossible octet', False, ['fe', 'ff', 'fefeffff']),
    ('overlong ASCII', False, ['c0af', 'e080af', 'f08080af', 'f8808080af', 'fc80808080af']),
    ('overlong, the largest', False, ['c1bf', 'e09fbf', 'f08fbfbf', 'f887bfbfbf', 'fc83bfbfbfbf']),
    ('overlong NUL', False, ['c080', 'e08080', 'f0808080', 'f880808080', 'fc8080808080']),
    ('surrogate', False, [*HIGH, 'edb080', 'edbe80', 'edbfbf']),
    ('pair of surrogates', False, [high + low for high in HIGH for low in LOW]),
    ('no character', True, ['efbfbe', 'efbfbf', *PLANES]),
    ('special', True, ['efbfb9', 'efbfba', 'efbfbb', 'efbfbc', 'efbfbd', 'efbfbe', 'efbfbf']),
]


def is_valid(octets):
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def utf_8_sequences():
    """Gives (number of the group, number, title, octets, whether they are valid) for 6.5 to 6.23."""
    for group, (title, verdict, sequences) in enumerate(UTF_8, 5):
        for number, octets in enumerate(map(bytes.fromhex, sequences), 1):
            # Python decodes as RFC 3629 says. Where the table says so too, a mistake in either would show.
            assert verdict in (None, is_valid(octets)), (title, octets)
            yield group, number, title, octets, is_valid(octets)


def group_6():
    """UTF-8, also checked while a message is still coming in."""
    case('6.1.1', 'empty text', text(), [('text', b'')], WeClose())
    case('6.1.2', 'text in three empty fragments', [text(fin=False), more(fin=False), more()], [('text', b'')], WeClose())
    middle = b'middle frame payload'
    case('6.1.3', 'text in three fragments, the first and the last empty', [text(fin=False), more(middle, fin=False), more()],
         [('text', middle)], WeClose())
    parts = 'Hello-µ@ßöä'.encode(), 'üàá-UTF-8!!'.encode()
    whole = b''.join(parts)
    case('6.2.1', 'valid text', text(whole), [('text', whole)], WeClose())
    case('6.2.2', 'valid text, cut between characters', [text(parts[0], fin=False), more(parts[1])], [('text', whole)], WeClose())
    case('6.2.3', 'valid text in fragments of 1 octet', fragments(frames.TEXT, whole, 1), [('text', whole)], WeClose())
    case('6.2.4', 'valid Greek text in fragments of 1 octet', fragments(frames.TEXT, GREEK, 1), [('text', GREEK)], WeClose())
    broken = GREEK + b'\xed\xa0\x80' + b'edited'
    case('6.3.1', 'text with a surrogate in it', text(broken), [], ServerFails(1007))
    case('6.3.2', 'text with a surrogate in it, in fragments of 1 octet', fragments(frames.TEXT, broken, 1), [], ServerFails(1007))

    # The rest of the message is never sent: the server must not wait for it.
    broken = GREEK + b'\xf4\x90\x80\x80' + b'edited'  # wrong from the octet 90 on
    cuts = {1: (11, 15), 2: (12, 13)}
    for number, (first, second) in cuts.items():
        case(f'6.4.{number}', f'{first} octets of a text in a fragment, a wait, a fragment that makes them invalid'
             + (' with its first octet' if number == 2 else '') + '; the rest never comes',
             [Send([text(broken[:first], fin=False)]), Silence(), Send([more(broken[first:second], fin=False)])], [], ServerFails(1007))
        case(f'6.4.{number + 2}', f'the same with {first} and {second - first} octets of one frame',
             [Part(text(broken), 0, first), Silence(), Part(text(broken), first, second)], [], ServerFails(1007))

    for group, number, title, octets, valid in utf_8_sequences():
        case(f'6.{group}.{number}', f'{title}: `{octets.hex()}`', text(octets), [('text', octets)] if valid else [],
             WeClose() if valid else ServerFails(1007))


def group_7():
    """The closing handshake."""
    hello = b'Hello World!'
    normal = close(1000)
    case('7.1.1', 'text', text(hello), [('text', hello)], WeClose())
    case('7.1.2', 'close 1000, close', [normal, close()], [], Closed((1000,)))
    case('7.1.3', 'close 1000, ping', [normal, ping()], [], Closed((1000,)))
    case('7.1.4', 'close 1000, text', [normal, text(hello)], [], Closed((1000,)))
    one, two = b'fragment1', b'fragment2'
    case('7.1.5', 'fragment, close 1000, last fragment', [text(one, fin=False), normal, more(two)], [], Closed((1000,)))
    large = (b'BAsd7&jh23' * 26215)[:262144]
    case('7.1.6', 'text of 262144 octets, text, close 1000, ping', [text(large), text(hello), normal, ping()],
         [('text', large), ('text', hello)], Closed((1000,)), any_prefix=True)
    case('7.3.1', 'empty close', close(), [], Closed((1000,)))
    case('7.3.2', 'close of 1 octet', close(reason=b'a'), [], Closed((1002,), no_code=False))
    case('7.3.3', 'close 1000', normal, [], Closed((1000,)))
    case('7.3.4', 'close 1000 with a reason', close(1000, hello), [], Closed((1000,)))
    case('7.3.5', 'close 1000 with a reason of 123 octets', close(1000, b'*' * 123), [], Closed((1000,)))
    case('7.3.6', 'close 1000 with a reason of 124 octets', close(1000, b'*' * 124), [], Closed((1002,), no_code=False))
    case('7.5.1', 'close 1000 with a reason that is not UTF-8', close(1000, GREEK + b'\xed\xa0\x80edited'), [],
         Closed((1002, 1007), no_code=False))
    for number, code in enumerate((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999), 1):
        case(f'7.7.{number}', f'close {code}', close(code), [], Closed((1000,) if code == 1000 else (1000, code)))
    for number, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), 1):
        older = {'older': Closed((1000, 1004)), 'why_older': '7, 8: it means "too large" there; 1000 or 1004'} if code == 1004 else {}
        case(f'7.9.{number}', f'close {code}', close(code), [], Closed((1002,), no_code=False), **older)
    for number, code in (1, 5000), (2, 65535):
        case(f'7.13.{number}', f'close {code}', close(code), [], Closed((1002,), no_code=False))


def group_10():
    """A message in many fragments."""
    payload = b'*' * 65536
    case('10.1.1', 'text of 65536 octets in fragments of 1300', fragments(frames.TEXT, payload, 1300), [('text', payload)], WeClose())


GROUPS = [(number, globals()[f'group_{number}']) for number in (1, 2, 3, 4, 5, 6, 7, 10)]
for _, fill in GROUPS:
    fill()
