"""Attacks by being slow, by saying nothing and by vanishing, at every stage."""

import random
import socket
import time

from tools import (CLOSE_DEADLINE, HANDSHAKE_DEADLINE, HYBI, IDLE, KEY3, PING, PONG, VERSIONS, Peer, Stopwatch, answer, case,
                   close_frame, connect, expect, frame, handshake, head, message, needs, wait_until)

SLACK = 0.25  # seconds that a machine may be late
COARSE = 0.15  # and a deadline, as its clock ticks (src/io/deadlines.hpp)


def ended_after(peer, watch, least, most, what):
    """The connection ends within a time; gives what came until then."""
    got = peer.read_all()
    watch.expect(least, most + SLACK, f'{what} ended, after {got[:60]!r},')
    return got


@needs('ours')
def silent_peers_are_pinged_and_dropped(server):
    """Half-open: the peer says nothing, not even that it leaves. Its ping is due, and then its end."""
    for version in HYBI:
        watch = Stopwatch(server)
        with connect(server, version, '/pinged') as peer:
            got = peer.read_frame()
            watch.expect(PING - 0.05, PING + COARSE + SLACK, f'version {version} was pinged')
            expect(got and got[0] == 0x89 and len(got[1]) <= 125, lambda: f'no ping, but {got!r}')
            ended_after(peer, watch, PING + PONG - 0.05, PING + PONG + 2 * COARSE, f'version {version}')


@needs('ours')
def half_open_peers_amid_something_are_dropped_as_well(server):
    peers = [(what, connect(server, '13', '/pinged').send(data)) for what, data in (
        ('amid a header', b'\x81'), ('amid a length', b'\x82\xfe\x01'), ('amid a mask', b'\x81\x85\0\0'), ('amid a payload', frame(0x82, b'x' * 50, length=100)),
        ('amid a message', frame(0x01, b'x')), ('amid a character', frame(0x01, b'\xe2')), ('amid a ping', b'\x89\x85\0\0\0\0a'), ('amid a close', b'\x88\x82\0'))]
    watch = Stopwatch(server)
    for what, peer in peers:
        ended_after(peer, watch, PING + PONG - 0.1, PING + PONG + 2 * COARSE, what)


@needs('ours')
def peers_that_answer_stay(server):
    with connect(server, '13', '/pinged') as peer:
        begin, pings = time.monotonic(), 0
        while time.monotonic() - begin < 3 * (PING + PONG):
            first, payload = peer.read_frame()
            expect(first == 0x89, f'frame {first:#x} came')
            pings += 1
            peer.send(frame(0x8a, payload) if pings % 2 else frame(0x8a))  # any pong is a sign of life
        expect(2 <= pings <= 12, f'{pings} pings came')
        peer.send(message('13', b'alive')).expect(answer('13', b'alive'))


@needs('ours')
def half_open_peers_that_owe_reading_are_dropped(server):
    # What waits for the peer must not keep it: it takes nothing.
    with connect(server, '13', '/pinged', receive_buffer=4096) as peer:
        peer.send_some(message('13', b'x' * 60_000) * 100, patience=0.1)
        wait_until(lambda: server.open_websockets() == 1, 'the server to drop who reads nothing', PING + PONG + 2)


def ended_as_idle(peer, version, watch, what):
    """Its end was due, and with a closing frame that it does not answer it has a little longer."""
    closing = {'75': b'', '76': b'\xff\0'}.get(version, b'\x88\x06\x03\xe9idle')
    longer = CLOSE_DEADLINE + COARSE if closing else 0
    got = ended_after(peer, watch, IDLE - 0.1, IDLE + COARSE + longer, what)
    expect(got.endswith(closing), lambda: f'{what} ended with {got[-20:]!r}, not {closing!r}')


@needs('ours')
def connections_without_messages_end_however_they_talk(server):
    for version, noise in (('13', b'\x8a\x80\0\0\0\0'), ('13', b'\x89\x80\0\0\0\0'), ('75', b'\x80\0'), ('76', b'\x01\xff'), ('8', None)):
        with connect(server, version, '/idle') as peer:
            watch = Stopwatch(server)
            while noise and not peer.has_ended() and watch.passed() < IDLE + CLOSE_DEADLINE + 1:
                peer.send(noise)
                time.sleep(0.05)
            ended_as_idle(peer, version, watch, f'version {version}, {noise!r},')


@needs('ours')
def a_message_that_trickles_is_no_message(server):
    for version, start in (('13', frame(0x82, length=1000)), ('13', frame(0x01)), ('76', b'\0'), ('75', b'\x80\x87\x68')):
        with connect(server, version, '/idle') as peer:
            watch = Stopwatch(server)
            peer.send(start)
            while not peer.has_ended(0.05) and watch.passed() < IDLE + CLOSE_DEADLINE + 1:
                peer.send(b'\0\x80\0\0\0\0' if start[0] == 1 else b'x')
            ended_as_idle(peer, version, watch, f'version {version} with {start!r}')


@needs('ours')
def many_half_open_connections_end_and_leave_nothing(server):
    before = server.descriptors()
    peers = []
    for i in range(300):
        version = HYBI[i % 3]
        whole = handshake(version)
        kind = i % 5
        peers.append(connect(server, version, '/pinged') if kind < 2 else Peer(server).send(b'' if kind == 2 else whole[:i % len(whole)]) if kind < 4
                     else Peer(server, port=server.tls_port).send(b'\x16\x03\x01'))
    wait_until(lambda: server.descriptors() <= before, 'half-open connections to end', HANDSHAKE_DEADLINE + PING + PONG + 1.5)
    for peer in peers:
        peer.close()


