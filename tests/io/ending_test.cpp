#include "io/fixture.hpp"

#include <functional>
#include <memory>
#include <stdexcept>
#include <unordered_set>
#include <vector>

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;
using wsio::ready_state;

namespace {

/// One open connection, with both of its ends.
struct connected : connected_pair {
    explicit connected(protocol_version version = protocol_version::hybi_13, wsio::options options = {})
        : connected_pair(std::move(options), version) {}

    void wait_for_end() {
        BOOST_TEST(!w.receive(socket).has_value());
        BOOST_REQUIRE(w.until([&] { return socket.ready_state() == ready_state::closed; }));
        BOOST_TEST(!w.run(socket.send("late")).accepted);
    }
};

/// One way to end a connection, and what has to be said of it.
struct way {
    const char* name;
    std::function<void(connected&)> act;
    ended_by by;
    int code;
    const char* cause;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(io_ending)

BOOST_AUTO_TEST_CASE(an_open_connection_was_ended_by_nobody) {
    connected c;
    BOOST_TEST(c.socket.status().by == ended_by::nobody);
    BOOST_TEST(c.socket.is_open());
}

BOOST_AUTO_TEST_CASE(the_peer_closes_with_code_and_reason) {
    for (auto version : {protocol_version::hybi_7, protocol_version::hybi_8, protocol_version::hybi_13}) {
        connected c(version);
        c.client.send(close_frame(4321, "good bye")).expect_last(server_close(4321));
        c.wait_for_end();
        check_status(c.socket.status(), ended_by::peer, close_code{4321}, true, "good bye");
    }
}

BOOST_AUTO_TEST_CASE(a_code_that_is_not_sent_does_not_come_back) {
    for (auto version : {protocol_version::hybi_7, protocol_version::hybi_8, protocol_version::hybi_13})
        for (int code : {1004, 1010, 1011, 1012, 1013, 1014}) {
            bool const is_13 = version == protocol_version::hybi_13;
            if (is_13 && code == 1004) continue;  // may not be received
            connected c(version);
            c.client.send(close_frame(code, "")).expect_last(server_close(is_13 && code != 1010 ? code : 1000));
            c.wait_for_end();
            check_status(c.socket.status(), ended_by::peer, close_code(code), true);
        }
}

BOOST_AUTO_TEST_CASE(the_peer_closes_without_a_code) {
    connected c;
    c.client.send(frame(close_opcode, "")).expect_last(server_frame(close_opcode, ""));
    c.wait_for_end();
    check_status(c.socket.status(), ended_by::peer, close_code::no_status, true);
}

BOOST_AUTO_TEST_CASE(the_peer_closes_as_hixie_76_does) {
    connected c(protocol_version::hixie_76);
    c.client.send(std::string_view("\xFF\0", 2)).expect_last(std::string_view("\xFF\0", 2));
    c.wait_for_end();
    check_status(c.socket.status(), ended_by::peer, close_code::no_status, true);
}

BOOST_AUTO_TEST_CASE(the_peer_of_hixie_75_just_leaves) {
    connected c(protocol_version::hixie_75, {.timeouts = {.close = 100ms}});
    c.client.finish();
    c.client.expect_end();
    c.wait_for_end();
    BOOST_TEST(c.socket.status().by == ended_by::peer);
}

BOOST_AUTO_TEST_CASE(the_peer_leaves_without_a_handshake) {
    for (auto version : {protocol_version::hybi_13, protocol_version::hixie_76}) {
        connected c(version, {.timeouts = {.close = 100ms}});  // so long one who is busy may still send
        c.client.finish();
        c.client.expect_end();
        c.wait_for_end();
        check_status(c.socket.status(), ended_by::peer, close_code::abnormal, false);
    }
}

BOOST_AUTO_TEST_CASE(the_peer_leaves_in_the_middle_of_a_message) {
    connected c;
    c.client.send(frame(text_frame, "whole") + head(text_frame, 100) + "mask" + "part");
    c.client.close();
    BOOST_TEST(c.w.receive(c.socket)->text() == "whole");
    c.wait_for_end();
    check_status(c.socket.status(), ended_by::peer, close_code::abnormal, false);
}

BOOST_AUTO_TEST_CASE(a_reset_is_the_networks_or_the_peers_doing) {
    connected c;
    c.client.reset();
    c.wait_for_end();
    auto const status = c.socket.status();
    check_status(status, ended_by::network, close_code::abnormal, false);
}

BOOST_AUTO_TEST_CASE(a_protocol_error_ends_with_1002) {
    for (auto version : {protocol_version::hybi_7, protocol_version::hybi_8, protocol_version::hybi_13}) {
        connected c(version);
        c.client.send(server_frame(text_frame, "not masked") + frame(text_frame, "never seen"));
        auto const answer = c.client.read_all();
        BOOST_TEST(answer.substr(2, 2) == number(1002, 2));
        c.wait_for_end();
        auto const status = c.socket.status();
        BOOST_TEST(status.by == ended_by::library);
        BOOST_TEST(status.code == close_code::protocol_error);
        BOOST_TEST(contains(status.cause, "mask"), status.cause);
    }
}

BOOST_AUTO_TEST_CASE(bad_text_ends_with_1007) {
    connected c;
    c.client.send(frame(text_frame, "good") + frame(text_frame, "\xC0\xAF"));
    BOOST_TEST(c.client.read_all().substr(2, 2) == number(1007, 2));
    BOOST_TEST(c.w.receive(c.socket)->text() == "good");
    c.wait_for_end();
    BOOST_TEST(c.socket.status().code == close_code::invalid_payload);
    BOOST_TEST(c.socket.status().by == ended_by::library);
}

BOOST_AUTO_TEST_CASE(close_runs_the_closing_handshake) {
    connected c;
    c.socket.write("before");
    auto closing = c.w.start(c.socket.close(close_code{4000}, "done"));
    c.client.expect(server_frame(text_frame, "before") + server_close(4000, "done"));
    BOOST_TEST(c.socket.ready_state() == ready_state::closing);
    BOOST_TEST(!closing.done());
    BOOST_TEST(!c.w.run(c.socket.send("late")).accepted);
    c.client.send(close_frame(4000)).expect_end();
    BOOST_REQUIRE(c.w.until([&] { return closing.done(); }));
    check_status(c.socket.status(), ended_by::application, close_code{4000}, true, "done");
    c.w.run(c.socket.close());  // at once
}

BOOST_AUTO_TEST_CASE(messages_that_come_while_closing_are_still_given) {
    connected c;
    auto closing = c.w.start(c.socket.close());
    c.client.expect(server_close(1000)).send(frame(text_frame, "on the way") + close_frame(1000)).expect_end();
    BOOST_REQUIRE(c.w.until([&] { return closing.done(); }));
    BOOST_TEST(c.w.receive(c.socket)->text() == "on the way");
    BOOST_TEST(!c.w.receive(c.socket).has_value());
}

BOOST_AUTO_TEST_CASE(a_close_that_is_never_answered_ends_with_the_deadline) {
    for (auto version : {protocol_version::hybi_13, protocol_version::hixie_76}) {
        connected c(version, {.timeouts = {.close = 100ms}});
        auto const begin = std::chrono::steady_clock::now();
        auto closing = c.w.start(c.socket.close());
        for (int i = 0; i < 8; ++i) {  // a peer that talks on does not extend it
            c.client.send_some(client_text(version, "blah"), 10ms);
            c.w.turn_for(10ms);
        }
        c.client.read_all();
        BOOST_REQUIRE(c.w.until([&] { return closing.done(); }));
        auto const took = std::chrono::steady_clock::now() - begin;
        BOOST_TEST((took > 80ms && took < 1s));
        BOOST_TEST(c.socket.status().by == ended_by::application);
        BOOST_TEST(!c.socket.status().clean);
    }
}

BOOST_AUTO_TEST_CASE(close_reasons_are_cut_at_a_character) {
    connected c;
    std::string reason;
    for (int i = 0; i < 100; ++i) reason += "\xC3\xA9";
    c.socket.end(close_code::normal, reason);
    c.client.expect(server_close(1000, reason.substr(0, 122)));
}

BOOST_AUTO_TEST_CASE(codes_that_must_not_be_sent_are_not) {
    for (int code : {0, 999, 1004, 1005, 1006, 1015, 2000, 5000}) {
        connected c;
        try {
            c.socket.end(static_cast<close_code>(code));
        } catch (const std::logic_error&) {
            continue;
        }
        auto const got = c.client.read_for(30ms);
        BOOST_TEST((got.empty() || !contains(got, number(static_cast<unsigned>(code), 2))),
                   code << ": " << readable(got));
    }
}

BOOST_AUTO_TEST_CASE(destroy_drops_at_once) {
    connected c;
    auto waiting = c.w.start(c.socket.receive());
    c.w.turn_for(2ms);
    c.socket.destroy();
    BOOST_TEST(c.socket.ready_state() == ready_state::closed);
    c.client.expect_end();
    BOOST_REQUIRE(c.w.until([&] { return waiting.done(); }));
    BOOST_TEST(!waiting.get().has_value());
    c.wait_for_end();
    check_status(c.socket.status(), ended_by::application, close_code::abnormal, false);
    c.socket.destroy();
}

BOOST_AUTO_TEST_CASE(both_ends_may_close_at_the_same_time) {
    connected c;
    c.client.send(close_frame(4001, "mine"));
    c.socket.end(close_code{4002}, "yours");
    c.client.expect_last(server_close(4002, "yours"));
    c.wait_for_end();
    BOOST_TEST(c.socket.status().clean);
}

BOOST_AUTO_TEST_CASE(close_is_called_by_several) {
    connected c;
    auto first = c.w.start(c.socket.close(close_code{4000}));
    auto second = c.w.start(c.socket.close(close_code{4001}));
    c.socket.end(close_code{4002});
    c.client.expect(server_close(4000)).send(close_frame(4000)).expect_end();
    BOOST_TEST(c.w.until([&] { return first.done() && second.done(); }));
    BOOST_TEST(c.socket.status().code == close_code{4000});
}

BOOST_AUTO_TEST_CASE(a_cancelled_close_ends_only_the_wait) {
    connected c;
    auto closing = c.w.start(c.socket.close());
    c.client.expect(server_close(1000));
    closing.cancel();
    BOOST_REQUIRE(c.w.until([&] { return closing.done(); }));
    c.client.send(close_frame(1000)).expect_end();
    c.wait_for_end();
    BOOST_TEST(c.socket.status().clean);
}

BOOST_AUTO_TEST_CASE(the_last_handle_closes_properly) {
    for (auto version : wsio::all_protocol_versions) {
        connected c(version);
        auto copy = c.socket;
        c.socket = wsio::socket();
        copy.write("last words");
        { auto const moved = std::move(copy); }
        c.client.expect(server_text(version, "last words"));
        if (version == protocol_version::hixie_75)
            c.client.expect_end();
        else if (version == protocol_version::hixie_76)
            c.client.expect(std::string_view("\xFF\0", 2)).send(std::string_view("\xFF\0", 2)).expect_end();
        else
            c.client.expect(server_close(1000)).send(close_frame(1000)).expect_end();
        BOOST_TEST(c.w.until([&] { return c.server.clients_count() == 0; }));
    }
}

BOOST_AUTO_TEST_CASE(a_coroutine_that_returns_lets_its_handle_go) {
    world w;
    auto server = w.listen();
    w.serve(server, [](wsio::socket socket) -> awaitable<void> {
        auto const message = co_await socket.receive();
        co_await socket.send(*message);
    });
    auto client = connect(w, server.port());
    client.send(frame(text_frame, "once")).expect(server_frame(text_frame, "once") + server_close(1000));
    client.send(close_frame(1000)).expect_end();
    BOOST_TEST(w.until([&] { return server.clients_count() == 0; }));
}

BOOST_AUTO_TEST_CASE(a_handle_moved_or_dropped_during_an_operation_does_no_harm) {
    connected c;
    auto receiving = c.w.start(c.socket.receive());
    c.w.turn_for(2ms);
    auto const elsewhere = std::move(c.socket);
    c.client.send(frame(text_frame, "found"));
    BOOST_REQUIRE(c.w.until([&] { return receiving.done(); }));
    BOOST_TEST(receiving.get()->text() == "found");
}

BOOST_AUTO_TEST_CASE(a_handle_to_nothing_is_defined_everywhere) {
    world w;
    auto nothing = wsio::socket();
    BOOST_TEST(!nothing);
    BOOST_TEST(nothing.ready_state() == ready_state::closed);
    BOOST_TEST(!nothing.is_open());
    BOOST_TEST(!w.receive(nothing).has_value());
    BOOST_TEST(!w.run(nothing.send("a")).accepted);
    BOOST_TEST(!w.run(nothing.send(wsio::message::text("a"))).accepted);
    nothing.write("a").ping().end();
    nothing.destroy();
    w.run(nothing.close());
    BOOST_TEST(nothing.buffered_amount() == 0u);
    BOOST_TEST(nothing.subprotocol() == "");
    BOOST_TEST(nothing.request().target() == "");
    BOOST_TEST(nothing.local_endpoint() == wsio::endpoint{});
    BOOST_TEST(nothing.remote_endpoint() == wsio::endpoint{});
    BOOST_TEST(!nothing.user_value().has_value());
    (void)nothing.status().to_string();
    (void)nothing.name();
    nothing.on_message([](const auto&) {}).on_close([](const auto&) {}).on_error([](const auto&) {});
    auto const copy = nothing;
    BOOST_TEST((copy == nothing));
}

BOOST_AUTO_TEST_CASE(a_handle_stays_usable_when_connection_and_server_are_gone) {
    connected c;
    c.client.close();
    c.wait_for_end();
    c.server.stop();
    c.server = wsio::server(c.w.executor());
    c.w.turn_for(10ms);
    c.socket.write("a").ping("b").end();
    c.socket.destroy();
    c.w.run(c.socket.close());
    BOOST_TEST(c.socket.request().target() == "/");
    BOOST_TEST(c.socket.protocol_version() == protocol_version::hybi_13);
    BOOST_TEST(c.socket.local_endpoint() == wsio::endpoint{});
    BOOST_TEST(c.socket.buffered_amount() == 0u);
    (void)c.socket.get_executor();
}

BOOST_AUTO_TEST_CASE(handles_compare_and_hash_by_connection) {
    connected c;
    auto other_client = connect(c.w, c.server.port());
    auto const other = c.w.accept(c.server);
    auto const copy = c.socket;
    BOOST_TEST((copy == c.socket));
    BOOST_TEST((copy != other));
    auto const set = std::unordered_set<wsio::socket>{c.socket, copy, other};
    BOOST_TEST(set.size() == 2u);
}

BOOST_AUTO_TEST_CASE(public_types_print) {
    BOOST_TEST(fmt::format("{}", close_code::going_away) == "1001 going away");
    BOOST_TEST(fmt::format("{}", close_code{4000}) == "4000 application");
    BOOST_TEST(fmt::format("{:>10}", protocol_version::hybi_13) == "   hybi-13");
    BOOST_TEST(fmt::format("{}", protocol_version::hixie_75) == "hixie-75");
    BOOST_TEST(fmt::format("{}", ready_state::open) == "open");
    BOOST_TEST(fmt::format("{}", ended_by::peer) == "peer");
    BOOST_TEST(fmt::format("{}", wsio::endpoint{asio::ip::make_address("127.0.0.1"), 3000}) == "127.0.0.1:3000");
    BOOST_TEST(fmt::format("{}", wsio::endpoint{asio::ip::make_address("::1"), 3000}) == "[::1]:3000");
    auto const status = wsio::status{ended_by::server, close_code::going_away, "server is stopping", "", true};
    for (auto part : {"1001 going away", "by the server", "server is stopping"})
        BOOST_TEST(contains(fmt::format("{}", status), part), status.to_string());
    BOOST_TEST(status.to_string() == fmt::format("{}", status));
    BOOST_TEST(!fmt::format("{}", wsio::status{}).empty());
}

BOOST_AUTO_TEST_CASE(every_ending_has_a_reason) {
    using enum ended_by;
    auto const ways = std::vector<way>{
        {"the peer closes", [](auto& c) { c.client.send(close_frame(1000)); }, peer, 1000, "the peer closed"},
        {"the peer leaves", [](auto& c) { c.client.close(); }, peer, 1006, "without a closing handshake"},
        {"a reset", [](auto& c) { c.client.reset(); }, network, 1006, "reset"},
        {"end", [](auto& c) { c.socket.end(); }, application, 1000, "the application closed"},
        {"close", [](auto& c) { c.w.start(c.socket.close(close_code{4001})); }, application, 4001, "did not answer"},
        {"destroy", [](auto& c) { c.socket.destroy(); }, application, 1006, "the application dropped"},
        {"a violation", [](auto& c) { c.client.send(server_frame(text_frame, "a")); }, library, 1002, "mask"},
        {"a callback throws",
         [](auto& c) {
             c.socket.on_message([](const wsio::message&) { throw 1; });
             c.client.send(frame(text_frame, "a"));
         },
         application, 1011, "exception"},
        {"a slow reader",
         [](auto& c) {
             for (int i = 0; i < 200; ++i) c.socket.write(letters(100'000));
         },
         library, 1013, "too slowly"},
        {"stop", [](auto& c) { c.server.stop(); }, server, 1001, "the server is stopping"},
        {"a drain that nobody answers", [](auto& c) { c.w.run(c.server.drain(20ms)); }, server, 1001, "stopping"},
    };
    for (auto const& each : ways) BOOST_TEST_CONTEXT(each.name) {
            connected c(protocol_version::hybi_13, {.on_exception = [](std::exception_ptr, const wsio::request&) {},
                                                    .limits = {.outbox = 100'000},
                                                    .timeouts = {.close = 50ms}});
            each.act(c);
            BOOST_REQUIRE(c.w.until([&] { return c.socket.ready_state() == ready_state::closed; }));
            auto const status = c.socket.status();
            BOOST_TEST(status.by == each.by);
            BOOST_TEST(status.code == static_cast<close_code>(each.code));
            BOOST_TEST(contains(status.cause, each.cause), status.cause);
        }
}

BOOST_AUTO_TEST_CASE(a_connection_whose_loop_goes_away_has_ended_too) {
    auto w = std::make_unique<world>();
    auto server = std::optional(w->listen());
    auto client = connect(*w, server->port());
    auto const socket = w->accept(*server);
    BOOST_TEST(server->clients_count() == 1U);
    w.reset();
    check_status(socket.status(), ended_by::application, close_code::abnormal, false);
    BOOST_TEST(contains(socket.status().cause, "io_context"), socket.status().cause);
    BOOST_TEST(server->clients_count() == 0U);
    BOOST_TEST(server->clients().empty());
    server->stop();
}

BOOST_AUTO_TEST_SUITE_END()
