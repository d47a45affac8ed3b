"""Attacks by mass and by silence."""

import random
import resource
import time

from tools import (CLOSE_DEADLINE, HYBI, LIMITS, VERSIONS, Peer, Server, answer, close_frame, connect, expect, frame, handshake,
                   message, status, wait_until)

MEBIBYTE = 1 << 20


def fragment_floods_are_refused(server):
    for version in HYBI:
        for payload in (b'x', b''):
            with connect(server, version) as peer:
                peer.send_some(frame(0x01, payload) + frame(0x00, payload) * 500_000)
                peer.expect_close(1008, 1009)
        with connect(server, version) as peer:  # up to the limit is fine
            peer.send(frame(0x01, b'x') + frame(0x00, b'x') * (LIMITS['fragments'] - 2) + frame(0x80, b'x'))
            peer.expect(frame(0x81, b'x' * LIMITS['fragments'], mask=None))


def ping_floods_cost_bounded_memory(server):
    with connect(server, '13', receive_buffer=4096) as peer:  # it never reads the pongs
        peer.send_some(frame(0x89, b'x' * 125) * 100_000)
    with connect(server, '13', '/sleep', receive_buffer=4096) as peer:
        peer.send_some(frame(0x89, b'x' * 125) * 100_000)
    with connect(server, '13') as peer:  # one who reads gets them all
        for _ in range(50):
            peer.send(frame(0x89, b'x' * 125) * 100).expect(frame(0x8a, b'x' * 125, mask=None) * 100)


def pong_spam_is_ignored(server):
    with connect(server, '13', timeout=10) as peer:
        peer.send_some(frame(0x8a, b'x' * 125) * 100_000 + frame(0x8a) * 100_000, patience=2)
        peer.send(message('13', b'alive')).expect(answer('13', b'alive'))


def a_flood_while_nobody_receives_is_held_back(server):
    for version, data in (('13', frame(0x82, b'x' * 1000) * 30_000), ('13', frame(0x82) * 3_000_000),
                          ('76', message('76', b'x' * 1000) * 30_000), ('76', message('76', b'') * 5_000_000)):
        with connect(server, version, '/sleep') as peer:
            taken = peer.send_some(data)
            expect(taken < len(data), f'{taken} bytes were taken, though nobody received')


def an_echo_that_is_never_read_is_held_back(server):
    for version in ('13', '76'):
        with connect(server, version, receive_buffer=4096) as peer:
            data = message(version, b'x' * 1000) * 40_000
            taken = peer.send_some(data)
            expect(taken < len(data), f'{taken} bytes were taken, though no answer was read')


def data_behind_the_close_is_not_executed(server):
    for version in HYBI:
        with connect(server, version) as peer:
            peer.send(close_frame(1000) + message(version, b'never') * 1000 + frame(0x89, b'never') + close_frame(4000))
            peer.expect_close(1000)
        with connect(server, version) as peer:  # nor does it keep the connection
            begin = time.monotonic()
            peer.send(close_frame(1000))
            peer.send_some(message(version, b'x' * 60_000) * 300)
            peer.expect_close(1000)
            expect(time.monotonic() - begin < CLOSE_DEADLINE + 1.5, f'took {time.monotonic() - begin:.1f} s')


def a_close_that_is_never_answered_ends_with_the_deadline(server):
    for version in ('8', '13', '76'):
        with connect(server, version, '/close') as peer:
            begin = time.monotonic()
            first = b'\xff\0' if version == '76' else frame(0x88, (4000).to_bytes(2, 'big') + b'closed', mask=None)
            peer.expect(first)
            while time.monotonic() - begin < CLOSE_DEADLINE - 0.2:  # talking on does not help
                peer.send(message(version, b'blah'))
                time.sleep(0.05)
            peer.expect_drop()
            took = time.monotonic() - begin
            expect(CLOSE_DEADLINE - 0.2 < took < CLOSE_DEADLINE + 1, f'took {took:.1f} s')


def one_who_closes_and_stays_is_dropped(server):
    before = server.descriptors()
    peers = [connect(server, '13').send(close_frame(1000)) for _ in range(20)]
    for peer in peers:
        peer.expect(frame(0x88, b'\x03\xe8', mask=None))
    wait_until(lambda: server.descriptors() <= before, 'the server to let go of those who stay', CLOSE_DEADLINE + 2)
    for peer in peers:
        peer.close()


