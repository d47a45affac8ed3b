"""What the cases for hixie-75 and hixie-76 share: a number, words for people, and a function that talks to the server."""

from typing import NamedTuple

from peer import HIXIE

CASES = []


class Case(NamedTuple):
    id: str
    sent: str
    expected: str
    talk: object  # takes target and version, gives a word for the result
    versions: tuple = HIXIE
    ours: bool = False  # asks for more than an echo

    def run(self, target, version):
        return self.talk(target, version)


counts = {}


def add(group, sent, expected, talk, versions=HIXIE, ours=False):
    """`versions` are one or several."""
    versions = (versions,) if isinstance(versions, str) else versions
    counts[group] = counts.get(group, 0) + 1
    CASES.append(Case(f'h{group}.{counts[group]}', sent, expected, talk, versions, ours))
