#include "io/client_tools.hpp"
#include "io/tls_tools.hpp"

#include <optional>

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;
using wsio::error;
using wsio::protocol_version;

namespace {

/// A server's certificate, and where the authority lies that signed it.
struct secured {
    temporary_folder folder;
    authority ca;
    std::string ca_file = folder.write("ca.pem", ca.own().certificate_pem());
    world w;

    wsio::server listen(const identity& shown, wsio::tls_options more = {}) {
        auto const files = shown.save(folder, "server");
        more.certificate = files.certificate;
        more.key = files.key;
        return w.listen({.tls = wsio::tls(more)});
    }
    wsio::server listen() { return listen(ca.issue("localhost", "DNS:localhost,IP:127.0.0.1")); }

    static std::string url(const wsio::server& server, std::string_view host = "127.0.0.1") {
        return "wss://" + std::string(host) + ':' + std::to_string(server.port()) + "/";
    }
    wsio::client_options trusting(wsio::client_tls_options more = {}) const {
        more.ca = ca_file;
        return {.tls = wsio::client_tls(more)};
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(io_client_tls)

BOOST_AUTO_TEST_CASE(messages_of_every_size_go_both_ways_in_every_version) {
    secured s;
    auto server = s.listen();
    for (auto const version : wsio::all_protocol_versions) {
        auto options = s.trusting();
        options.protocols = {version};
        auto client = connect_to(s.w, s.url(server), options);
        auto peer = s.w.accept(server);
        BOOST_TEST(client.request().secure());
        BOOST_TEST(peer.request().secure());
        for (auto const size : {0U, 5U, 20'000U, 3'000'000U}) {
            auto const text = letters(size);
            auto const there = s.w.start(client.send(text));
            BOOST_TEST((s.w.receive(peer)->text() == text));
            auto const back = s.w.start(peer.send(text));
            BOOST_TEST((s.w.receive(client)->text() == text));
            BOOST_REQUIRE(s.w.until([&] { return there.done() && back.done(); }));
        }
        auto const closing = s.w.start(client.close(close_code::normal, "bye"));
        BOOST_TEST(!s.w.receive(peer));
        BOOST_REQUIRE(s.w.until([&] { return closing.done(); }));
        BOOST_TEST(client.status().clean);
        BOOST_TEST(peer.status().clean);
    }
}

BOOST_AUTO_TEST_CASE(large_message_survives_a_slow_peer_and_cancellation) {
    secured s;
    auto server = s.listen();
    auto client = connect_to(s.w, s.url(server), s.trusting());
    auto peer = s.w.accept(server);
    auto big = std::make_unique<std::string>(letters(8'000'000));
    auto const expected = *big;
    auto const sending = s.w.start(client.send(*big));
    s.w.turn_for(50ms);
    sending.cancel();
    BOOST_REQUIRE(s.w.until([&] { return sending.done(); }));
    big.reset();
    client.write("next");
    BOOST_TEST((s.w.receive(peer)->text() == expected));
    BOOST_TEST(s.w.receive(peer)->text() == "next");
}

BOOST_AUTO_TEST_CASE(certificate_of_an_unknown_authority_is_refused) {
    secured s;
    auto server = s.listen();
    auto const e = failure(s.w, s.url(server));  // the system does not know the test's authority
    check_failure(e, error::certificate_unknown_authority, "client_tls_options.ca");
    authority const other("Other CA");
    wsio::client_options const options{
        .tls = wsio::client_tls({.ca = s.folder.write("other.pem", other.own().certificate_pem())})};
    check_failure(failure(s.w, s.url(server), options), error::certificate_unknown_authority, "no authority");
}

BOOST_AUTO_TEST_CASE(self_signed_certificate_is_refused_unless_it_is_named) {
    secured s;
    auto server = s.listen(s.ca.own());
    check_failure(failure(s.w, s.url(server)), error::certificate_self_signed, "self-signed");
    check_failure(failure(s.w, s.url(server), s.trusting()), error::certificate_wrong_host, "is not for \"127.0.0.1\"");
}

BOOST_AUTO_TEST_CASE(certificate_that_has_expired_is_refused) {
    secured s;
    auto server = s.listen(s.ca.issue("localhost", "DNS:localhost,IP:127.0.0.1", purpose::server, -1));
    check_failure(failure(s.w, s.url(server), s.trusting()), error::certificate_expired, "has expired");
}

BOOST_AUTO_TEST_CASE(certificate_that_is_not_valid_yet_is_refused) {
    secured s;
    auto early = s.ca.issue("localhost", "DNS:localhost,IP:127.0.0.1");
    X509_gmtime_adj(X509_getm_notBefore(early.certificate.get()), 24 * 3600);
    X509_sign(early.certificate.get(), s.ca.own().key.get(), EVP_sha256());
    auto server = s.listen(early);
    check_failure(failure(s.w, s.url(server), s.trusting()), error::certificate_not_yet_valid, "is the clock right?");
}

BOOST_AUTO_TEST_CASE(certificate_for_another_host_is_refused) {
    secured s;
    auto server = s.listen(s.ca.issue("example.com", "DNS:example.com,DNS:*.example.org"));
    check_failure(failure(s.w, s.url(server), s.trusting()), error::certificate_wrong_host, "is not for \"127.0.0.1\"");
    check_failure(failure(s.w, s.url(server, "localhost"), s.trusting()), error::certificate_wrong_host,
                  "is not for \"localhost\"");
    BOOST_TEST(connect_to(s.w, s.url(server), s.trusting({.server_name = "example.com"})).is_open());
    BOOST_TEST(connect_to(s.w, s.url(server), s.trusting({.server_name = "a.example.org"})).is_open());
    check_failure(failure(s.w, s.url(server), s.trusting({.server_name = "a.b.example.org"})),
                  error::certificate_wrong_host, "a.b.example.org");
}

BOOST_AUTO_TEST_CASE(common_name_of_a_certificate_is_no_host) {
    secured s;
    auto server = s.listen(s.ca.issue("localhost", ""));
    check_failure(failure(s.w, s.url(server, "localhost"), s.trusting()), error::certificate_wrong_host,
                  "is not for \"localhost\"");
}

BOOST_AUTO_TEST_CASE(redirect_to_another_host_takes_neither_name_nor_certificate_along) {
    secured s;
    wsio::tls_options const asks{.client_ca = s.ca_file, .client_verify = wsio::client_verification::optional};
    auto other = s.listen(s.ca.issue("other", "IP:127.0.0.1"), asks);
    auto const files = s.ca.issue("first", "DNS:first.example").save(s.folder, "first");
    auto of_first = asks;
    of_first.certificate = files.certificate;
    of_first.key = files.key;
    std::string shown;
    wsio::options options{.tls = wsio::tls(of_first)};
    options.authorize = [&shown, to = s.url(other)](const wsio::request& r) -> awaitable<wsio::verdict> {
        if (r.client_certificate() != nullptr) shown = r.client_certificate()->common_name;
        auto answer = wsio::verdict::reject(400, "moved");
        answer.status = 302;
        co_return std::move(answer).with_header("Location", to);
    };
    auto first = s.w.listen(std::move(options));
    auto const mine = s.ca.issue("Ada", "email:ada@example.com", purpose::client).save(s.folder, "ada");
    auto with = s.trusting({.certificate = mine.certificate, .key = mine.key, .server_name = "first.example"});
    with.redirects = 1;
    auto const client = connect_to(s.w, s.url(first), with);
    auto const peer = s.w.accept(other);
    BOOST_TEST(shown == "Ada");
    BOOST_TEST(peer.request().client_certificate() == nullptr);
}

BOOST_AUTO_TEST_CASE(certificate_for_clients_alone_is_bad) {
    secured s;
    auto server = s.listen(s.ca.issue("localhost", "DNS:localhost,IP:127.0.0.1", purpose::client));
    check_failure(failure(s.w, s.url(server), s.trusting()), error::certificate_bad, "purpose");
}

BOOST_AUTO_TEST_CASE(verification_may_be_switched_off) {
    secured s;
    auto server = s.listen(s.ca.issue("example.com", "DNS:example.com", purpose::server, -1));
    wsio::client_options const options{.tls = wsio::client_tls({.verify = false})};
    auto client = connect_to(s.w, s.url(server), options);
    auto peer = s.w.accept(server);
    client.write("hello");
    BOOST_TEST(s.w.receive(peer)->text() == "hello");
}

BOOST_AUTO_TEST_CASE(server_is_asked_for_the_host_of_the_url) {
    secured s;
    auto const other = s.ca.issue("other", "DNS:other.example").save(s.folder, "other");
    auto server = s.listen(s.ca.issue("localhost", "DNS:localhost"), {.more_certificates = {other}});
    BOOST_TEST(connect_to(s.w, s.url(server, "localhost"), s.trusting()).is_open());
    BOOST_TEST(connect_to(s.w, s.url(server), s.trusting({.server_name = "other.example"})).is_open());
}

BOOST_AUTO_TEST_CASE(client_shows_its_certificate) {
    secured s;
    auto server = s.listen(s.ca.issue("localhost", "DNS:localhost,IP:127.0.0.1"),
                           {.client_ca = s.ca_file, .client_verify = wsio::client_verification::required});
    auto const mine = s.ca.issue("Ada", "email:ada@example.com", purpose::client).save(s.folder, "ada");
    auto const client = connect_to(s.w, s.url(server), s.trusting({.certificate = mine.certificate, .key = mine.key}));
    auto const peer = s.w.accept(server);
    BOOST_TEST_REQUIRE(peer.request().client_certificate() != nullptr);
    BOOST_TEST(peer.request().client_certificate()->common_name == "Ada");
    auto const e = failure(s.w, s.url(server), s.trusting());
    check_failure(e, error::tls_failed, "client_tls_options.certificate");
}

BOOST_AUTO_TEST_CASE(server_that_does_not_speak_tls_is_told_from_others) {
    secured s;
    auto server = s.w.listen();
    check_failure(failure(s.w, s.url(server), s.trusting()), error::tls_failed, "is it ws:// in place of wss://?");
    raw_server raw(s.w);
    auto const url = "wss://127.0.0.1:" + std::to_string(raw.port()) + "/";
    auto const connecting = s.w.start(wsio::try_connect(url));
    auto peer = raw.accept();
    static_cast<void>(peer.read_some());
    peer.close();
    BOOST_REQUIRE(s.w.until([&] { return connecting.done(); }));
    check_failure(failure_of(connecting), error::tls_failed, "in the TLS handshake");
}

BOOST_AUTO_TEST_CASE(plain_client_is_told_by_a_server_of_tls) {
    secured s;
    auto server = s.listen();
    auto const e = failure(s.w, url_of(server));
    check_failure(e, error::unexpected_status, "400 Bad Request: this port speaks TLS");
}

BOOST_AUTO_TEST_CASE(server_that_is_silent_in_the_tls_handshake_times_out) {
    world w;
    raw_server raw(w);
    auto const url = "wss://127.0.0.1:" + std::to_string(raw.port()) + "/";
    check_failure(failure(w, url, {.timeouts = {.handshake = 200ms}}), error::tls_timed_out, "within 200 ms");
}

BOOST_AUTO_TEST_CASE(cancelled_tls_handshake_leaves_nothing_behind) {
    world w;
    raw_server raw(w);
    auto const url = "wss://127.0.0.1:" + std::to_string(raw.port()) + "/";
    auto const connecting = w.start(wsio::connect(url));
    auto peer = raw.accept();
    static_cast<void>(peer.read_some());
    connecting.cancel();
    BOOST_REQUIRE(w.until([&] { return connecting.done(); }));
    BOOST_CHECK_THROW(connecting.get(), boost::system::system_error);
    peer.expect_end();
}

BOOST_AUTO_TEST_CASE(oldest_version_is_kept_to) {
    secured s;
    auto server = s.listen(s.ca.issue("localhost", "IP:127.0.0.1"), {.minimum_version = wsio::tls_version::tls_1_3});
    BOOST_TEST(connect_to(s.w, s.url(server), s.trusting({.minimum_version = wsio::tls_version::tls_1_3})).is_open());
    BOOST_TEST(connect_to(s.w, s.url(server), s.trusting()).is_open());
}

BOOST_AUTO_TEST_CASE(files_that_are_wrong_are_named) {
    temporary_folder folder;
    auto const fails = [](wsio::client_tls_options options, std::string_view part) {
        BOOST_CHECK_EXCEPTION(wsio::client_tls(std::move(options)), std::exception,
                              [&](auto& e) { return contains(e.what(), part); });
    };
    fails({.ca = folder.file("missing.pem")}, "cannot read the CA " + folder.file("missing.pem"));
    fails({.ca = folder.write("empty.pem", "")}, "holds no certificate");
    fails({.certificate = folder.file("a.pem")}, "client_tls_options.key belong together");
    for (auto const* const bad : {".example.com", "a..b", "Test CA", "*.example.com", "fe80::1%lo", "."})
        fails({.server_name = bad}, "client_tls_options.server_name");
    fails({.ciphers = "NONSENSE"}, "client_tls_options.ciphers");
    fails({.cipher_suites = "NONSENSE"}, "client_tls_options.cipher_suites");
    authority const ca;
    auto const one = ca.issue("one").save(folder, "one");
    auto const two = ca.issue("two").save(folder, "two");
    fails({.certificate = one.certificate, .key = two.key}, "does not belong to the certificate");
}

BOOST_AUTO_TEST_SUITE_END()
