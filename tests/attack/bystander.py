"""Somebody who uses the server while it is attacked and must not notice: a process of its own, so that what the attackers
cost is not taken for what the server lets wait."""

import multiprocessing
import os
import time

from tools import VERSIONS, answer, connect, expect, kept_waiting, message

PAUSE = 0.02


def echo(server, version, wish):
    """Echoes a message every 20 ms and notes how long it took, in all and by the server's fault (all of it, if the process of the
    server is not known); on each wish it tells the worst so far and begins anew."""
    pids = (os.getpid(), server.pid) if server.pid else ()
    try:
        with connect(server, version, timeout=60) as peer:
            number, worst, fault = 0, 0, 0
            while True:
                number += 1
                text = b'bystander %d' % number
                kept, begin = kept_waiting(*pids), time.monotonic()
                peer.send(message(version, text)).expect(answer(version, text))
                took = time.monotonic() - begin
                worst, fault = max(worst, took), max(fault, took - (kept_waiting(*pids) - kept))
                if wish.poll(PAUSE):
                    if not wish.recv():
                        return
                    wish.send((worst, fault))
                    worst, fault = 0, 0
    except Exception as error:  # whatever it was, the attacker reports it
        wish.send(str(error) or type(error).__name__)


class Bystander:
    def __init__(self, server):
        self.wish, other = multiprocessing.Pipe()
        version = '13' if '13' in VERSIONS else VERSIONS[-1]
        self.process = multiprocessing.get_context('fork').Process(target=echo, args=(server, version, other), daemon=True)
        self.process.start()
        other.close()
        self.worst()  # waits until it is there

    def worst(self):
        """Gives the longest wait for an echo, in seconds, since it was asked before, and the longest by the server's fault."""
        expect(self.process.is_alive() or self.wish.poll(), 'the bystander is gone')
        try:
            if self.process.is_alive():
                self.wish.send(True)
            said = self.wish.recv()
        except (BrokenPipeError, EOFError):
            said = 'it is gone'
        expect(isinstance(said, tuple), f'the bystander was harmed: {said}')
        return said

    def stop(self):
        try:
            self.wish.send(False)
        except BrokenPipeError:
            pass
        self.process.join()