@needs('ours')
def handshakes_that_wait_in_the_middle_of_the_nonce(server):
    begin = time.monotonic()
    peers = [Peer(server).send(head('76') + KEY3[:i % 8]) for i in range(100)]
    trickled = Peer(server).send(head('76'))
    while not trickled.has_ended(0.3) and time.monotonic() - begin < HANDSHAKE_DEADLINE + 1:
        trickled.send(b'x')
    for peer in (*peers, trickled):
        got = peer.read_all()
        expect(len(got) < 400, 'more than a head came')
    expect(time.monotonic() - begin < HANDSHAKE_DEADLINE + 1.3, f'took {time.monotonic() - begin:.1f} s')


def peers_that_vanish_at_every_step_harm_nobody(server):
    for version in VERSIONS:
        whole = handshake(version) + message(version, b'x' * 300)
        whole += close_frame(1000) if version in HYBI else b'\xff\0'
        for cut in range(0, len(whole) + 1, 3):
            for end in (Peer.reset, Peer.close, Peer.finish):
                peer = Peer(server).send(whole[:cut])
                end(peer)
                if end is Peer.finish:
                    peer.close()


def peers_that_stop_sending_get_what_they_asked_for(server):
    for version in VERSIONS:
        with case(), Peer(server) as peer:
            peer.send(handshake(version) + message(version, b'one') + message(version, b'two'))
            peer.finish()
            peer.read_to(b'\r\n\r\n')
            got = peer.read_all()
            expect(answer(version, b'one') + answer(version, b'two') in got, lambda: f'version {version}: what was sent before the end is lost: {got!r}')


def a_reader_of_single_bytes_gets_all_in_order(server):
    text = b''.join(b'%05d ' % i for i in range(3000))
    for version in VERSIONS:
        with case(), connect(server, version, receive_buffer=2048) as peer:
            peer.send(message(version, text))
            expected, got = answer(version, text), b''
            begin = time.monotonic()
            while len(got) < len(expected):
                some = peer.socket.recv(1 if time.monotonic() - begin < 0.3 else 65536)
                expect(some, 'the end came')
                got += some
            expect(got == expected, 'the bytes came in another order')


def a_writer_of_single_bytes_is_heard(server):
    chance = random.Random(12)
    for version in VERSIONS:
        said = message(version, b'slow ' * 30) + message(version, b'')
        with case(), connect(server, version) as peer:
            for byte in said:
                peer.send(bytes((byte,)))
                if not chance.randrange(8):
                    time.sleep(0.005)
            peer.expect(answer(version, b'slow ' * 30) + answer(version, b''))


def urgent_bytes_harm_nobody(server):
    for _ in range(20):
        with case(), connect(server, '13' if '13' in VERSIONS else VERSIONS[-1]) as peer:
            peer.socket.send(b'\x81\x80', socket.MSG_OOB)
            peer.send(b'\x88\x80\0\0\0\0')
            peer.finish()
            peer.read_all()


def a_window_of_zero_does_not_keep_others_waiting(server):
    version = '13' if '13' in VERSIONS else VERSIONS[-1]
    peers = [connect(server, version, receive_buffer=1024) for _ in range(20)]
    for peer in peers:
        peer.send_some(message(version, b'x' * 30_000) * 20, patience=0.02)
    with connect(server, version) as peer:
        begin = time.monotonic()
        for _ in range(50):
            peer.send(message(version, b'hello')).expect(answer(version, b'hello'))
        expect(time.monotonic() - begin < 1.5, f'50 echoes took {time.monotonic() - begin:.1f} s')
    for peer in peers:
        peer.reset()


def socket_buffers(port):
    """Gives how many bytes the system keeps to send for connections from a port that belong to no process any more."""
    with open('/proc/net/tcp', encoding='ascii') as file:
        lines = [line.split() for line in file.readlines()[1:]]
    return sum(int(line[4].partition(':')[0], 16) for line in lines
               if int(line[1].rpartition(':')[2], 16) == port and line[3] in ('04', '05', '0B') and line[9] == '0')


@needs('ours')
def what_nobody_takes_is_not_left_to_the_system(server):
    """A dropped connection's socket would hold what waits in it for minutes, without a descriptor to count."""
    peers = [connect(server, version, path, receive_buffer=4096) for version, path in (('13', '/pinged'), ('76', '/idle'), ('75', '/idle'))]
    for peer, version in zip(peers, ('13', '76', '75')):
        peer.send_some(message(version, b'x' * 30_000) * 30, patience=0.05)
    wait_until(lambda: server.open_websockets() == 1, 'the server to drop who reads nothing', IDLE + 3)
    wait_until(lambda: socket_buffers(server.port) == 0, lambda: f'{socket_buffers(server.port)} bytes to be let go of', 2)
    for peer in peers:
        peer.close()


ATTACKS = [silent_peers_are_pinged_and_dropped, half_open_peers_amid_something_are_dropped_as_well, peers_that_answer_stay,
           half_open_peers_that_owe_reading_are_dropped, connections_without_messages_end_however_they_talk, a_message_that_trickles_is_no_message,
           many_half_open_connections_end_and_leave_nothing, handshakes_that_wait_in_the_middle_of_the_nonce,
           peers_that_vanish_at_every_step_harm_nobody, peers_that_stop_sending_get_what_they_asked_for, a_reader_of_single_bytes_gets_all_in_order,
           a_writer_of_single_bytes_is_heard, urgent_bytes_harm_nobody, a_window_of_zero_does_not_keep_others_waiting,
           what_nobody_takes_is_not_left_to_the_system]
