#pragma once

#include "io/fixture.hpp"

#include "handshake/keys.hpp"
#include "protocol/mask.hpp"

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// What the tests of the client share.

namespace wsio::test {

/// A server of raw TCP: the test says what it sends.
class raw_server {
public:
    explicit raw_server(world& w, std::string_view address = "127.0.0.1")
        : world_(w), acceptor_(context_, asio::ip::tcp::endpoint(asio::ip::make_address(address), 0)) {
        acceptor_.non_blocking(true);
    }

    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    [[nodiscard]] std::string url(std::string_view target = "/") const {
        return "ws://127.0.0.1:" + std::to_string(port()) + std::string(target);
    }

    /// Gives the next connection.
    [[nodiscard]] client accept() {
        asio::ip::tcp::socket socket(context_);
        boost::system::error_code ec;
        BOOST_REQUIRE_MESSAGE(world_.until([&] {
            acceptor_.accept(socket, ec);
            return !ec;
        }),
                              "nobody connected");
        return {std::move(socket), [&w = world_] { w.turn(); }};
    }

private:
    world& world_;
    asio::io_context context_;  // only owns the descriptors
    asio::ip::tcp::acceptor acceptor_;
};

inline std::string url_of(const server& server, std::string_view target = "/") {
    return "ws://127.0.0.1:" + std::to_string(server.port()) + std::string(target);
}

/// Connects, and gives the socket or throws.
inline socket connect_to(world& w, std::string_view url, const client_options& options = {}) {
    return w.run(wsio::connect(url, options));
}

/// Gives why a connection came to nothing.
inline connect_error failure_of(const task<connect_result>& connecting) {
    auto result = connecting.get();
    BOOST_REQUIRE_MESSAGE(result.error, "it connected");
    BOOST_TEST(!result.socket);
    return *result.error;
}

inline connect_error failure(world& w, std::string_view url, const client_options& options = {}) {
    auto const connecting = w.start(wsio::try_connect(url, options));
    BOOST_REQUIRE(w.until([&] { return connecting.done(); }));
    return failure_of(connecting);
}

/// Checks what failed, and that the message says so.
inline void check_failure(const connect_error& e, error why, std::string_view part) {
    BOOST_TEST(e.code() == make_error_code(why), e.code().message() << ": " << e.what());
    BOOST_TEST(contains(e.what(), part), e.what() << " does not say: " << part);
    BOOST_TEST(!contains(e.what(), "\n"));
}

/// A pair of sockets, both of this library.
struct both_ends {
    world& w;
    wsio::server listening;
    wsio::socket client;
    wsio::socket server;

    explicit both_ends(world& in, options of_server = {}, const client_options& of_client = {},
                       std::string_view target = "/")
        : w(in),
          listening(w.listen(std::move(of_server))),
          client(connect_to(w, url_of(listening, target), of_client)),
          server(w.accept(listening)) {}

    /// Sends a text both ways at once and checks that it arrives.
    void exchange(std::string_view text) {
        auto const there = w.start(client.send(text));
        BOOST_TEST((w.receive(server)->text() == text));
        auto const back = w.start(server.send(text));
        BOOST_TEST((w.receive(client)->text() == text));
        BOOST_REQUIRE(w.until([&] { return there.done() && back.done(); }));
    }
};

/// Reads the request off a raw server's connection and gives the answer that fits it.
inline std::string answer_to(std::string_view request) {
    auto const at = request.find("Sec-WebSocket-Key: ") + 19;
    auto const key = std::string(request.substr(at, request.find("\r\n", at) - at));
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
           wsio::handshake::accept_key(key) + "\r\n\r\n";
}

/// One frame as a client sent it, unmasked.
struct sent_frame {
    unsigned first = 0;
    std::uint32_t key = 0;
    std::string payload;
};

inline sent_frame read_masked(client& from) {
    sent_frame result;
    auto const head = from.read(2);
    result.first = static_cast<unsigned char>(head[0]);
    BOOST_TEST_REQUIRE((head[1] & 0x80) != 0, "is not masked");
    std::size_t size = head[1] & 0x7F;
    if (size > 125) {
        auto const length = from.read(size == 126 ? 2 : 8);
        size = 0;
        for (unsigned char const c : length) size = size << 8 | c;
    }
    auto const key = from.read(4);
    std::memcpy(&result.key, key.data(), 4);
    result.payload = from.read(size);
    protocol::unmask(result.payload.data(), result.payload.data(), size, result.key, 0);
    return result;
}

/// A client of this library whose server the test plays.
struct watched {
    world w;
    raw_server server;
    std::optional<task<wsio::socket>> connecting;
    client peer;
    wsio::socket socket;
    explicit watched(const client_options& options = {}) : server(w), peer(begin(options)), socket(connecting->get()) {}

private:
    client begin(const client_options& options) {
        connecting = w.start(wsio::connect(server.url(), options));
        auto accepted = server.accept();
        accepted.send(answer_to(accepted.read_to("\r\n\r\n")));
        BOOST_REQUIRE(w.until([&] { return connecting->done(); }));
        return accepted;
    }
};

}  // namespace wsio::test
