"""Cases that are a short conversation: what is sent, which events must come back, and who closes with which code."""

from typing import NamedTuple

import frames
from peer import HYBI, NonStrict, expect, open_hybi, short

PAUSE = 0.25  # seconds of a wait in which nothing may happen


class Send(NamedTuple):
    frames: list
    way: object = frames.WHOLE


class Octets(NamedTuple):
    """A part of a frame."""
    octets: bytes


class Part(NamedTuple):
    """From here to there of the payload of a frame; what stands before the payload comes with its beginning."""
    frame: frames.Frame
    start: int
    stop: int

    def encode(self, peer):
        encoded = peer.encode([self.frame])
        head = len(encoded) - len(self.frame.payload)
        return encoded[head + self.start if self.start else 0:head + self.stop]


class Gets(NamedTuple):
    """These events must come before anything else is sent."""
    events: list


class Silence(NamedTuple):
    """Nothing may come for a moment."""


class WeClose(NamedTuple):
    """When all events have come, the peer closes with 1000; the answer says the same, or no code."""
    codes: tuple = (1000,)
    no_code: bool = True  # whether none is as good

    def __str__(self):
        return 'closed with 1000'


class ServerFails(NamedTuple):
    """The other end, be it server or client, closes on its own, at once, and says why."""
    code: int
    no_code = False

    @property
    def codes(self):
        return (self.code,)

    def __str__(self):
        return f'fails with {self.code}'


class Closed(NamedTuple):
    """What was sent has a closing frame in it; the answer says one of the codes."""
    codes: tuple
    no_code: bool = True  # whether none is as good

    def __str__(self):
        return 'closes with ' + ' or '.join(map(str, self.codes))


class Conversation(NamedTuple):
    id: str
    sent: str  # for people
    steps: list
    events: list  # in order
    end: object
    older: object = None  # the end in versions 7 and 8, where it is another
    why_older: str = ''
    any_prefix: bool = False  # the last events need not come, but from our own server and client
    versions: tuple = HYBI
    ours: bool = False  # depends on limits or choices of our server
    offer: str = ''  # of extensions; `agree` must then check the answer and give what inflates
    agree: object = None

    @property
    def expected(self):
        kinds = [kind for kind, _ in self.events]
        told = [f'{kind} echoed' if kind != 'pong' else 'pong' if kinds.count(kind) == 1 else f'{kinds.count(kind)} pongs'
                for kind in dict.fromkeys(kinds)]
        if self.any_prefix:
            told = ['echoed (by others as far as they like)']
        ends = str(self.end) + (f' ({self.why_older})' if self.older else '')
        return ', '.join([*told, ends])

    def run(self, target, version):
        end = self.older if self.older and version != '13' else self.end
        peer, extensions = open_hybi(target, version, self.offer)
        with peer:
            if self.agree:
                peer.inflate = self.agree(extensions, self.offer)
            else:
                expect(not extensions, f'the server agreed to {extensions!r}')
            return self.hold(peer, end)

    def hold(self, peer, end):
        waiting = list(self.events)
        for step in self.steps:
            if isinstance(step, Send):
                peer.send_frames(step.frames, step.way)
            elif isinstance(step, Octets):
                peer.send(step.octets)
            elif isinstance(step, Part):
                peer.send(step.encode(peer))
            elif isinstance(step, Silence):
                peer.expect_silence(PAUSE)
            else:
                for event in step.events:
                    expect_event(peer.event(), event)
                    expect(waiting and waiting.pop(0) == event, 'the case is wrong')
        weak = None
        while waiting and weak is None:
            got = peer.event()
            if got == waiting[0]:
                waiting.pop(0)
            elif got and got[0] == 'close' and (self.any_prefix or isinstance(end, ServerFails)):
                break
            else:
                expect_event(got, waiting[0])
        else:
            if isinstance(end, WeClose):
                peer.send_frames([frames.close(1000)])
            got = peer.event(peer.soon)
        if waiting and (peer.target.ours or not self.any_prefix):
            weak = f'the connection was closed before {len(waiting)} events that had to come'
        if isinstance(end, ServerFails) and got is None:
            peer.finish()  # perhaps it is failed when no more can come
            weak = 'the connection was not failed at once'
            got = peer.event()
        return finish(peer, got, end, weak)


def expect_event(got, wanted):
    def told(event):
        return 'nothing' if event is None else f'{event[0]} {short(event[1]) if isinstance(event[1], bytes) else event[1]}'
    expect(got == wanted, lambda: f'got {told(got)} instead of {told(wanted)}')


def finish(peer, got, end, weak=None):
    """Checks the closing frame and the end of TCP behind it; gives the code."""
    expect(got is not None, f'no closing frame came, though the connection {end}')
    if got[0] in ('end', 'reset') and not end.no_code:
        raise NonStrict('TCP was dropped without a closing frame')
    expect(got[0] == 'close', lambda: f'got {got[0]} {short(got[1] or b"")} instead of a closing frame')
    if got[1] is not None:
        expect(got[1] in end.codes, lambda: f'closed with {got[1]} instead of {" or ".join(map(str, end.codes))}')
    elif not end.no_code:
        weak = 'the closing frame has no code'
    if isinstance(end, ServerFails):
        peer.send_frames([frames.close(got[1])])
    peer.expect_end(failed=not end.no_code)
    if weak:
        raise NonStrict(weak)
    return str(got[1]) if got[1] is not None else 'no code'
