"""Attacks by mass and by silence."""

import random
import resource
import time

from tools import (CLOSE_DEADLINE, HYBI, JUDGE, LIMITS, SANITIZED, VERSIONS, Peer, Server, Stopwatch, answer, case,
                   close_frame, connect, expect, frame, handshake, message, needs, status, wait_until)

MEBIBYTE = 1 << 20


def fragment_floods_are_refused(server):
    for version in HYBI:
        for payload in (b'x', b''):
            with case(), connect(server, version) as peer:
                peer.send_some(frame(0x01, payload) + frame(0x00, payload) * 500_000)
                if JUDGE['ours']:  # the RFC knows no limit
                    peer.expect_close(1008, 1009)
        with case(), connect(server, version) as peer:  # up to the limit is fine
            peer.send(frame(0x01, b'x') + frame(0x00, b'x') * (LIMITS['fragments'] - 2) + frame(0x80, b'x'))
            peer.expect(frame(0x81, b'x' * LIMITS['fragments'], mask=None))


def ping_floods_cost_bounded_memory(server):
    for version in HYBI:
        with case(), connect(server, version, receive_buffer=4096) as peer:  # it never reads the pongs
            peer.send_some(frame(0x89, b'x' * 125) * 200_000)
        if JUDGE['ours']:
            with connect(server, version, '/sleep', receive_buffer=4096) as peer:
                peer.send_some(frame(0x89, b'x' * 125) * 200_000)
        with case(), connect(server, version) as peer:  # one who reads gets them all
            for _ in range(50):
                peer.send(frame(0x89, b'x' * 125) * 100)
                if JUDGE['ours']:
                    peer.expect(frame(0x8a, b'x' * 125, mask=None) * 100)
                else:  # RFC 6455 5.5.3: the last of several may do
                    peer.expect(frame(0x8a, b'x' * 125, mask=None)).send(message(version, b'alive'))
                    while (got := peer.read_frame()) != (0x81, b'alive'):
                        expect(got and got[0] == 0x8a, lambda: f'{got} came instead of an echo')


def pong_spam_is_ignored(server):
    for version in HYBI:
        with case(), connect(server, version, timeout=10) as peer:
            peer.send_some(frame(0x8a, b'x' * 125) * 100_000 + frame(0x8a) * 100_000, patience=2)
            peer.send(message(version, b'alive')).expect(answer(version, b'alive'))


@needs('ours')
def a_flood_while_nobody_receives_is_held_back(server):
    for version, data in (('13', frame(0x82, b'x' * 1000) * 30_000), ('13', frame(0x82) * 3_000_000),
                          ('76', message('76', b'x' * 1000) * 30_000), ('76', message('76', b'') * 5_000_000)):
        with connect(server, version, '/sleep') as peer:
            taken = peer.send_some(data)
            expect(taken < len(data), f'{taken} bytes were taken, though nobody received')


def an_echo_that_is_never_read_is_held_back(server):
    for version in {'13', '76'} & set(VERSIONS):
        with case(), connect(server, version, receive_buffer=4096) as peer:
            data = message(version, b'x' * 1000) * 40_000
            taken = peer.send_some(data)
            expect(taken < len(data), f'{taken} bytes were taken, though no answer was read')


def data_behind_the_close_is_not_executed(server):
    for version in HYBI:
        with case(), connect(server, version) as peer:
            peer.send(close_frame(1000) + message(version, b'never') * 1000 + frame(0x89, b'never') + close_frame(4000))
            peer.expect_close(1000)
        with case(), connect(server, version) as peer:  # nor does it keep the connection
            begin = time.monotonic()
            peer.send(close_frame(1000))
            peer.send_some(message(version, b'x' * 60_000) * 300)
            peer.expect_close(1000)
            expect(time.monotonic() - begin < CLOSE_DEADLINE + 1.5 or not JUDGE['ours'], f'took {time.monotonic() - begin:.1f} s')


@needs('ours')
def a_close_that_is_never_answered_ends_with_the_deadline(server):
    for version in ('7', '8', '13', '76'):  # 75 has none
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
    before = server.descriptors()
    with connect(server, '75', '/close') as peer:  # its close is the end of TCP, which the other side has to answer as well
        expect(peer.has_ended(CLOSE_DEADLINE / 2), 'it did not close')
        wait_until(lambda: server.descriptors() <= before, 'the server to let go of one who does not end its half', CLOSE_DEADLINE + 1)


@needs('ours')
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
        with case(), connect(server, '13') as peer:
            peer.send(close_frame(3000 + i, b'r' * 123)).expect_close(3000 + i)


