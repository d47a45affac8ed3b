#include "io/client_tools.hpp"
#include "io/no_descriptors_left.hpp"

#include <set>

using namespace wsio::test;
using wsio::error;
using wsio::protocol_version;

namespace {

/// Connects to a raw server that gives `answer` and tells what came of it.
wsio::connect_error failure_after(std::string_view answer, bool ends = true, const wsio::client_options& options = {}) {
    world w;
    raw_server server(w);
    auto const connecting = w.start(wsio::try_connect(server.url(), options));
    auto peer = server.accept();
    static_cast<void>(peer.read_to("\r\n\r\n"));
    peer.send(answer);
    if (ends) peer.finish();
    BOOST_REQUIRE(w.until([&] { return connecting.done(); }));
    return failure_of(connecting);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(io_client_errors)

BOOST_AUTO_TEST_CASE(each_error_has_a_code_of_its_own_and_words) {
    std::set<std::string> messages;
    for (int value = 1; value <= static_cast<int>(error::wrong_extension); ++value) {
        boost::system::error_code const code = static_cast<error>(value);
        BOOST_TEST(code.category().name() == "wsio");
        BOOST_TEST(code.message() != "unknown error");
        messages.insert(code.message());
    }
    BOOST_TEST(messages.size() == static_cast<std::size_t>(error::wrong_extension));
    BOOST_TEST(wsio::error_category().message(1000) == "unknown error");
    std::error_code const standard = wsio::make_error_code(error::bad_url);
    BOOST_TEST(standard.message() == "the URL is no WebSocket URL");
}

BOOST_AUTO_TEST_CASE(bad_url_is_refused) {
    world w;
    check_failure(failure(w, "example.com"), error::bad_url, "wss://example.com/chat");
    check_failure(failure(w, "ftp://example.com/"), error::bad_url, "begins with ftp:");
    check_failure(failure(w, "ws:///path"), error::bad_url, "names no host");
    check_failure(failure(w, "ws://host/#part"), error::bad_url, "fragment");
    check_failure(failure(w, "ws://host:99999/"), error::bad_url, "port");
    // Names that TLS has no place for.
    for (auto const& host : {std::string("."), std::string(300, 'a')})
        check_failure(failure(w, "wss://" + host + '/', {.proxy = "127.0.0.1:1"}), error::bad_url, "names no host");
}

BOOST_AUTO_TEST_CASE(name_that_does_not_exist_is_not_resolved) {
    world w;
    check_failure(failure(w, "ws://does-not-exist.invalid/"), error::name_not_resolved,
                  "\"does-not-exist.invalid\" cannot");
}

BOOST_AUTO_TEST_CASE(port_without_a_server_refuses) {
    world w;
    auto const port = [&] { return raw_server(w).port(); }();
    auto const e = failure(w, "ws://127.0.0.1:" + std::to_string(port) + "/");
    check_failure(e, error::connection_refused, "is the server running");
    BOOST_TEST(contains(e.what(), "127.0.0.1:" + std::to_string(port)));
    BOOST_TEST(e.http_status() == 0U);
}

BOOST_AUTO_TEST_CASE(exception_is_a_system_error_with_the_same_words) {
    world w;
    auto const port = [&] { return raw_server(w).port(); }();
    try {
        static_cast<void>(w.run(wsio::connect("ws://127.0.0.1:" + std::to_string(port) + "/")));
        BOOST_FAIL("it connected");
    } catch (const boost::system::system_error& e) {
        BOOST_TEST((e.code() == error::connection_refused));
        BOOST_TEST(contains(e.what(), "is the server running"));
    }
}

BOOST_AUTO_TEST_CASE(network_that_leads_nowhere_is_unreachable) {
    world w;
    // A multicast address is none to connect to, with whatever network.
    check_failure(failure(w, "ws://224.0.0.1:9/"), error::unreachable, "is there a network");
}

BOOST_AUTO_TEST_CASE(lack_of_descriptors_is_not_blamed_on_the_network) {
    world w;
    auto server = w.echo();
    auto open = connect_to(w, url_of(server));
    std::optional<task<wsio::connect_result>> connecting;
    {
        no_descriptors_left const now;
        connecting = w.start(wsio::try_connect(url_of(server)));
        static_cast<void>(w.until([&] { return connecting->done(); }));
    }
    BOOST_REQUIRE(connecting->done());
    check_failure(failure_of(*connecting), error::unreachable, "raise the limit of open files");
    auto const sent = w.start(open.send("still here"));
    BOOST_TEST(w.receive(open)->text() == "still here");
}

BOOST_AUTO_TEST_CASE(silent_server_times_out_in_the_handshake) {
    world w;
    raw_server server(w);
    auto const e = failure(w, server.url(), {.timeouts = {.handshake = 200ms}});
    check_failure(e, error::handshake_timed_out, "within 200 ms");
}

BOOST_AUTO_TEST_CASE(server_that_trickles_its_answer_times_out_all_the_same) {
    world w;
    raw_server server(w);
    wsio::client_options const options{.timeouts = {.handshake = 300ms}};
    auto const connecting = w.start(wsio::try_connect(server.url(), options));
    auto peer = server.accept();
    std::string_view const answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    for (std::size_t i = 0; !connecting.done() && i < answer.size(); ++i) {
        peer.send_some(answer.substr(i, 1), 0ms);
        w.turn_for(10ms);
    }
    BOOST_REQUIRE(connecting.done());
    check_failure(failure_of(connecting), error::handshake_timed_out, "300 ms");
}

BOOST_AUTO_TEST_CASE(server_that_is_full_times_out_when_connecting) {
    world w;
    // A backlog of one that nobody accepts from: the kernel answers no more.
    asio::io_context context;
    asio::ip::tcp::acceptor acceptor(context);
    acceptor.open(asio::ip::tcp::v4());
    acceptor.bind({asio::ip::address_v4::loopback(), 0});
    acceptor.listen(0);
    auto const url = "ws://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/";
    std::vector<client> filling;
    for (int i = 0; i < 1; ++i) filling.emplace_back(w, acceptor.local_endpoint().port());
    check_failure(failure(w, url, {.connect_timeout = 300ms}), error::connect_timed_out, "within 300 ms");
}

BOOST_AUTO_TEST_CASE(refusal_shows_status_and_body) {
    auto const e = failure_after("HTTP/1.1 403 Forbidden\r\nContent-Length: 20\r\n\r\nyou may not be here\n", false);
    check_failure(e, error::unexpected_status, "403 Forbidden: you may not be here");
    BOOST_TEST(e.http_status() == 403U);
    BOOST_TEST(e.body() == "you may not be here\n");
}

BOOST_AUTO_TEST_CASE(refusal_without_a_length_ends_with_the_connection) {
    auto const e = failure_after("HTTP/1.0 500 Oh\r\n\r\nbroken");
    check_failure(e, error::unexpected_status, "500 Oh: broken");
    BOOST_TEST(e.body() == "broken");
}

BOOST_AUTO_TEST_CASE(body_of_a_refusal_is_bounded_in_size_and_time) {
    auto const large = failure_after("HTTP/1.1 400 Bad\r\nContent-Length: 999999\r\n\r\n" + letters(100'000), false);
    BOOST_TEST(large.body().size() == 1024U);
    auto const begun = std::chrono::steady_clock::now();
    auto const late = failure_after("HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\nonly this", false);
    BOOST_TEST(late.body() == "only this");
    check_failure(late, error::unexpected_status, "400 Bad: only this");
    BOOST_TEST((std::chrono::steady_clock::now() - begun < 3s));
}

BOOST_AUTO_TEST_CASE(body_of_a_refusal_does_not_extend_the_deadline) {
    world w;
    raw_server server(w);
    wsio::client_options const options{.timeouts = {.handshake = 1'200ms}};
    auto const begun = std::chrono::steady_clock::now();
    auto const connecting = w.start(wsio::try_connect(server.url(), options));
    auto peer = server.accept();
    static_cast<void>(peer.read_to("\r\n\r\n"));
    w.turn_for(900ms);
    peer.send("HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nonly this");
    BOOST_REQUIRE(w.until([&] { return connecting.done(); }));
    BOOST_TEST((std::chrono::steady_clock::now() - begun < 1'600ms));
    check_failure(failure_of(connecting), error::unexpected_status, "503 Busy: only this");
}

BOOST_AUTO_TEST_CASE(refusal_of_the_library_s_own_server_says_why) {
    world w;
    auto server = w.listen({.path = "/here"});
    auto const e = failure(w, url_of(server, "/there"));
    check_failure(e, error::unexpected_status, "404 Not Found: no WebSocket server serves this path");
}

BOOST_AUTO_TEST_CASE(what_is_not_http_is_a_bad_answer) {
    check_failure(failure_after("SSH-2.0-OpenSSH_9.2\r\n", false), error::bad_answer, "SSH-2.0-OpenSSH_9.2");
    check_failure(failure_after("HTTP/1.1 abc\r\n\r\n"), error::bad_answer, "status line");
}

BOOST_AUTO_TEST_CASE(end_before_the_answer_is_a_lost_connection) {
    check_failure(failure_after(""), error::connection_lost, "before its answer was there");
    check_failure(failure_after("HTTP/1.1 101 Swit"), error::connection_lost, "before its answer was there");
    world w;
    raw_server server(w);
    auto const connecting = w.start(wsio::try_connect(server.url()));
    auto peer = server.accept();
    static_cast<void>(peer.read_to("\r\n\r\n"));
    peer.reset();
    BOOST_REQUIRE(w.until([&] { return connecting.done(); }));
    check_failure(failure_of(connecting), error::connection_lost, "(Connection reset by peer)");
}

BOOST_AUTO_TEST_CASE(answer_of_another_handshake_is_not_taken) {
    constexpr std::string_view fields = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
    auto const head = "HTTP/1.1 101 Switching Protocols\r\n" + std::string(fields);
    check_failure(failure_after(head + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", false),
                  error::wrong_accept_key, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    check_failure(failure_after(head + "\r\n", false), error::wrong_accept_key, "is missing");
}

BOOST_AUTO_TEST_CASE(cancelled_connect_leaves_nothing_behind) {
    world w;
    raw_server server(w);
    auto const connecting = w.start(wsio::connect(server.url()));
    auto peer = server.accept();
    static_cast<void>(peer.read_to("\r\n\r\n"));
    connecting.cancel();
    BOOST_REQUIRE(w.until([&] { return connecting.done(); }));
    BOOST_CHECK_EXCEPTION(connecting.get(), boost::system::system_error,
                          [](auto& e) { return e.code() == asio::error::operation_aborted; });
    peer.expect_end();
}

BOOST_AUTO_TEST_CASE(connect_cancelled_while_it_dials_ends_at_once) {
    world w;
    auto const connecting = w.start(wsio::connect("ws://192.0.2.1:9/"));
    w.turn_for(20ms);
    connecting.cancel();
    BOOST_REQUIRE(w.until([&] { return connecting.done(); }));
    BOOST_CHECK_THROW(connecting.get(), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(exception_of_the_headers_callback_leaves_connect) {
    world w;
    auto server = w.listen();
    wsio::client_options options;
    options.on_headers = [](const wsio::headers&) { throw std::runtime_error("no"); };
    BOOST_CHECK_EXCEPTION(connect_to(w, url_of(server), options), std::runtime_error,
                          [](auto& e) { return std::string_view(e.what()) == "no"; });
    auto peer = w.accept(server);
    BOOST_TEST(!w.receive(peer));
}

BOOST_AUTO_TEST_SUITE_END()
