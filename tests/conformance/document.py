"""Writes docs/conformance.md from the results of a run."""

import os

import autobahn
import beyond
import bulk
import clients
import compression
import hixie
from peer import HIXIE, HYBI

PATH = os.path.join(os.environ.get('WSIO_SOURCE_DIR', os.path.join(os.path.dirname(__file__), '../..')), 'docs/conformance.md')
MODES = ('dedicated', 'shared')
CLIENT = ('client',)

INTRODUCTION = '''# Conformance

What wsio does in each case of the [Autobahn test suite](https://github.com/crossbario/autobahn-testsuite), version 25.10.1, and
in cases of our own where that suite has none. `tests/conformance` says the cases again in its own words, with a codec that shares
nothing with the library's, and tries them on a server over real sockets, and those that are about frames on a client (at the end of
this page). It writes this page (`tests/conformance/run
--write-docs`), and the tests fail when the page is not what came out. The same program tries any server that echoes:

```sh
tests/conformance/run --url ws://127.0.0.1:3000/             # all, in version 13
tests/conformance/run --url ws://127.0.0.1:3000/ 6.4 12.1    # some; --versions 8,76: in others
```

It is strict. Where Autobahn takes several results, only the best one passes here: what came before a violation is answered before
the connection fails; text that is not UTF-8 fails it before the rest of the message has come (6.4: the rest never comes); the
closing frame has the code, and TCP ends in order behind it. The codes of 7.13, of which Autobahn only takes note, must fail as
those of 7.9. In 7.1.6 a closing frame stands behind messages that are still being echoed. How much of them is answered is up to the
server; wsio answers all.

The columns say what was seen: the close code, the status of HTTP, or how TCP ended. A case that failed says **FAIL**.
'''

OLDER = '''Versions 8 and 7 are tried with the same cases but for these:

* Groups 12 and 13: `permessage-deflate` belongs to 13. The drafts do not know it, and it is declined (x3.19).
* 7.9.3: 1004 was a code of these drafts, "too large", so the answer to it is that of 7.7.

Everything else applies: nothing else that these cases touch differs between the versions.
'''


CLIENTS = '''## Clients

The client (`wsio::connect`) is tried with the same cases of groups 1 to 7, 9 and 10: there the suite plays the server. It checks the
client's request, sends its frames without a mask and wants those of the client with one, each with a key of its own. Behind a
closing handshake the server ends TCP first, behind a violation the client does. Any client can be tried that takes a URL and a
version, echoes, and ends with 0:

```sh
tests/conformance/run --client 'node my-client.js' 1 2 3
```

How many passed, and below, what a server alone can do wrong. In c12 and c13 the client offers
compression and the suite answers, c12 with the five payloads of group 12, c13 with what an answer may ask for; each case sends 100
messages. Not among them: the hixie drafts, in which clients are tried on other people's servers (`tests/interop/run-client`) and
on our own.
'''


def check(results, write):
    """Tells whether the page says what came out; writes it first, when asked to."""
    page = render(results)
    if write:
        with open(PATH, 'w', encoding='utf-8') as file:
            file.write(page)
    with open(PATH, encoding='utf-8') as file:
        return file.read() == page


def render(results):
    """`results` has a verdict and what was seen, by id, version and mode of compression."""
    parts = [INTRODUCTION, summary(results), OLDER]
    for number, fill in autobahn.GROUPS[:-1]:
        parts += [heading(number, fill), table(results, of(autobahn.CASES, number), HYBI)]
    parts += ['## 9. Large messages, and many', table(results, bulk.CASES, HYBI)]
    parts += [heading(*autobahn.GROUPS[-1]), table(results, of(autobahn.CASES, 10), HYBI)]
    parts += [compressed(results)]
    parts += ['## Beyond Autobahn',
              'What RFC 6455 and RFC 7692 say and Autobahn does not try. Cases of compression are tried in both of its modes.']
    for number, fill in beyond.GROUPS:
        parts += [heading(f'x{number}', fill, '###'), table(results, of(beyond.CASES, f'x{number}'), HYBI)]
    parts += ['## hixie-76 and hixie-75', 'There was no suite for these drafts. This one is as deep. What is decided where they are silent is in '
              '[protocols.md](protocols.md).']
    for number, fill in hixie.GROUPS:
        parts += [heading(f'h{number}', fill, '###'), table(results, of(hixie.CASES, f'h{number}'), HIXIE)]
    parts += [CLIENTS, clients_summary(results), answers(), table(results, clients.OWN, HYBI, CLIENT)]
    return '\n\n'.join(part.strip('\n') for part in parts) + '\n'