@needs('ours')
def handlers_that_throw_harm_only_themselves(server):
    for version in VERSIONS:
        for _ in range(20):
            with connect(server, version, '/fail') as peer:
                peer.send(message(version, b'now'))
                if version in HYBI:
                    peer.expect(frame(0x88, b'\x03\xe8', mask=None)).send(close_frame(1000))
                elif version == '76':
                    peer.expect(b'\xff\0').send(b'\xff\0')
                watch = Stopwatch(server)
                peer.expect_drop()  # at once on 75, which has no closing frame
                watch.expect(0, CLOSE_DEADLINE / 2, f'version {version} ended')


@needs('ours')
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
            peer.send(request.replace(b'websocket', b'nothing'))
        peer.reset() if chance.randrange(2) else peer.close()
    expect(time.monotonic() - begin < 20, f'the storm took {time.monotonic() - begin:.1f} s')


@needs('ours')
def many_idle_connections_cost_little_each(server):
    before = server.heap()[0]
    peers = [connect(server, VERSIONS[i % len(VERSIONS)]) for i in range(300)]
    each = (server.heap()[0] - before) / len(peers)
    expect(each < 3 * 1024, f'an idle connection costs {each:.0f} bytes')
    for peer in peers:
        peer.close()


@needs('ours', 'no sanitizer')  # the one that looks at types needs descriptors itself
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


def floods_of_empty_messages_are_answered_or_held_back(server):
    for version in VERSIONS:
        with case(), connect(server, version, receive_buffer=4096) as peer:  # nobody reads
            peer.send_some(message(version, b'') * 1_000_000)
        with case(), connect(server, version) as peer:
            peer.send(message(version, b'') * 5000).expect(answer(version, b'') * 5000)


def pings_between_fragments_do_not_pile_up(server):
    for version in HYBI:
        with case(), connect(server, version, receive_buffer=4096) as peer:
            peer.send_some((frame(0x01, b'a') + frame(0x89, b'x' * 125) * 1000) + (frame(0x89, b'x' * 125) + frame(0x00, b'')) * 50_000)


def unfinished_messages_hold_what_they_may(server):
    """Each holds a message that lacks its last byte. The limit is what each may cost."""
    size, peers = 60_000, []
    before = server.heap()[0] if JUDGE['ours'] else 0
    for i in range(100):
        version = VERSIONS[i % len(VERSIONS)]
        peers.append(connect(server, version).send(message(version, b'x' * size)[:-1]))
    for peer in peers[:5]:
        expect(not peer.has_ended(0.02), 'a message that is not complete ended the connection')
    if JUDGE['ours']:
        each = (server.heap()[0] - before) / len(peers)
        expect(each < LIMITS['message_size'] + 3 * 1024, f'{each:.0f} bytes are held for a message of {size}')
    for peer in peers:
        peer.reset()


@needs(heap=220)
def announced_lengths_buy_nothing(server):
    """What is announced is believed up to 1 MiB, and the system gives not even that before it is written to."""
    size, path = ((16 << 20) - 1, '/default') if JUDGE['ours'] else ((LIMITS['message_size'] or 1 << 20) - 1, None)
    resident = server.rss() if server.pid else 0
    heap = server.heap()[0] if JUDGE['ours'] else 0
    peers = [connect(server, HYBI[i % len(HYBI)], path).send(frame(0x82, b'x', length=size)) for i in range(200)]
    for peer in peers[:5]:
        expect(not peer.has_ended(0.02), 'a length within the limit ended the connection')
    resident = (server.rss() - resident) / len(peers) if server.pid else 0
    heap = (server.heap()[0] - heap) / len(peers) if JUDGE['ours'] else 0
    most = (256 if SANITIZED else 32 if JUDGE['ours'] else 120) * 1024
    expect(resident < most and heap < MEBIBYTE + 8 * 1024, f'each announcement of {size} bytes costs {heap:.0f}, {resident:.0f} resident')
    for peer in peers:
        peer.reset()


@needs('ours', cpu=3)  # it takes what comes for the whole time
def a_closing_that_is_talked_over_ends(server):
    for version in ('13', '8', '7', '76'):
        flood = frame(0x89, b'x' * 100) if version != '76' else b'\0x\xff'
        with connect(server, version, '/close') as peer:
            begin = time.monotonic()
            while not peer.has_ended() and time.monotonic() - begin < CLOSE_DEADLINE + 1:
                peer.send_some(flood * 500, patience=0.01)
            took = time.monotonic() - begin
            expect(took < CLOSE_DEADLINE + 0.8, f'version {version}: closing took {took:.1f} s')
            expect(len(peer.pending) < 1000, lambda: f'{len(peer.pending)} bytes came behind the closing frame')


