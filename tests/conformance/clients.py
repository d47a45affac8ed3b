"""The cases that apply to clients, with the server's end played here: those of Autobahn that are about frames, and what only a server
can do wrong."""

import autobahn
import bulk
import compression
from conversation import Conversation, Octets, Send, ServerFails
from frames import binary, close, ping, text

# In groups 12 and 13 a server is tried with offers, a client with answers to its own.
CASES = autobahn.CASES + bulk.CASES

GROUPS = [(number, [case for case in CASES if case.id.startswith(f'{number}.')]) for number in (1, 2, 3, 4, 5, 6, 7, 9, 10)]

OWN = []


def case(sent, steps, events, end):
    OWN.append(Conversation(f'c1.{len(OWN) + 1}', sent, steps, events, end))


def masked(title, frame):
    case(f'{title} with a mask', [Octets(frame.encode())], [], ServerFails(1002))


masked('text', text(b'Hello'))
masked('binary', binary(b'Hello'))
masked('empty text', text())
masked('ping', ping(b'Hello'))
masked('close 1000', close(1000))
case('text, text with a mask, at once', [Send([text(b'Hello')]), Octets(text(b'Hello').encode())], [('text', b'Hello')], ServerFails(1002))

GROUPS.append(('c1', OWN))
GROUPS += [(group, [case for case in compression.ANSWERED if case.id.startswith(f'{group}.')]) for group in ('c12', 'c13')]
CASES = CASES + OWN + compression.ANSWERED