def of(cases, group):
    return [case for case in cases if case.id.startswith(f'{group}.')]


def heading(number, fill, level='##'):
    return f'{level} {number}. {fill.__doc__.strip()}'.replace('\n    ', ' ').rstrip('.')


def row(*cells):
    return '| ' + ' | '.join(cells) + ' |'


def table(results, cases, versions, modes=MODES):
    lines = [row('case', 'sent', 'expected', *versions), row(*['---'] * (3 + len(versions)))]
    lines += [row(case.id, case.sent, case.expected, *(seen(results, case.id, version, modes) for version in versions)) for case in cases]
    return '\n'.join(lines)


def seen(results, id, version, modes=MODES):
    """What was seen, in both modes of compression where they differ; nothing where the case does not apply."""
    outcomes = [results[id, version, mode] for mode in modes if (id, version, mode) in results]
    words = ['**FAIL**' if verdict != 'ok' else word for verdict, word in outcomes]
    return ' / '.join(dict.fromkeys(words)) or '–'


def summary(results):
    groups = [('1 to 7, 10', autobahn.CASES), ('9', bulk.CASES), ('12, 13', compression.CASES), ('x1 to x4', beyond.CASES),
              ('h1 to h11', hixie.CASES)]
    lines = [row('groups', 'cases', *HYBI, *HIXIE), row(*['---'] * 7)]
    for name, cases in groups:
        cells = []
        for version in HYBI + HIXIE:
            tried = [[results[case.id, version, mode][0] == 'ok' for mode in MODES if (case.id, version, mode) in results]
                     for case in cases]
            tried = [outcomes for outcomes in tried if outcomes]
            cells.append(f'{sum(map(all, tried))} of {len(tried)}' if tried else '–')
        lines.append(row(name, str(len(cases)), *cells))
    return '\n'.join(['How many passed, in each version:', '', *lines])


def clients_summary(results):
    lines = [row('group', 'cases', *HYBI), row(*['---'] * 5)]
    for name, cases in clients.GROUPS:
        tried = [[results.get((case.id, version, 'client'), ('–', ''))[0] for case in cases if version in case.versions] for version in HYBI]
        lines.append(row(str(name), str(len(cases)), *(f'{verdicts.count("ok")} of {len(verdicts)}' if verdicts else '–' for verdicts in tried)))
    failed = [f'* **FAIL** {case.id} in {version}' for case in clients.CASES for version in case.versions
              if results.get((case.id, version, 'client'), ('–', ''))[0] != 'ok']
    return '\n'.join([*lines, *([''] + failed if failed else [])])


def answers():
    return '\n'.join([row('group', 'answer'), row('---', '---'), row('c12', f'`{compression.ANSWER}`'),
                      *(row(group, f'`{answer}`') for group, answer in compression.ANSWERS)])


def compressed(results):
    """Groups 12 and 13: a row for each size, a column for each payload and offer."""
    groups = list(dict.fromkeys(case.id.rsplit('.', 1)[0] for case in compression.CASES))
    columns = {group: of(compression.CASES, group) for group in groups}
    lines = ['## 12, 13. permessage-deflate',
             'In each case 1000 messages of one size are sent, compressed, each when the one before has been echoed, within 60 to 480 s; '
             'all must come back as they went, and the connection is closed with 1000. Each cell is a case, 12.1.1 to 13.7.18. All are '
             'tried once more, with 100 messages, on a server of which no message refers to earlier ones (`compression_mode::shared`). '
             '`script/test` sends 100 of the messages of 16384 octets and more, `script/test --long` all 1000.', '']
    lines += [row('group', 'payload', 'offer'), row(*['---'] * 3)]
    lines += [row(group, cases[0].kind, f'`{cases[0].offer}`') for group, cases in columns.items()]
    lines += ['', row('', 'size', 'in fragments of', *groups), row(*['---'] * (3 + len(groups)))]
    for number, (size, _, fragment) in enumerate(compression.SIZES):
        lines.append(row(f'.{number + 1}', str(size), str(fragment or '–'),
                         *(seen(results, cases[number].id, '13') for cases in columns.values())))
    return '\n'.join(lines)
