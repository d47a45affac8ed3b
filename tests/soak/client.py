#!/usr/bin/python3
"""Keeps many connections to the soaked server busy: client PLAIN-PORT TLS-PORT CONNECTIONS RATE REST-SECONDS PATIENCE
SEED.

Makes up to RATE connections a second until there are CONNECTIONS, and new ones for those that end. At the end of its input all
leave in order. Prints what it has counted, as JSON; the first thing that went wrong ends it with 1.
"""

import collections
import heapq
import json
import os
import random
import select
import sys
import time

sys.dont_write_bytecode = True

import peers


class Loop:
    def __init__(self, ports, most, rate, rest):
        self.ports, self.most, self.rate, self.rest = ports, most, rate, rest
        self.counts = collections.Counter()
        self.epoll = select.epoll()
        self.peers, self.watched, self.timers, self.times = {}, {}, [], {}
        self.serial = 0
        self.stopping = False

    def watch(self, peer):
        """Waits for what the peer wants now."""
        if peer.over:
            return
        wanted = (0 if peer.deaf or peer.connecting else select.EPOLLIN) | (select.EPOLLOUT if peer.wants_to_write() else 0)
        fd = peer.fileno()
        if self.watched.get(fd) == wanted:
            return
        if fd in self.watched:
            self.epoll.modify(fd, wanted)
        else:
            self.epoll.register(fd, wanted)
        self.watched[fd] = wanted

    def later(self, peer, seconds):
        """Calls `due` after a time, instead of when it was last said."""
        self.serial += 1
        self.times[peer] = self.serial
        heapq.heappush(self.timers, (time.monotonic() + seconds, self.serial, peer))

    def forget(self, peer):
        fd = peer.fileno()
        if self.watched.pop(fd, None) is not None:
            self.epoll.unregister(fd)
        self.peers.pop(fd, None)
        self.times.pop(peer, None)

    def add(self):
        peer = random.choices(peers.KINDS, peers.WEIGHTS)[0](self, self.ports)
        self.counts['connections'] += 1
        self.peers[peer.fileno()] = peer
        self.watch(peer)

    def happened(self, fd, events):
        peer = self.peers.get(fd)
        if peer is None:
            return
        if events & (select.EPOLLOUT | select.EPOLLERR | select.EPOLLHUP) and peer.wants_to_write():
            peer.writable()
        if not peer.over and not peer.connecting and events & (select.EPOLLIN | select.EPOLLERR | select.EPOLLHUP):
            if not peer.deaf:
                peer.readable()
            elif events & (select.EPOLLERR | select.EPOLLHUP):
                peer.ended()
        self.watch(peer)

    def pass_time(self):
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            _, serial, peer = heapq.heappop(self.timers)
            if self.times.get(peer) == serial:
                del self.times[peer]
                peer.due()
                self.watch(peer)

    def run(self):
        begin, made, last = time.monotonic(), 0, 0
        self.epoll.register(0, select.EPOLLIN)
        while not self.stopping or self.peers:
            if not self.stopping:
                due = int((time.monotonic() - begin) * self.rate)
                for _ in range(min(due - made, self.most - len(self.peers), 50)):
                    self.add()
                made = due
            elif time.monotonic() > last:
                raise peers.Wrong('these did not leave: ' + ', '.join(sorted({type(peer).__name__ for peer in self.peers.values()})))
            for fd, events in self.epoll.poll(0.01, 1000):
                if fd == 0:
                    self.stopping, last = True, time.monotonic() + 40 * peers.PATIENCE
                    self.epoll.unregister(0)
                else:
                    self.happened(fd, events)
            self.pass_time()


def main():
    plain, secure, most, rate = map(int, sys.argv[1:5])
    random.seed(int(sys.argv[7]))
    loop = Loop((plain, secure), most, rate, float(sys.argv[5]))
    failure = None
    try:
        loop.run()
    except (peers.Wrong, OSError) as error:
        failure = f'{type(error).__name__}: {error}'
    print(json.dumps({'failure': failure, 'counts': loop.counts, 'processor': round(sum(os.times()[:2]), 1)}))
    return 1 if failure else 0


sys.exit(main())
