#include "io/tls_stream.hpp"

#include "io/tls_tools.hpp"

#include "protocol/hybi_frames.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace wsio::test;
using wsio::client_verification;
using wsio::tls_options;
using wsio::detail::tls_identities;
using wsio::detail::tls_stream;
using wsio::protocol::test::letters;
using outcome = tls_stream::outcome;

// Lets Boost.Test print what the tests compare.
namespace wsio::detail {
std::ostream& operator<<(std::ostream& out, outcome value) { return out << static_cast<int>(value); }
}  // namespace wsio::detail

namespace {

constexpr int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

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

}  // namespace

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

BOOST_FIXTURE_TEST_CASE(an_older_version_than_the_minimum_is_refused, ground) {
    auto settings = options();
    settings.minimum_version = wsio::tls_version::tls_1_3;
    pair p(settings, {.trusted = &ca, .version = TLS1_2_VERSION});
    auto const [server_says, client_says] = p.failed_handshake();
    BOOST_TEST(server_says == "TLS: unsupported protocol");
    BOOST_TEST(client_says == "tlsv1 alert protocol version");
    BOOST_TEST(!p.stream->plain_http());
}

BOOST_FIXTURE_TEST_CASE(the_ciphers_are_those_of_the_options, ground) {
    auto settings = options();
    settings.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305";
    settings.cipher_suites = "TLS_AES_128_GCM_SHA256";
    pair old(settings, {.trusted = &ca, .version = TLS1_2_VERSION});
    old.shake_hands();
    BOOST_TEST(std::string(SSL_get_cipher_name(old.peer.ssl())) == "ECDHE-ECDSA-CHACHA20-POLY1305");
    pair current(settings, {.trusted = &ca, .version = TLS1_3_VERSION});
    current.shake_hands();
    BOOST_TEST(std::string(SSL_get_cipher_name(current.peer.ssl())) == "TLS_AES_128_GCM_SHA256");
}

BOOST_FIXTURE_TEST_CASE(alpn_gives_http_1_1, ground) {
    auto const chosen = [](const pair& p) {
        const unsigned char* name = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(p.peer.ssl(), &name, &size);
        return std::string(reinterpret_cast<const char*>(name), size);
    };
    pair both(options(), {.trusted = &ca, .protocols = "\x02h2\x08http/1.1"});
    both.shake_hands();
    BOOST_TEST(chosen(both) == "http/1.1");
    pair none(options(), {.trusted = &ca, .protocols = ""});
    none.shake_hands();
    BOOST_TEST(chosen(none).empty());
    pair other(options(), {.trusted = &ca, .protocols = "\x02h2"});
    BOOST_TEST(other.failed_handshake().second == "tlsv1 alert no application protocol");
}

BOOST_FIXTURE_TEST_CASE(the_name_that_is_asked_for_chooses_the_certificate, ground) {
    auto settings = options();
    settings.more_certificates = {ca.issue("one", "DNS:one.example").save(folder, "one"),
                                  ca.issue("two", "DNS:*.two.example").save(folder, "two")};
    for (int const version : versions)
        for (auto const& [asked, shown] : {std::pair<std::string, std::string>{"one.example", "one"},
                                           {"any.two.example", "two"},
                                           {"localhost", "localhost"},
                                           {"elsewhere.example", "localhost"},
                                           {"", "localhost"}}) {
            pair p(settings, {.server_name = asked, .version = version});
            p.shake_hands();
            BOOST_TEST(p.peer.server_common_name() == shown, asked);
        }
}

BOOST_FIXTURE_TEST_CASE(every_split_of_the_handshake_works, ground) {
    for (int const version : versions) {
        pair p(options(), {.trusted = &ca, .version = version});
        bool client_done = false;
        for (int i = 0; i < 20 && !(client_done && p.stream->established()); ++i) {
            client_done = p.peer.shake_hands();
            for (char const byte : p.peer.drain()) {
                p.send_raw({&byte, 1});
                auto const got = p.receive();
                BOOST_REQUIRE(got.result == outcome::would_block);
                BOOST_REQUIRE(got.progress);
            }
            p.to_client();
        }
        BOOST_REQUIRE(p.stream->established());
        p.peer.write("bytes");
        std::string heard;
        for (char const byte : p.peer.drain()) {
            p.send_raw({&byte, 1});
            heard += p.text(p.receive());
        }
        BOOST_TEST(heard == "bytes");
    }
}

