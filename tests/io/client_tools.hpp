#pragma once

#include "io/fixture.hpp"

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
};

}  // namespace wsio::test
