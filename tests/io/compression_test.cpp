#include "io/compressing_client.hpp"
#include "io/tls_client.hpp"

#include <deque>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace wsio::test;
using wsio::close_code;
using wsio::compression_mode;
using wsio::ended_by;
using wsio::protocol_version;
namespace protocol = wsio::protocol;

BOOST_AUTO_TEST_SUITE(io_compression)

BOOST_AUTO_TEST_CASE(offers_are_declined_by_default_and_on_every_protocol_but_13) {
    world w;
    auto const answer_to = [&](const wsio::server& server, protocol_version version, std::string_view value) {
        client c(w, server.port());
        c.send(handshake(version, "/", offer(value)));
        return c.read_to(proof(version));
    };
    auto plain = w.echo();
    // Malformed or not: who has no extensions does not read the list.
    for (auto const* value : {"permessage-deflate", "permessage-deflate;"})
        BOOST_TEST(!contains(answer_to(plain, protocol_version::hybi_13, value), "Extensions"));
    auto server = w.echo(compressing(compression_mode::dedicated));
    for (auto version : wsio::all_protocol_versions)
        if (version != protocol_version::hybi_13)
            BOOST_TEST(!contains(answer_to(server, version, "permessage-deflate"), "Extensions"), version);
}

BOOST_AUTO_TEST_CASE(a_client_without_an_offer_gets_plain_messages) {
    world w;
    auto server = w.echo(compressing(compression_mode::dedicated));
    auto c = connect(w, server.port());
    c.send(frame(text_frame, letters(5000))).expect(server_frame(text_frame, letters(5000)));
    c.send(frame(compressed_text, "\x00"))
        .expect_last(server_close(1002, "reserved bit is set where no extension uses it (RFC 6455 5.2)"));
}

BOOST_AUTO_TEST_CASE(a_malformed_list_of_extensions_is_refused) {
    world w;
    auto server = w.echo(compressing(compression_mode::shared));
    for (auto const* value : {"permessage-deflate;", "a b", "permessage-deflate; server_max_window_bits=\"10"}) {
        client c(w, server.port());
        auto const answer = c.send(handshake("/", offer(value))).read_response();
        BOOST_TEST(status_of(answer) == 400);
        BOOST_TEST(contains(body_of(answer), "Sec-WebSocket-Extensions"));
        c.expect_end();
    }
}

