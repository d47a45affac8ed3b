#include "io/fixture.hpp"

#include <algorithm>
#include <string>

// Who still uses memory that is somebody else's: received messages, and payloads that are being sent. Most of these need the
// address sanitizer to see that it went wrong.

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

/// Sends a payload, and spoils its memory as soon as that is allowed.
awaitable<void> send_and_spoil(wsio::socket socket, std::size_t size) {
    auto payload = letters(size);
    co_await socket.send(wsio::bytes(payload));
    std::ranges::fill(payload, '!');
}

/// A connection with so little read-ahead that what the peer sends waits in its input, and not in its queue.
struct backed_up : connected_pair {
    backed_up() : connected_pair({.limits = {.read_ahead = 100}}) {}

    /// Lets three messages come, and takes the first two, so that the third is lent from the input.
    void take_two(std::string_view third) {
        client.send(frame(text_frame, std::string(50, '1')) + frame(text_frame, std::string(50, '2')) +
                    frame(text_frame, third));
        w.turn_for(20ms);
        BOOST_TEST(w.receive(socket)->text() == std::string(50, '1'));
        BOOST_TEST(w.receive(socket)->text() == std::string(50, '2'));
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(io_borrowing)

BOOST_AUTO_TEST_CASE(a_send_lasts_until_its_payload_is_out_although_the_peer_has_closed) {
    connected_pair c({}, protocol_version::hybi_13, 65536);
    auto sending = c.w.start(send_and_spoil(c.socket, 8 * mebibyte));
    c.client.send(close_frame(1000));
    c.w.turn_for(50ms);
    BOOST_TEST(!sending.done());
    c.client.expect_last(server_frame(binary_frame, letters(8 * mebibyte)) + server_close(1000));
    BOOST_TEST(c.w.until([&] { return sending.done(); }));
}

BOOST_AUTO_TEST_CASE(a_send_lasts_until_its_payload_is_out_although_the_peer_breaks_a_rule) {
    connected_pair c({}, protocol_version::hybi_13, 65536);
    auto sending = c.w.start(send_and_spoil(c.socket, 8 * mebibyte));
    c.client.send(server_frame(text_frame, "not masked"));
    c.w.turn_for(50ms);
    BOOST_TEST(!sending.done());
    auto const whole = server_frame(binary_frame, letters(8 * mebibyte));
    BOOST_TEST((c.client.read(whole.size()) == whole));
    BOOST_TEST(c.client.read_all().substr(2, 2) == number(1002, 2));
    BOOST_TEST(c.w.until([&] { return sending.done(); }));
}

BOOST_AUTO_TEST_CASE(a_piece_lasts_until_it_is_out_although_the_peer_has_closed) {
    connected_pair c({}, protocol_version::hybi_13, 65536);
    auto send_piece = [](wsio::socket socket) -> awaitable<void> {
        auto stream = socket.start_binary();
        auto payload = letters(8 * mebibyte);
        co_await stream.send(wsio::bytes(payload));
        std::ranges::fill(payload, '!');
    };
    auto sending = c.w.start(send_piece(c.socket));
    c.client.send(close_frame(1000));
    c.w.turn_for(50ms);
    BOOST_TEST(!sending.done());
    auto const piece = server_frame(0x02, letters(8 * mebibyte));
    BOOST_TEST((c.client.read(piece.size()) == piece));
    c.client.read_all();
    BOOST_TEST(c.w.until([&] { return sending.done(); }));
}

BOOST_AUTO_TEST_CASE(a_send_does_not_outlast_a_peer_that_takes_nothing) {
    connected_pair c({.timeouts = {.close = 300ms}}, protocol_version::hybi_13, 65536);
    auto sending = c.w.start(send_and_spoil(c.socket, 8 * mebibyte));
    c.client.send(close_frame(1000));
    BOOST_TEST(c.w.until([&] { return sending.done(); }, 5s));
    BOOST_TEST(!c.socket.is_open());
}

BOOST_AUTO_TEST_CASE(a_message_outlives_its_connection) {
    backed_up c;
    auto const text = letters(40'000);
    c.take_two(text);
    auto outlive = [](wsio::socket socket) -> awaitable<std::optional<std::string>> {
        auto const message = co_await socket.receive();
        socket.destroy();
        socket = {};
        for (int i = 0; i < 20; ++i) co_await asio::post(asio::use_awaitable);
        co_return message->str();
    };
    BOOST_TEST((c.w.run(outlive(std::exchange(c.socket, {}))) == text));
}

BOOST_AUTO_TEST_CASE(a_message_outlives_what_its_connection_receives_next) {
    backed_up c;
    auto const text = letters(40'000);
    c.take_two(text);
    auto hold = [&]() -> awaitable<std::optional<std::string>> {
        auto const message = co_await c.socket.receive();
        c.client.send(frame(text_frame, letters(30'000)));
        co_await world::sleep(20ms);
        co_return message->str();
    };
    BOOST_TEST((c.w.run(hold()) == text));
}

BOOST_AUTO_TEST_SUITE_END()
