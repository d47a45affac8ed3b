"""Somebody who uses the server while it is attacked and must not notice: a process of its own, so that what the attackers
cost is not taken for what the server lets wait."""

import multiprocessing
import time

from tools import VERSIONS, answer, connect, expect, message

PAUSE = 0.02


def echo(server, version, wish):
    """Echoes a message every 20 ms and notes how long it took; on each wish it tells the worst so far and begins anew."""
    try:
        with connect(server, version) as peer:
            number, worst = 0, 0
            while True:
                number += 1
                text = b'bystander %d' % number
                begin = time.monotonic()
                peer.send(message(version, text)).expect(answer(version, text))
                worst = max(worst, time.monotonic() - begin)
                if wish.poll(PAUSE):
                    if not wish.recv():
                        return
                    wish.send(worst)
                    worst = 0
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
        """Gives the longest wait for an echo, in seconds, since it was asked before."""
        expect(self.process.is_alive() or self.wish.poll(), 'the bystander is gone')
        try:
            if self.process.is_alive():
                self.wish.send(True)
            said = self.wish.recv()
        except (BrokenPipeError, EOFError):
            said = 'it is gone'
        expect(isinstance(said, float), f'the bystander was harmed: {said}')
        return said

    def stop(self):
        try:
            self.wish.send(False)
        except BrokenPipeError:
            pass
        self.process.join()