BOOST_FIXTURE_TEST_CASE(a_handshake_goes_on_when_the_socket_was_full, ground) {
    // The server's flight is larger than what the socket takes.
    auto settings = options();
    auto const server_too = ca.issue("localhost");
    auto chain = server_too.certificate_pem();
    for (int i = 0; i < 30; ++i) chain += ca.issue("padding").certificate_pem();
    settings.certificate = folder.write("long.pem", chain);
    settings.key = folder.write("long.key", server_too.key_pem());
    for (int const version : versions) {
        pair p(settings, {.trusted = &ca, .version = version}, 2048);
        BOOST_TEST(!p.peer.shake_hands());
        p.to_stream();
        BOOST_TEST(p.receive().result == outcome::wants_to_write);
        BOOST_TEST(p.receive().result == outcome::wants_to_write);
        p.to_client();
        p.shake_hands();
        BOOST_TEST(p.stream->write("through") == 7);
        p.to_client();
        BOOST_TEST(p.peer.read() == "through");
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

BOOST_FIXTURE_TEST_CASE(an_end_within_the_handshake_is_an_end, ground) {
    pair p(options(), {.trusted = &ca});
    BOOST_TEST(!p.peer.shake_hands());
    auto const hello = p.peer.drain();
    p.send_raw(hello.substr(0, hello.size() / 2));
    p.finish_client();
    auto const got = p.receive();
    BOOST_TEST(got.result == outcome::would_block);
    BOOST_TEST(got.progress);  // so that the end, which may come without an event, is looked for
    BOOST_TEST(p.receive().result == outcome::ended);
    BOOST_TEST(p.stream->failure().empty());
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

BOOST_FIXTURE_TEST_CASE(garbage_in_place_of_a_handshake_fails, ground) {
    for (std::string const& garbage : {std::string("\0\0\0\0\0\0", 6), std::string("\x16\x03\x01\xff\xff"),
                                       std::string("\x16\x03\x01\0\x05hello", 10), std::string("SSH-2.0-OpenSSH"),
                                       "\x80\x2e\x01\x03\x01" + std::string(43, 'x'), letters(300'000)}) {
        pair p(options(), {.trusted = &ca});
        p.send_raw(garbage.substr(0, 100'000));
        BOOST_TEST(p.receive().result == outcome::failed);
        BOOST_TEST(p.stream->failure().starts_with("TLS: "), p.stream->failure());
        BOOST_TEST(!p.stream->plain_http());
        BOOST_TEST(p.receive().result == outcome::failed);
    }
}

BOOST_FIXTURE_TEST_CASE(http_in_place_of_a_handshake_is_recognised, ground) {
    for (auto const* request : {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\n\r\n",
                                "HEAD / HTTP/1.0\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n"}) {
        pair p(options(), {.trusted = &ca});
        p.send_raw(request);
        BOOST_TEST(p.receive().result == outcome::failed);
        BOOST_TEST(p.stream->plain_http());
        BOOST_TEST(p.take_raw().empty());
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

BOOST_FIXTURE_TEST_CASE(renegotiation_is_refused, ground) {
    pair p(options(), {.trusted = &ca, .version = TLS1_2_VERSION});
    p.shake_hands();
    BOOST_TEST(SSL_renegotiate(p.peer.ssl()) == 1);
    std::string why = "nothing happened";
    try {
        p.peer.shake_hands();
        p.to_stream();
        BOOST_TEST(p.receive().count == 0U);
        p.to_client();
        p.peer.shake_hands();
    } catch (const std::runtime_error& e) {
        why = e.what();
    }
    BOOST_TEST(why == "no renegotiation");
}

BOOST_FIXTURE_TEST_CASE(a_session_is_resumed_by_its_ticket_unless_clients_show_certificates, ground) {
    auto const ada = ca.issue("Ada", "", purpose::client);
    for (int const version : versions)
        for (auto const how : {client_verification::none, client_verification::required}) {
            auto const none = how == client_verification::none;
            auto const shared = std::make_shared<const tls_identities>(none ? options() : asking_clients(how));
            tls_peer::settings const client{.trusted = &ca, .certificate = &ada, .version = version};
            pair first(shared, client);
            first.shake_hands();
            BOOST_TEST(SSL_session_reused(first.peer.ssl()) == 0);
            pair second(shared, client);
            auto* const session = SSL_get1_session(first.peer.ssl());
            SSL_set_session(second.peer.ssl(), session);
            SSL_SESSION_free(session);
            second.shake_hands();
            BOOST_TEST(SSL_session_reused(second.peer.ssl()) == (none ? 1 : 0));
            BOOST_TEST((second.stream->peer_certificate() == nullptr) == none);
        }
}

BOOST_FIXTURE_TEST_CASE(a_client_that_is_asked_for_nothing_shows_nothing, ground) {
    auto const ada = ca.issue("Ada", "", purpose::client);
    pair p(options(), {.trusted = &ca, .certificate = &ada});
    p.shake_hands();
    BOOST_TEST(p.stream->peer_certificate() == nullptr);
}

BOOST_FIXTURE_TEST_CASE(what_a_clients_certificate_says_is_known, ground) {
    auto const ada =
        ca.issue("Ada Lovelace, Gräfin", "email:ada@example.com,DNS:ada.example,URI:urn:ada", purpose::client);
    for (auto const how : {client_verification::optional, client_verification::required})
        for (int const version : versions) {
            pair p(asking_clients(how), {.trusted = &ca, .certificate = &ada, .version = version});
            p.shake_hands();
            auto const shown = p.stream->peer_certificate();
            BOOST_REQUIRE(shown != nullptr);
            BOOST_TEST(shown->subject == "CN=Ada Lovelace\\, Gräfin,O=wsio");
            BOOST_TEST(shown->common_name == "Ada Lovelace, Gräfin");
            BOOST_TEST(shown->issuer == "CN=Test CA,O=wsio");
            BOOST_TEST(shown->serial.size() == 4U);
            BOOST_TEST(shown->fingerprint.size() == 64U);
            std::vector<std::string> const names{"email:ada@example.com", "DNS:ada.example", "URI:urn:ada"};
            BOOST_TEST(shown->alternative_names == names, boost::test_tools::per_element());
        }
}

BOOST_FIXTURE_TEST_CASE(a_client_without_a_certificate_is_let_in_only_where_it_is_optional, ground) {
    for (int const version : versions) {
        pair optional(asking_clients(client_verification::optional), {.trusted = &ca, .version = version});
        optional.shake_hands();
        BOOST_TEST(optional.stream->peer_certificate() == nullptr);
        pair required(asking_clients(client_verification::required), {.trusted = &ca, .version = version});
        auto const [server_says, client_says] = required.failed_handshake();
        BOOST_TEST(server_says == "TLS: peer did not return a certificate");
        BOOST_TEST(client_says ==
                   (version == TLS1_3_VERSION ? "tlsv13 alert certificate required" : "sslv3 alert handshake failure"));
    }
}

BOOST_FIXTURE_TEST_CASE(a_clients_certificate_that_is_not_in_order_is_refused, ground) {
    authority const stranger("Another CA");
    auto const foreign = stranger.issue("Ada", "", purpose::client);
    auto const expired = ca.issue("Ada", "", purpose::client, -1);
    auto const servers = ca.issue("Ada", "DNS:localhost", purpose::server);
    for (auto const how : {client_verification::optional, client_verification::required})
        for (int const version : versions)
            for (auto const* certificate : {&foreign, &expired, &servers}) {
                pair p(asking_clients(how), {.trusted = &ca, .certificate = certificate, .version = version});
                BOOST_TEST(p.failed_handshake().first == "TLS: certificate verify failed");
            }
}

BOOST_AUTO_TEST_SUITE_END()
