#pragma once

#include "io/fixture.hpp"
#include "io/tls_tools.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace wsio::test {

/// A client that speaks TLS over a raw TCP client.
class secure_client {
public:
    secure_client(world& world, std::uint16_t port, const tls_peer::settings& settings, int receive_buffer = 0)
        : tcp(world, port, receive_buffer), tls(settings) {
        while (!tls.shake_hands()) {
            flush();
            tls.feed(tcp.read_some());
        }
        flush();
    }

    void flush() {
        if (auto const bytes = tls.drain(); !bytes.empty()) tcp.send(bytes);
    }
    secure_client& send(std::string_view text) {
        tls.write(text);
        flush();
        return *this;
    }
    std::string read(std::size_t size) {
        return take([&] { return text_.size() >= size ? size : std::string::npos; });
    }
    std::string read_to(std::string_view mark) {
        return take([&] {
            auto const at = text_.find(mark);
            return at == std::string::npos ? at : at + mark.size();
        });
    }
    void expect(std::string_view bytes) { BOOST_TEST(readable(read(bytes.size())) == readable(bytes)); }

    /// Reads to the end of the TCP connection.
    std::string read_all() {
        tls.feed(tcp.read_all());
        text_ += tls.read();
        return std::exchange(text_, {});
    }
    void expect_last(std::string_view bytes) {
        BOOST_TEST(readable(read_all()) == readable(bytes));
        BOOST_TEST(tls.server_said_goodbye());
    }

    client tcp;
    tls_peer tls;

private:
    std::string take(const auto& enough) {
        for (;;) {
            text_ += tls.read();
            flush();  // an answer to a key update, say
            if (auto const size = enough(); size != std::string::npos) {
                auto rest = text_.substr(size);
                text_.resize(size);
                return std::exchange(text_, std::move(rest));
            }
            tls.feed(tcp.read_some());
        }
    }

    std::string text_;
};

/// A server's certificate, clients that trust it, and the loop.
struct secure_world {
    temporary_folder folder;
    authority ca;
    wsio::tls_certificate files = ca.issue("localhost").save(folder, "server");
    tls_peer::settings trusting{.trusted = &ca};
    world w;

    [[nodiscard]] wsio::tls tls() const { return wsio::tls({.certificate = files.certificate, .key = files.key}); }
    [[nodiscard]] wsio::tls asking_clients(client_verification how) const {
        return wsio::tls({.certificate = files.certificate,
                          .key = files.key,
                          .client_ca = folder.write("ca.pem", ca.own().certificate_pem()),
                          .client_verify = how});
    }

    secure_client connect(std::uint16_t port, protocol_version version = protocol_version::hybi_13,
                          int receive_buffer = 0) {
        secure_client made(w, port, trusting, receive_buffer);
        made.send(handshake(version));
        answer = made.read_to("\r\n\r\n");
        if (version == protocol_version::hixie_76) answer += made.read(16);
        BOOST_REQUIRE_MESSAGE(status_of(answer) == 101, answer);
        return made;
    }
    std::string answer;
};

}  // namespace wsio::test
