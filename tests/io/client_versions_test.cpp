#include "io/client_tools.hpp"

#include <vector>

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;
using wsio::error;
using wsio::protocol_version;

BOOST_AUTO_TEST_SUITE(io_client_versions)

BOOST_AUTO_TEST_CASE(each_version_carries_messages_and_ends_in_its_way) {
    for (auto const version : wsio::all_protocol_versions) {
        BOOST_TEST_CONTEXT(to_string(version)) {
            world w;
            both_ends ends(w, {.subprotocols = {"chat"}}, {.protocols = {version}, .subprotocols = {"chat"}}, "/a?b=c");
            BOOST_TEST(ends.client.protocol_version() == version);
            BOOST_TEST(ends.server.protocol_version() == version);
            BOOST_TEST(ends.client.subprotocol() == "chat");
            BOOST_TEST(ends.client.can_send_binary() == is_hybi(version));
            for (auto const size : {0U, 5U, 200U, 70'000U, 1'000'000U}) ends.exchange(letters(size));
            auto const closing = w.start(ends.client.close(close_code::normal, "bye"));
            BOOST_TEST(!w.receive(ends.server));
            BOOST_REQUIRE(w.until([&] { return closing.done(); }));
            bool const codes = is_hybi(version);
            check_status(ends.client.status(), ended_by::application,
                         codes ? close_code::normal : close_code::no_status, true, codes ? "bye" : "");
            check_status(ends.server.status(), ended_by::peer, codes ? close_code::normal : close_code::no_status, true,
                         codes ? "bye" : "");
        }
    }
}

BOOST_AUTO_TEST_CASE(each_version_learns_of_the_end_by_the_server) {
    for (auto const version : wsio::all_protocol_versions) {
        BOOST_TEST_CONTEXT(to_string(version)) {
            world w;
            both_ends ends(w, {}, {.protocols = {version}});
            auto const closing = w.start(ends.server.close(close_code::going_away, "off"));
            BOOST_TEST(!w.receive(ends.client));
            BOOST_REQUIRE(w.until([&] { return closing.done(); }));
            bool const codes = is_hybi(version);
            check_status(ends.client.status(), ended_by::peer, codes ? close_code::going_away : close_code::no_status,
                         true, codes ? "off" : "");
        }
    }
}

BOOST_AUTO_TEST_CASE(hixie_client_cannot_send_what_could_be_a_frame) {
    world w;
    both_ends ends(w, {}, {.protocols = {protocol_version::hixie_76}});
    BOOST_CHECK_THROW(ends.client.write(wsio::bytes("x")), std::logic_error);
    BOOST_CHECK_THROW(ends.client.write("\xFF"), std::invalid_argument);
    ends.client.write("fine");
    BOOST_TEST(w.receive(ends.server)->text() == "fine");
}

BOOST_AUTO_TEST_CASE(list_is_fallen_back_through_in_order) {
    std::vector<protocol_version> const newest_first(wsio::all_protocol_versions.rbegin(),
                                                     wsio::all_protocol_versions.rend());
    for (auto const only : wsio::all_protocol_versions) {
        world w;
        auto server = w.listen({.protocols = {only}});
        auto const socket = connect_to(w, url_of(server), {.protocols = newest_first});
        BOOST_TEST(socket.protocol_version() == only);
    }
}

BOOST_AUTO_TEST_CASE(last_version_says_why_none_was_taken) {
    world w;
    auto server = w.listen({.protocols = {protocol_version::hybi_13}});
    auto const e = failure(w, url_of(server), {.protocols = {protocol_version::hybi_8, protocol_version::hybi_7}});
    check_failure(e, error::unexpected_status, "it speaks version 13");
}

BOOST_AUTO_TEST_CASE(server_that_hangs_or_ends_on_a_version_is_asked_in_the_next) {
    world w;
    raw_server server(w);
    wsio::client_options const options{
        .protocols = {protocol_version::hybi_13, protocol_version::hybi_8, protocol_version::hixie_75},
        .timeouts = {.handshake = 200ms}};
    auto const connecting = w.start(wsio::connect(server.url(), options));
    auto silent = server.accept();
    BOOST_TEST(contains(silent.read_to("\r\n\r\n"), "Sec-WebSocket-Version: 13"));
    auto ending = server.accept();
    BOOST_TEST(contains(ending.read_to("\r\n\r\n"), "Sec-WebSocket-Version: 8"));
    ending.close();
    auto old = server.accept();
    BOOST_TEST(!contains(old.read_to("\r\n\r\n"), "Sec-WebSocket"));
    auto const port = std::to_string(server.port());
    old.send(
        "HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
        "WebSocket-Origin: http://127.0.0.1:" +
        port + "\r\nWebSocket-Location: ws://127.0.0.1:" + port + "/\r\n\r\n");
    BOOST_REQUIRE(w.until([&] { return connecting.done(); }));
    BOOST_TEST(connecting.get().protocol_version() == protocol_version::hixie_75);
}

BOOST_AUTO_TEST_CASE(refusal_that_has_nothing_to_do_with_the_version_ends_the_list) {
    world w;
    int asked = 0;
    wsio::options of_server;
    of_server.authorize = [&](const wsio::request&) -> awaitable<wsio::verdict> {
        ++asked;
        co_return wsio::verdict::reject(403, "not you");
    };
    auto server = w.listen(std::move(of_server));
    auto const e = failure(w, url_of(server), {.protocols = {protocol_version::hybi_13, protocol_version::hybi_8}});
    check_failure(e, error::unexpected_status, "403 Forbidden: not you");
    BOOST_TEST(asked == 1);
}

BOOST_AUTO_TEST_CASE(compression_works_between_both_ends) {
    for (auto const mode : {wsio::compression_mode::shared, wsio::compression_mode::dedicated}) {
        world w;
        both_ends ends(w, {.compression = {.mode = mode, .threshold = 0}},
                       {.compression = {.mode = mode, .threshold = 0}});
        BOOST_TEST(ends.client.is_compressed());
        BOOST_TEST(ends.server.is_compressed());
        for (auto const size : {0U, 10U, 1000U, 300'000U}) {
            for (int twice = 0; twice < 2; ++twice) ends.exchange(letters(size));
        }
        BOOST_TEST(ends.listening.statistics().bytes_received < 650'000U);
    }
}

BOOST_AUTO_TEST_CASE(ends_with_different_ideas_of_compression_agree) {
    struct pair {
        wsio::compression_mode server;
        wsio::compression_mode client;
        bool agreed;
    };
    using enum wsio::compression_mode;
    for (auto const& [server, client, agreed] : {pair{off, shared, false}, pair{shared, off, false},
                                                 pair{shared, dedicated, true}, pair{dedicated, shared, true}}) {
        world w;
        both_ends ends(w, {.compression = {.mode = server}}, {.compression = {.mode = client}});
        BOOST_TEST(ends.client.is_compressed() == agreed);
        auto const text = letters(5000);
        for (int i = 0; i < 3; ++i) {
            ends.client.write(text);
            BOOST_TEST((w.receive(ends.server)->text() == text));
            ends.server.write(text);
            BOOST_TEST((w.receive(ends.client)->text() == text));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