BOOST_AUTO_TEST_CASE(messages_are_compressed_both_ways) {
    world w;
    for (auto mode : {compression_mode::shared, compression_mode::dedicated}) {
        auto server = w.echo(compressing(mode));
        compressing_client c(w, server);
        for (std::size_t const size : {0, 1, 125, 126, 5000, 70'000, 1'000'000}) {
            c.send(letters(size));
            BOOST_TEST((c.read() == letters(size)));
            if (size > 100) {
                BOOST_TEST(c.first == compressed_text);
                BOOST_TEST(c.wire_size < size / 2);
            }
        }
        // Plain ones may come in between.
        c.raw.send(frame(text_frame, letters(1000)));
        BOOST_TEST((c.read() == letters(1000)));
    }
}

BOOST_AUTO_TEST_CASE(shared_serves_many_connections_at_once) {
    world w;
    auto server = w.echo(compressing(compression_mode::shared));
    std::deque<compressing_client> clients;  // which do not move
    for (int i = 0; i < 5; ++i)
        clients.emplace_back(w, server,
                             i % 2 == 0 ? "permessage-deflate" : "permessage-deflate; server_max_window_bits=9");
    for (int round = 0; round < 10; ++round) {
        std::vector<std::string> wires;
        for (std::size_t i = 0; i < 5; ++i)
            wires.push_back(frame(compressed_text, clients[i].compress(letters(300 + i))));
        for (std::size_t part = 0; part < 3; ++part)  // their messages arrive interleaved
            for (std::size_t i = 0; i < 5; ++i) {
                auto const third = wires[i].size() / 3;
                clients[i].raw.send(
                    std::string_view(wires[i]).substr(part * third, part == 2 ? std::string::npos : third));
                w.turn(0ms);
            }
        for (std::size_t i = 0; i < 5; ++i) {
            BOOST_TEST(clients[i].read() == letters(300 + i));
            BOOST_TEST(clients[i].first == compressed_text);
        }
    }
}

BOOST_AUTO_TEST_CASE(dedicated_refers_to_earlier_messages_and_shared_does_not) {
    world w;
    std::string const message = R"({"type":"price","symbol":"ABCD","bid":100.25,"ask":100.50})";
    for (auto mode : {compression_mode::shared, compression_mode::dedicated}) {
        auto server = w.echo(compressing(mode));
        compressing_client c(w, server);
        c.send(message).read();
        auto const first = c.wire_size;
        c.send(message);
        BOOST_TEST(c.read() == message);
        if (mode == compression_mode::dedicated)
            BOOST_TEST(c.wire_size < first / 3);
        else
            BOOST_TEST(c.wire_size == first);
    }
}

BOOST_AUTO_TEST_CASE(an_idle_connection_gives_its_compressor_back) {
    world w;
    auto options = compressing(compression_mode::dedicated);
    options.compression.idle = 200ms;
    auto server = w.echo(options);
    compressing_client c(w, server);
    auto const size = [&] {
        c.send(letters(40));
        BOOST_TEST(c.read() == letters(40));
        return c.wire_size;
    };
    auto const first = size();
    BOOST_TEST(size() < first);
    for (int i = 0; i < 10; ++i) {  // in use, it stays
        w.turn_for(60ms);
        BOOST_TEST(size() < first);
    }
    w.turn_for(700ms);
    BOOST_TEST(size() == first);  // a new one, which knows of nothing before
    BOOST_TEST(size() < first);
}

BOOST_AUTO_TEST_CASE(messages_under_the_threshold_go_out_as_they_are) {
    world w;
    for (std::size_t const threshold : {100, 126, 1000}) {
        auto server = w.echo(compressing(compression_mode::shared, threshold));
        compressing_client c(w, server);
        for (std::size_t const size : {threshold - 1, threshold}) {
            std::string const message(size, 'x');
            c.send(message);
            BOOST_TEST(c.read() == message);
            BOOST_TEST(c.first == (size < threshold ? text_frame : compressed_text));
        }
    }
}

BOOST_AUTO_TEST_CASE(one_message_can_be_sent_as_it_is) {
    world w;
    for (auto mode : {compression_mode::off, compression_mode::shared, compression_mode::dedicated}) {
        auto server = w.listen(compressing(mode));
        auto send_all = [](wsio::socket s) -> awaitable<void> {
            BOOST_REQUIRE(co_await s.send(letters(500), {.compress = false}));
            BOOST_REQUIRE(co_await s.send(letters(500)));
            BOOST_REQUIRE(co_await s.send(wsio::bytes(letters(500)), {.compress = false}));
            BOOST_REQUIRE(co_await s.send(wsio::message::text(letters(500)), {.compress = false}));
            s.write(letters(500), {.compress = false}).write(wsio::bytes(letters(500))).write(letters(500));
        };
        std::vector<unsigned> firsts;
        if (mode == compression_mode::off) {
            auto c = connect(w, server.port());
            w.run(send_all(w.accept(server)));
            auto const text = server_frame(text_frame, letters(500));
            auto const binary = server_frame(binary_frame, letters(500));
            c.expect(text + text + binary + text + text + binary + text);
            continue;
        }
        compressing_client c(w, server);
        auto socket = w.accept(server);
        BOOST_TEST(socket.is_compressed());
        w.run(send_all(socket));
        for (unsigned const first :
             {text_frame, compressed_text, binary_frame, text_frame, text_frame, compressed_binary, compressed_text}) {
            BOOST_TEST(c.read() == letters(500));
            BOOST_TEST(c.first == first);
        }
    }
}

BOOST_AUTO_TEST_CASE(control_frames_are_never_compressed) {
    world w;
    auto server = w.listen(compressing(compression_mode::dedicated));
    compressing_client c(w, server);
    auto socket = w.accept(server);
    socket.write(letters(300)).ping(letters(100)).write(letters(300));
    BOOST_TEST(c.read() == letters(300));
    c.raw.expect(server_frame(ping_frame, letters(100)));
    BOOST_TEST(c.read() == letters(300));
    c.raw.send(frame(ping_frame, letters(100))).expect(server_frame(pong_frame, letters(100)));
    socket.end(close_code::normal, letters(100));
    c.raw.expect(server_close(1000, letters(100)));
}

BOOST_AUTO_TEST_CASE(wire_order_is_call_order_for_compressed_and_plain_messages_of_every_size) {
    world w;
    for (auto mode : {compression_mode::shared, compression_mode::dedicated}) {
        auto server = w.listen(compressing(mode));
        compressing_client c(w, server);
        auto socket = w.accept(server);
        auto const text_of = [](int i) {
            auto const size = static_cast<std::size_t>(i * 7919 % 60'000);
            return std::to_string(i) + ' ' + (i % 3 == 0 ? protocol::test::noise(size) : letters(size));
        };
        auto sender = [&]() -> awaitable<void> {
            for (int i = 0; i < 100; ++i) {
                auto const text = text_of(i);
                auto const sent = co_await socket.send(wsio::bytes(text), {.compress = i % 4 != 1});
                BOOST_REQUIRE(sent);
            }
        };
        auto sending = w.start(sender());
        for (int i = 0; i < 100; ++i) BOOST_REQUIRE(c.read() == text_of(i));
        sending.get();
    }
}

BOOST_AUTO_TEST_CASE(a_message_that_borrowed_memory_is_safe_to_change_once_it_is_compressed) {
    world w;
    auto server = w.listen(compressing(compression_mode::shared));
    compressing_client c(w, server);
    auto socket = w.accept(server);
    auto sender = [](wsio::socket s) -> awaitable<void> {
        std::string text(2'000'000, 'x');
        for (int i = 0; i < 3; ++i) {
            text.assign(text.size(), static_cast<char>('a' + i));
            BOOST_REQUIRE(co_await s.send(text));
        }
    };
    w.run(sender(socket));
    for (int i = 0; i < 3; ++i) BOOST_TEST((c.read() == std::string(2'000'000, static_cast<char>('a' + i))));
}

BOOST_AUTO_TEST_CASE(a_bomb_ends_with_1009_and_exactly_the_limit_does_not) {
    world w;
    for (auto mode : {compression_mode::shared, compression_mode::dedicated}) {
        auto options = compressing(mode);
        options.limits.message_size = 100'000;
        auto server = w.echo(options);
        compressing_client c(w, server);
        c.send(std::string(100'000, 'x'));
        BOOST_TEST((c.read() == std::string(100'000, 'x')));
        for (std::size_t const size : {100'001, 100'002, 20'000'000}) {
            compressing_client bomber(w, server);
            bomber.send(std::string(size, 'x'))
                .raw.expect_last(server_close(1009, "message is over the size limit when inflated"));
        }
    }
}

BOOST_AUTO_TEST_CASE(broken_data_ends_with_1007_and_harms_no_other_connection) {
    world w;
    auto server = w.echo(compressing(compression_mode::shared));
    compressing_client good(w, server);
    compressing_client bad(w, server);
    bad.raw.send(frame(compressed_text, "\xF2\x48\xFF\xFF garbage"));
    bad.raw.expect_last(server_close(1007, "compressed message is not valid DEFLATE data (RFC 7692 7.2.2)"));
    good.send("still here");
    BOOST_TEST(good.read() == "still here");
}

BOOST_AUTO_TEST_CASE(handles_outlive_the_end_the_server_and_the_loop) {
    wsio::socket socket;
    for (auto mode : {compression_mode::shared, compression_mode::dedicated}) {
        wsio::socket ended;
        {
            world w;
            auto server = w.listen(compressing(mode));
            compressing_client c(w, server);
            ended = w.accept(server);
            ended.write(letters(300));
            BOOST_TEST(c.read() == letters(300));
            compressing_client other(w, server);
            socket = w.accept(server);
            socket.write(letters(300));
            ended.destroy();
            BOOST_TEST(!ended.is_compressed());
            ended.write(letters(300));
            c.raw.expect_end();
        }
        BOOST_TEST(!socket.is_compressed());
        socket.write(letters(300));
    }
}

BOOST_AUTO_TEST_CASE(settings_that_make_no_sense_are_refused) {
    world w;
    auto const refuses = [&](wsio::compression settings) {
        BOOST_CHECK_THROW(w.listen({.compression = settings}), std::invalid_argument);
    };
    refuses({.level = 0});
    refuses({.level = 10});
    refuses({.window_bits = 8});
    refuses({.window_bits = 16});
    refuses({.client_window_bits = 8});
    refuses({.client_window_bits = 16});
    refuses({.memory_level = 0});
    refuses({.memory_level = 10});
    refuses({.idle = 0ms});
}

// A message that was compressed with what came before it cannot be dropped: the next would refer to it.
BOOST_AUTO_TEST_CASE(what_is_dropped_behind_a_slow_reader_breaks_no_compression) {
    using wsio::when_full;
    constexpr std::size_t outbox = 100'000;
    constexpr int count = 800;
    // Digits in no order: they become half as long.
    auto const text = [](int i) {
        std::mt19937 random(static_cast<unsigned>(i));
        std::string digits = "<" + std::to_string(i) + ">";
        while (digits.size() < 20'000) digits += static_cast<char>('0' + random() % 10);
        return digits;
    };
    for (auto mode : {compression_mode::shared, compression_mode::dedicated})
        for (auto policy : {when_full::drop_newest, when_full::drop_oldest, when_full::keep_newest}) {
            world w;
            auto settings = compressing(mode);
            settings.limits.outbox = outbox;
            settings.when_full = policy;
            auto server = w.listen(settings);
            compressing_client c(w, server, "permessage-deflate", 65536);
            auto socket = w.accept(server);
            for (int i = 0; i < count; ++i) {
                socket.write(text(i));
                if (i % 7 == 0) w.turn(0ms);
                BOOST_REQUIRE(socket.buffered_amount() <= 4 * outbox);
            }
            socket.end();
            std::vector<int> came;
            int compressed = 0;
            for (auto message = c.read(); c.first != close_opcode; message = c.read()) {
                int const i = std::stoi(message.substr(1));
                BOOST_REQUIRE((message == text(i)));
                if (!came.empty()) BOOST_REQUIRE(i > came.back());
                came.push_back(i);
                if (c.first == compressed_text) ++compressed;
            }
            BOOST_TEST(came.size() > 3U);
            BOOST_TEST(compressed > 0);
            BOOST_TEST(came.size() < static_cast<std::size_t>(count));
            BOOST_TEST(server.statistics().messages_dropped == count - came.size());
            BOOST_TEST((came.back() == count - 1) == (policy != when_full::drop_newest));
        }
}

BOOST_FIXTURE_TEST_CASE(it_works_over_tls, secure_world) {
    for (auto mode : {compression_mode::shared, compression_mode::dedicated}) {
        auto settings = compressing(mode);
        settings.tls = tls();
        auto server = w.echo(settings);
        basic_compressing_client<secure_client> c(secure_client(w, server.port(), trusting));
        for (std::size_t const size : {0U, 1U, 100U, 5'000U, 300'000U, 2'000'000U}) {
            auto const message = letters(size);
            c.send(message);
            BOOST_TEST((c.read() == message));
            if (size >= 5'000U) BOOST_TEST(c.wire_size < size / 4);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
