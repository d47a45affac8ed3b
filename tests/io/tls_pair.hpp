#pragma once

#include "io/tls_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/tls_stream.hpp"

// Lets Boost.Test print what the tests compare.
namespace wsio::detail {
inline std::ostream& operator<<(std::ostream& out, tls_stream::outcome value) { return out << static_cast<int>(value); }
}  // namespace wsio::detail

namespace wsio::test {

using detail::tls_identities;
using detail::tls_stream;
using outcome = tls_stream::outcome;

inline constexpr int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/// The files that servers need, made once for each test.
struct ground {
    temporary_folder folder;
    authority ca;
    wsio::tls_certificate server = ca.issue("localhost").save(folder, "server");

    [[nodiscard]] tls_options options() const { return {.certificate = server.certificate, .key = server.key}; }
    [[nodiscard]] tls_options asking_clients(client_verification how) const {
        auto settings = options();
        settings.client_ca = folder.write("ca.pem", ca.own().certificate_pem());
        settings.client_verify = how;
        return settings;
    }
};

/// A stream on one end of a pair of sockets, a client on the other.
class pair {
public:
    pair(const tls_options& options, const tls_peer::settings& client, int send_buffer = 0)
        : pair(std::make_shared<const tls_identities>(options), client, send_buffer) {}
    pair(std::shared_ptr<const tls_identities> identities, const tls_peer::settings& client, int send_buffer = 0)
        : peer(client), identities_(std::move(identities)) {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()) != 0)
            throw std::runtime_error("no sockets");
        if (send_buffer != 0) ::setsockopt(ends_[0], SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
        stream = std::make_unique<tls_stream>(identities_, ends_[0]);
    }
    pair(const pair&) = delete;
    pair& operator=(const pair&) = delete;
    ~pair() {
        stream.reset();
        ::close(ends_[0]);
        close_client();
    }

    /// Makes the stream anew, when bytes were received already.
    void start_over(std::string_view early) { stream = std::make_unique<tls_stream>(identities_, ends_[0], early); }

    /// Sends bytes to the stream as they are.
    void send_raw(std::string_view bytes) {
        while (!bytes.empty()) {
            auto const sent = ::send(ends_[1], bytes.data(), bytes.size(), MSG_NOSIGNAL);
            BOOST_REQUIRE(sent > 0);
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    /// Brings what the client wrote to the stream's socket.
    void to_stream() { send_raw(peer.drain()); }
    /// Gives what the stream wrote, as it is.
    std::string take_raw() {
        std::string all;
        std::array<char, 65536> block;
        for (ssize_t count; (count = ::recv(ends_[1], block.data(), block.size(), 0)) > 0;)
            all.append(block.data(), static_cast<std::size_t>(count));
        return all;
    }
    /// Fills the stream's socket with bytes that are none of its own.
    void clog() const {
        while (::send(ends_[0], "x", 1, MSG_NOSIGNAL) == 1) {
        }
    }
    /// Brings what the stream wrote to the client.
    void to_client() { peer.feed(take_raw()); }

    tls_stream::received receive() { return stream->receive(room_); }
    [[nodiscard]] std::string text(const tls_stream::received& got) const { return {room_.data(), got.count}; }

    void shake_hands() {
        for (int i = 0; i < 20 && !(peer.shake_hands() && stream->established()); ++i) {
            to_stream();
            auto const got = receive();
            BOOST_TEST(got.count == 0U);
            to_client();
        }
        BOOST_REQUIRE(stream->established());
        peer.read();  // the tickets
    }

    /// Gives the reason for which a handshake ended; what the client says is in the second.
    std::pair<std::string, std::string> failed_handshake() {
        std::string client_says;
        for (int i = 0; i < 20 && (stream->failure().empty() || client_says.empty()); ++i) {
            try {
                if (peer.shake_hands()) peer.read();
            } catch (const std::runtime_error& e) {
                if (client_says.empty()) client_says = e.what();
            }
            to_stream();
            receive();
            to_client();
        }
        return {stream->failure(), client_says};
    }

    void close_client() {
        if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
    }
    void finish_client() { ::shutdown(ends_[1], SHUT_WR); }

    tls_peer peer;
    std::unique_ptr<tls_stream> stream;

private:
    std::shared_ptr<const tls_identities> identities_;
    std::array<int, 2> ends_{-1, -1};
    std::vector<char> room_ = std::vector<char>(256 * 1024);
};

}  // namespace wsio::test
