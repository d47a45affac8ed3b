#include "io/tls_stream.hpp"

#include "io/tls_pair.hpp"
#include "protocol/hybi_frames.hpp"

#include <algorithm>
#include <csignal>
#include <memory>
#include <string>

using namespace wsio::test;
using wsio::protocol::test::letters;

BOOST_AUTO_TEST_SUITE(io_tls_stream)

BOOST_FIXTURE_TEST_CASE(both_versions_carry_bytes_both_ways, ground) {
    for (int const version : versions) {
        pair p(options(), {.trusted = &ca, .version = version});
        p.shake_hands();
        BOOST_TEST(SSL_version(p.peer.ssl()) == version);
        p.peer.write("hello");
        p.to_stream();
        auto const got = p.receive();
        BOOST_TEST(got.result == outcome::data);
        BOOST_TEST(p.text(got) == "hello");
        BOOST_TEST(!got.more);
        BOOST_TEST(got.progress);
        BOOST_TEST(p.stream->write("hel", "lo", " ", "you") == 9);
        p.to_client();
        BOOST_TEST(p.peer.read() == "hello you");
        BOOST_TEST(p.receive().result == outcome::would_block);
    }
}

BOOST_FIXTURE_TEST_CASE(small_pieces_share_a_record_and_large_ones_fill_records, ground) {
    pair p(options(), {.trusted = &ca});
    p.shake_hands();
    BOOST_TEST(p.stream->write("a", "b", "c", "d") == 4);
    auto const small = p.take_raw();
    BOOST_TEST(small.size() == 4U + 22U);  // one record of TLS 1.3
    p.peer.feed(small);
    BOOST_TEST(p.peer.read() == "abcd");

    auto const payload = letters(40'000);
    BOOST_TEST(p.stream->write("head", payload, "tail") == 40'008);
    auto const large = p.take_raw();
    BOOST_TEST(large.size() == 40'008U + 3U * 22U);
    p.peer.feed(large);
    BOOST_TEST((p.peer.read() == "head" + payload + "tail"));
    BOOST_TEST(p.stream->write("") == 0);
    BOOST_TEST(p.take_raw().empty());
}

BOOST_FIXTURE_TEST_CASE(a_write_goes_on_from_anywhere_when_the_socket_was_full, ground) {
    for (int const version : versions) {
        pair p(options(), {.trusted = &ca, .version = version}, 4096);
        p.shake_hands();
        auto const whole = letters(300'000);
        std::string heard;
        std::size_t gone = 0;
        int blocked = 0;
        for (std::size_t step = 1; gone < whole.size(); ++step) {
            // Each time the rest lies elsewhere, in other pieces, and there may be more of it than last time.
            auto const copy = std::make_unique<std::string>(whole.substr(gone, 20'000 + 1000 * step));
            std::string_view const rest = *copy;
            auto const a = rest.substr(0, step * 31 % rest.size());
            auto const b = rest.substr(a.size(), 17'000);
            auto const written = p.stream->write(a, b, {}, rest.substr(a.size() + b.size()));
            BOOST_REQUIRE(written >= 0);
            BOOST_TEST(!p.stream->write_wants_to_read());
            gone += static_cast<std::size_t>(written);
            if (static_cast<std::size_t>(written) < rest.size()) ++blocked;
            p.to_client();
            heard += p.peer.read();
        }
        BOOST_TEST(blocked > 10);
        BOOST_TEST((heard == whole));
    }
}

BOOST_FIXTURE_TEST_CASE(what_does_not_fit_into_the_room_is_announced, ground) {
    pair p(options(), {.trusted = &ca});
    p.shake_hands();
    p.peer.write("0123456789");
    p.to_stream();
    std::array<char, 4> room{};
    std::string heard;
    for (int i = 0; i < 2; ++i) {
        auto const got = p.stream->receive(room);
        BOOST_TEST(got.count == 4U);
        BOOST_TEST(got.more);  // inside OpenSSL: the socket is empty and will not tell
        heard.append(room.data(), got.count);
    }
    auto const last = p.stream->receive(room);
    heard.append(room.data(), last.count);
    BOOST_TEST(!last.more);
    BOOST_TEST(heard == "0123456789");
}

BOOST_FIXTURE_TEST_CASE(large_amounts_arrive_whole, ground) {
    pair p(options(), {.trusted = &ca});
    p.shake_hands();
    auto const whole = letters(3'000'000);
    std::string heard;
    for (std::size_t at = 0; at < whole.size(); at += 100'000) {
        p.peer.write(std::string_view(whole).substr(at, 100'000));
        p.to_stream();
        for (;;) {
            auto const got = p.receive();
            heard += p.text(got);
            if (!got.more) break;
        }
    }
    BOOST_TEST((heard == whole));
}

BOOST_FIXTURE_TEST_CASE(records_without_content_do_not_hold_the_loop, ground) {
    pair p(options(), {.trusted = &ca, .version = TLS1_3_VERSION});
    p.shake_hands();
    std::string updates;
    for (int i = 0; i < 40'000; ++i) {
        SSL_key_update(p.peer.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED);
        SSL_do_handshake(p.peer.ssl());
        updates += p.peer.drain();
    }
    int turns = 0;
    std::size_t sent = 0;
    for (bool more = true; more || sent < updates.size(); ++turns) {
        while (sent < updates.size()) {
            auto const taken = std::min<std::size_t>(updates.size() - sent, 65536);
            p.send_raw(std::string_view(updates).substr(sent, taken));
            sent += taken;
            if (sent % (3 * 65536) == 0) break;
        }
        auto const got = p.receive();
        BOOST_REQUIRE(got.result == outcome::would_block);
        more = got.more;
    }
    BOOST_TEST(turns > 1);
    p.peer.write("at last");
    p.to_stream();
    BOOST_TEST(p.text(p.receive()) == "at last");
}

BOOST_FIXTURE_TEST_CASE(a_key_update_is_answered_with_the_next_write_even_when_the_socket_was_full, ground) {
    pair p(options(), {.trusted = &ca, .version = TLS1_3_VERSION}, 2048);
    p.shake_hands();
    auto const filler = letters(60'000);
    auto const gone = p.stream->write(filler);
    BOOST_REQUIRE(gone < 60'000);
    SSL_key_update(p.peer.ssl(), SSL_KEY_UPDATE_REQUESTED);
    p.peer.write("behind the update");
    p.to_stream();
    BOOST_TEST(p.text(p.receive()) == "behind the update");
    std::string heard;
    for (auto rest = std::string_view(filler).substr(static_cast<std::size_t>(gone)); !rest.empty();) {
        p.to_client();
        heard += p.peer.read();
        auto const more = p.stream->write(rest);
        BOOST_REQUIRE(more >= 0);
        rest.remove_prefix(static_cast<std::size_t>(more));
    }
    p.to_client();
    heard += p.peer.read();
    BOOST_TEST((heard == filler));
    p.peer.write("and another");
    p.to_stream();
    BOOST_TEST(p.text(p.receive()) == "and another");
}

BOOST_FIXTURE_TEST_CASE(a_write_before_the_handshake_waits_for_the_peer, ground) {
    pair p(options(), {.trusted = &ca});
    BOOST_TEST(p.stream->write("early") == 0);
    BOOST_TEST(p.stream->write_wants_to_read());
    p.shake_hands();
    BOOST_TEST(p.stream->write("early", " bird") == 10);
    BOOST_TEST(!p.stream->write_wants_to_read());
    p.to_client();
    BOOST_TEST(p.peer.read() == "early bird");
}

BOOST_FIXTURE_TEST_CASE(the_end_is_announced_to_the_peer, ground) {
    for (int const version : versions) {
        pair p(options(), {.trusted = &ca, .version = version});
        p.shake_hands();
        BOOST_TEST(p.stream->write("last") == 4);
        BOOST_TEST(p.stream->end());
        p.to_client();
        BOOST_TEST(p.peer.read() == "last");
        BOOST_TEST(p.peer.server_said_goodbye());
        BOOST_TEST(p.receive().result == outcome::would_block);  // the peer may go on
    }
}

BOOST_FIXTURE_TEST_CASE(the_end_waits_for_a_socket_that_is_full, ground) {
    pair p(options(), {.trusted = &ca}, 4096);
    p.shake_hands();
    p.clog();
    BOOST_TEST(!p.stream->end());
    BOOST_TEST(!p.stream->end());
    p.take_raw();
    BOOST_TEST(p.stream->end());
    p.to_client();
    p.peer.read();
    BOOST_TEST(p.peer.server_said_goodbye());
}

BOOST_FIXTURE_TEST_CASE(the_end_before_the_handshake_needs_no_word, ground) {
    pair p(options(), {.trusted = &ca});
    BOOST_TEST(p.stream->end());
    BOOST_TEST(p.take_raw().empty());
}

BOOST_FIXTURE_TEST_CASE(the_peers_end_comes_behind_what_it_sent, ground) {
    for (int const version : versions) {
        pair polite(options(), {.trusted = &ca, .version = version});
        polite.shake_hands();
        polite.peer.write("bye");
        polite.peer.say_goodbye();
        polite.to_stream();
        auto got = polite.receive();
        BOOST_TEST(polite.text(got) == "bye");
        BOOST_TEST(got.more);
        BOOST_TEST(polite.receive().result == outcome::ended);
        BOOST_TEST(polite.stream->write("and the answer") == 14);
        BOOST_TEST(polite.stream->end());

        pair abrupt(options(), {.trusted = &ca, .version = version});
        abrupt.shake_hands();
        abrupt.peer.write("bye");
        abrupt.to_stream();
        abrupt.finish_client();
        BOOST_TEST(abrupt.text(abrupt.receive()) == "bye");
        BOOST_TEST(abrupt.receive().result == outcome::ended);
    }
}

BOOST_FIXTURE_TEST_CASE(a_peer_that_has_gone_is_a_failure_and_no_signal, ground) {
    std::signal(SIGPIPE, SIG_DFL);
    pair p(options(), {.trusted = &ca});
    p.shake_hands();
    p.close_client();
    BOOST_TEST(p.stream->write("anybody?") == -1);
    BOOST_TEST(p.stream->failure() == "Broken pipe");
    BOOST_TEST(p.stream->write("anybody?") == -1);
    BOOST_TEST(p.receive().result == outcome::failed);
    BOOST_TEST(p.stream->end());
}

BOOST_FIXTURE_TEST_CASE(a_write_that_fails_behind_the_peers_end_is_a_failure, ground) {
    for (int const version : versions) {
        pair p(options(), {.trusted = &ca, .version = version});
        p.shake_hands();
        p.finish_client();
        BOOST_TEST(p.receive().result == outcome::ended);
        p.close_client();
        BOOST_TEST(p.stream->write("anybody?") == -1);
        BOOST_TEST(p.stream->failure() == "Broken pipe");
    }
}

BOOST_FIXTURE_TEST_CASE(a_record_that_was_altered_fails, ground) {
    for (int const version : versions) {
        pair p(options(), {.trusted = &ca, .version = version});
        p.shake_hands();
        p.peer.write("good");
        p.peer.write("bad");
        auto bytes = p.peer.drain();
        bytes.back() = static_cast<char>(bytes.back() ^ 1);
        p.send_raw(bytes);
        auto const got = p.receive();
        BOOST_TEST(p.text(got) == "good");
        BOOST_TEST(got.more);
        BOOST_TEST(p.receive().result == outcome::failed);
        BOOST_TEST(p.stream->failure() == "TLS: decryption failed or bad record mac");
        BOOST_TEST(p.stream->write("too late") == -1);
    }
}

BOOST_AUTO_TEST_SUITE_END()