def a_close_reason_flood_leaks_nothing(server):
    for i in range(300):
        with connect(server, '13') as peer:
            peer.send(close_frame(3000 + i, b'r' * 123)).expect_close(3000 + i)


def handlers_that_throw_harm_only_themselves(server):
    for version in VERSIONS:
        for _ in range(20):
            with connect(server, version, '/fail') as peer:
                peer.send(message(version, b'now'))
                if version in HYBI:
                    peer.expect(frame(0x88, b'\x03\xe8', mask=None))


def slow_readers_do_not_hold_a_broadcast_up(server):
    never = [connect(server, '13', '/broadcast', receive_buffer=4096) for _ in range(3)]
    slow = connect(server, '76', '/broadcast', receive_buffer=4096)
    with connect(server, '13', '/broadcast') as reader:
        text = b'x' * 20_000
        for i in range(400):  # 8 MB for each
            reader.send(message('13', text))
            reader.expect(answer('13', text))
            if i % 50 == 0:
                slow.read(1000)
        wait_until(lambda: server.open_websockets() == 2, 'those who do not read to be closed', CLOSE_DEADLINE + 2)
    for peer in (*never, slow):
        peer.close()


def a_storm_of_connects_and_disconnects(server):
    chance = random.Random(1)
    begin = time.monotonic()
    for i in range(1500):
        version = chance.choice(VERSIONS)
        request = handshake(version)
        peer = Peer(server)
        end = chance.randrange(7)
        if end == 0:
            pass  # nothing at all
        elif end == 1:
            peer.send(request[:chance.randrange(len(request))])
        elif end == 2:
            peer.send(request)
        elif end == 3:
            peer.send(request + message(version, b'x' * chance.randrange(300)))
        elif end == 4:
            peer.send(request).read_to(b'\r\n\r\n')
            peer.send(message(version, b'x' * 100)[:chance.randrange(100)])
        elif end == 5:
            peer.send(request + message(version, b'x' * 1000) * 20)
            peer.finish()
        else:
            peer.send(request.replace(b'/echo', b'/nowhere'))
        peer.reset() if chance.randrange(2) else peer.close()
    expect(time.monotonic() - begin < 20, f'the storm took {time.monotonic() - begin:.1f} s')


def many_idle_connections_cost_little_each(server):
    before = server.rss()
    peers = [connect(server, VERSIONS[i % len(VERSIONS)]) for i in range(300)]
    each = (server.rss() - before) / len(peers)
    expect(each < 16 * 1024, f'an idle connection costs {each:.0f} bytes')
    for peer in peers:
        peer.close()


def out_of_descriptors(server):
    """Another server, which may open few files: whom it cannot take it must drop, not let hang, and neither spin nor end."""
    poor = Server(server.process.args, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)))
    try:
        first = connect(poor, '13')
        peers = [Peer(poor) for _ in range(80)]
        time.sleep(0.2)
        before = poor.cpu()
        time.sleep(0.5)
        expect(poor.cpu() - before < 0.2, f'out of descriptors it used {poor.cpu() - before:.2f} s of 0.5 s')
        dropped = sum(peer.has_ended() for peer in peers)
        expect(40 <= dropped < 80, f'it dropped {dropped} of 80 connections, with 40 files to open')
        first.send(message('13', b'alive')).expect(answer('13', b'alive'))
        for peer in peers:
            peer.close()
        end = time.monotonic() + 5
        while True:
            with Peer(poor) as peer:
                if not peer.has_ended(0.1) and status(peer.send(handshake('13')).read_to(b'\r\n\r\n')) == 101:
                    break
            expect(time.monotonic() < end, 'it did not recover')
        first.send(message('13', b'alive')).expect(answer('13', b'alive'))
        first.close()
    finally:
        code, error = poor.stop()
    expect(code == 0, f'it ended with {code}: {error}')


ATTACKS = [fragment_floods_are_refused, ping_floods_cost_bounded_memory, pong_spam_is_ignored,
           a_flood_while_nobody_receives_is_held_back, an_echo_that_is_never_read_is_held_back,
           data_behind_the_close_is_not_executed, a_close_that_is_never_answered_ends_with_the_deadline,
           one_who_closes_and_stays_is_dropped, a_close_reason_flood_leaks_nothing, handlers_that_throw_harm_only_themselves,
           slow_readers_do_not_hold_a_broadcast_up, a_storm_of_connects_and_disconnects, many_idle_connections_cost_little_each,
           out_of_descriptors]
