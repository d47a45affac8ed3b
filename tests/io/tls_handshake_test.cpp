#include "io/tls_pair.hpp"
#include "protocol/hybi_frames.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// What is agreed on before the first byte of an application: versions, names, certificates.

using namespace wsio::test;
using wsio::client_verification;
using wsio::protocol::test::letters;

BOOST_AUTO_TEST_SUITE(io_tls_handshake)

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

BOOST_FIXTURE_TEST_CASE(what_was_received_before_tls_began_is_its_beginning, ground) {
    for (std::size_t const size : {1U, 5U, 100U, 10'000U}) {
        pair p(options(), {.trusted = &ca});
        p.peer.shake_hands();
        auto const hello = p.peer.drain();
        p.start_over(hello.substr(0, size));
        if (size < hello.size()) p.send_raw(hello.substr(size));
        BOOST_TEST(p.receive().result == outcome::would_block);
        p.to_client();
        p.shake_hands();
        p.peer.write("hello");
        p.to_stream();
        BOOST_TEST(p.text(p.receive()) == "hello");
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