def closing_frames_in_pieces_and_in_plenty(server):
    for version in HYBI:
        with case(), connect(server, version) as peer:
            for byte in close_frame(1000, b'bye'):
                peer.send(bytes((byte,)))
            peer.expect_close(1000)
        with case(), connect(server, version) as peer:
            peer.send_some(close_frame(1000) * 50_000)
            peer.expect_close(1000)
        with case(), connect(server, version) as peer:  # amid a fragmented message
            peer.send(frame(0x01, b'begin') + close_frame(1001)).expect_close(1001)


@needs('ours')
def requests_that_nobody_reads_leave_nothing(server):
    """Who asks for pages, takes none and leaves: as often as there may be connections on that port, and more."""
    for _ in range(80):
        with Peer(server, port=server.proxied_port, receive_buffer=4096) as peer:
            peer.send(b'PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n')
            peer.send_some(b'GET /who HTTP/1.1\r\nHost: a\r\n\r\n' * 30_000, patience=0.02)
    def is_let_in():
        with Peer(server, port=server.proxied_port) as peer:
            peer.send(b'PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n' + handshake('13'))
            return status(peer.read_to(b'\r\n\r\n')) == 101

    wait_until(is_let_in, 'one of those who come later to be let in', CLOSE_DEADLINE + 1)


@needs('ours')
def connections_that_break_while_they_are_written_to_leave_nothing(server):
    for path in ('/echo', '/broadcast', '/fail', '/close', '/sleep', '/shared'):
        for version in ('13', '76'):
            for _ in range(5):
                with connect(server, version, path, receive_buffer=4096) as peer:
                    peer.send_some(message(version, b'x' * 30_000) * 40, patience=0.01)
                    peer.reset()
    wait_until(lambda: server.open_websockets() == 1, 'broken connections to be let go of', CLOSE_DEADLINE + 3.5)


@needs('ours', 'no sanitizer')
def out_of_memory(server):
    """Another server, which may have little more memory: those that it cannot serve it ends, and the others go on."""
    poor = Server(server.process.args)
    try:
        first = connect(poor, '13')
        peers = [connect(poor, VERSIONS[i % len(VERSIONS)]) for i in range(150)]
        with open(f'/proc/{poor.pid}/statm', encoding='ascii') as file:
            most = int(file.read().split()[0]) * resource.getpagesize() + 2 * MEBIBYTE
        resource.prlimit(poor.pid, resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
        for i, peer in enumerate(peers):  # messages that lack their end
            peer.send(message(VERSIONS[i % len(VERSIONS)], b'x' * 60_000)[:-1])
        time.sleep(0.3)
        expect(poor.alive(), lambda: f'it ended with {poor.stop()}')
        ended = sum(peer.has_ended() for peer in peers)
        expect(20 < ended < 150, f'{ended} of 150 connections were ended for 2 MiB, each with 60 KB')
        first.send(message('13', b'alive')).expect(answer('13', b'alive'))
        before = poor.cpu()
        time.sleep(0.3)
        expect(poor.cpu() - before < 0.2, f'out of memory it used {poor.cpu() - before:.2f} s of 0.3 s')
        for peer in peers:
            peer.reset()
        resource.prlimit(poor.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_until(lambda: poor.open_websockets() == 1, 'it to let go of the attackers', 5)
        first.send(message('13', b'x' * 60_000)).expect(answer('13', b'x' * 60_000))
        first.close()
    finally:
        code, error = poor.stop()
    expect(code == 0, f'it ended with {code}: {error}')


ATTACKS = [fragment_floods_are_refused, ping_floods_cost_bounded_memory, pong_spam_is_ignored,
           a_flood_while_nobody_receives_is_held_back, an_echo_that_is_never_read_is_held_back,
           data_behind_the_close_is_not_executed, a_close_that_is_never_answered_ends_with_the_deadline,
           one_who_closes_and_stays_is_dropped, a_close_reason_flood_leaks_nothing, handlers_that_throw_harm_only_themselves,
           slow_readers_do_not_hold_a_broadcast_up, a_storm_of_connects_and_disconnects, many_idle_connections_cost_little_each,
           floods_of_empty_messages_are_answered_or_held_back, pings_between_fragments_do_not_pile_up,
           unfinished_messages_hold_what_they_may, announced_lengths_buy_nothing, a_closing_that_is_talked_over_ends,
           closing_frames_in_pieces_and_in_plenty, requests_that_nobody_reads_leave_nothing,
           connections_that_break_while_they_are_written_to_leave_nothing, out_of_descriptors, out_of_memory]
