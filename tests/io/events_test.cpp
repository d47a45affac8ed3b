#include "io/fixture.hpp"

#include <stdexcept>
#include <vector>

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;

namespace {

/// What a socket told by its events, as lines.
struct journal {
    std::vector<std::string> lines;
    void keep(wsio::socket& socket) {
        socket.on_message([this](const wsio::message& message) { lines.push_back("message " + message.str()); })
            .on_close([this](const wsio::status& status) {
                lines.push_back("close " + std::to_string(to_number(status.code)));
            })
            .on_error([this](const wsio::status&) { lines.emplace_back("error"); });
    }
};

using lines = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(io_events)

BOOST_AUTO_TEST_CASE(messages_and_the_end_are_told_in_every_version) {
    for (auto version : wsio::all_protocol_versions) BOOST_TEST_CONTEXT(version) {
            world w;
            auto server = w.listen();
            journal log;
            server.on_connection([&](wsio::socket socket) { log.keep(socket); });
            auto client = connect(w, server.port(), version);
            client.send(client_text(version, "one") + client_text(version, "two"));
            BOOST_TEST(w.until([&] { return log.lines.size() == 2; }));
            BOOST_TEST(log.lines == (lines{"message one", "message two"}), boost::test_tools::per_element());
            if (wsio::is_hybi(version))
                client.send(close_frame(1000)).expect_last(server_close(1000));
            else if (version == protocol_version::hixie_76)
                client.send(std::string_view("\xFF\0", 2)).expect_last(std::string_view("\xFF\0", 2));
            else
                client.close();
            BOOST_TEST(w.until([&] { return log.lines.size() == 3; }));
            w.turn_for(5ms);
            BOOST_TEST(log.lines.size() == 3u);
            BOOST_TEST(log.lines.back().starts_with("close"));
        }
}

BOOST_AUTO_TEST_CASE(close_is_told_when_the_server_closes) {
    world w;
    auto server = w.listen();
    journal log;
    server.on_connection([&](wsio::socket socket) {
        log.keep(socket);
        socket.write("hi").end(close_code{4000});
    });
    auto client = connect(w, server.port());
    client.expect(server_frame(text_frame, "hi") + server_close(4000));
    BOOST_TEST(log.lines.empty());  // not before the connection has ended
    client.send(close_frame(4000)).expect_end();
    BOOST_TEST(w.until([&] { return !log.lines.empty(); }));
    BOOST_TEST(log.lines == lines{"close 4000"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(close_is_told_behind_destroy) {
    world w;
    auto server = w.listen();
    journal log;
    server.on_connection([&](wsio::socket socket) {
        log.keep(socket);
        socket.destroy();
    });
    client c(w, server.port());
    c.send(handshake()).read_all();
    BOOST_TEST(w.until([&] { return !log.lines.empty(); }));
    BOOST_TEST(log.lines == lines{"close 1006"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_error_is_told_before_the_end) {
    world w;
    auto server = w.listen();
    journal log;
    server.on_connection([&](wsio::socket socket) { log.keep(socket); });
    auto client = connect(w, server.port());
    client.send(frame(text_frame, "good") + frame(0x83, "bad")).read_all();
    BOOST_TEST(w.until([&] { return log.lines.size() == 3; }));
    BOOST_TEST(log.lines == (lines{"message good", "error", "close 1002"}), boost::test_tools::per_element());

    auto resetting = connect(w, server.port());
    log.lines.clear();
    w.turn_for(2ms);
    resetting.reset();
    BOOST_TEST(w.until([&] { return log.lines.size() == 2; }));
    BOOST_TEST(log.lines == (lines{"error", "close 1006"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(callbacks_keep_the_connection_without_a_handle) {
    world w;
    auto server = w.listen();
    server.on_connection([](wsio::socket socket) {
        socket.on_message([socket](const wsio::message& message) mutable { socket.write(message); });
    });
    auto client = connect(w, server.port());
    for (int i = 0; i < 3; ++i) {
        w.turn_for(5ms);
        client.send(frame(binary_frame, "echo")).expect(server_frame(binary_frame, "echo"));
    }
}

BOOST_AUTO_TEST_CASE(callbacks_that_hold_the_socket_do_not_leak) {
    auto const witness = std::make_shared<int>();
    world w;
    auto server = w.listen();
    server.on_connection([&](wsio::socket socket) {
        socket.on_message([socket, witness](const wsio::message&) mutable { socket.end(); })
            .on_close([socket, witness](const wsio::status&) {})
            .on_error([socket, witness](const wsio::status&) {});
    });
    auto client = connect(w, server.port());
    BOOST_TEST(w.until([&] { return witness.use_count() > 1; }));
    client.send(frame(text_frame, "end")).expect(server_close(1000)).send(close_frame(1000)).expect_end();
    BOOST_TEST(w.until([&] { return witness.use_count() == 1; }));
}

BOOST_AUTO_TEST_CASE(an_exception_in_a_callback_ends_with_1011) {
    world w;
    auto reported = std::vector<std::string>();
    auto server = w.listen({.on_exception = [&](std::exception_ptr error, const wsio::request& request) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& e) {
            reported.push_back(std::string(request.path()) + ' ' + e.what());
        }
    }});
    journal log;
    server.on_connection([&](wsio::socket socket) {
        if (socket.request().path() == "/connection") throw std::runtime_error("in on_connection");
        log.keep(socket);
        if (socket.request().path() == "/message")
            socket.on_message([](const wsio::message&) { throw std::runtime_error("in on_message"); });
    });
    auto bystander = connect(w, server.port());
    auto thrown = connect(w, server.port(), protocol_version::hybi_13, "/message");
    thrown.send(frame(text_frame, "a") + frame(text_frame, "b"));
    auto const answer = thrown.read_to(number(1011, 2));
    BOOST_TEST(!contains(answer, "in on_message"));  // the peer does not learn what went wrong inside
    thrown.send(close_frame(1011));
    thrown.read_all();
    BOOST_TEST(w.until([&] { return !log.lines.empty(); }));
    BOOST_TEST(log.lines.back() == "close 1011");

    auto at_once = connect(w, server.port(), protocol_version::hybi_13, "/connection");
    at_once.read_to(number(1011, 2));
    BOOST_TEST(reported == (lines{"/message in on_message", "/connection in on_connection"}),
               boost::test_tools::per_element());
    bystander.send(frame(text_frame, "fine"));
    BOOST_TEST(w.until([&] { return log.lines.back() == "message fine"; }));
}

BOOST_AUTO_TEST_CASE(callback_that_is_set_after_the_end_is_told_though_no_handle_is_left) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    socket.destroy();
    client.expect_end();
    w.turn_for(5ms);
    int told = 0;
    socket.on_close([&](const wsio::status&) { ++told; });
    socket = wsio::socket();
    BOOST_TEST(w.until([&] { return told != 0; }));
    w.turn_for(5ms);
    BOOST_TEST(told == 1);
}

BOOST_AUTO_TEST_CASE(message_that_waits_after_the_end_is_received_though_no_handle_is_left) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    client.send(frame(text_frame, "one") + close_frame(1000));
    client.expect(server_close(1000));
    client.close();
    BOOST_TEST(w.until([&] { return socket.ready_state() == wsio::ready_state::closed; }));
    w.turn_for(5ms);
    auto const receiving = w.start(std::exchange(socket, wsio::socket()).receive(1s));
    BOOST_TEST(w.until([&] { return receiving.done(); }));
    BOOST_TEST(receiving.get()->text() == "one");
}

BOOST_AUTO_TEST_CASE(pongs_are_told_and_messages_are_received_as_ever) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    std::vector<std::string> pongs;
    socket.on_pong([&](std::string_view payload) { pongs.emplace_back(payload); });
    socket.ping("first");
    client.expect(server_frame(ping_frame, "first")).send(frame(pong_frame, "first") + frame(text_frame, "hello"));
    BOOST_TEST(w.receive(socket)->text() == "hello");
    BOOST_TEST(w.until([&] { return !pongs.empty(); }));
    BOOST_TEST(pongs == lines{"first"}, boost::test_tools::per_element());
    std::string flood;
    for (int i = 0; i < 1000; ++i) flood += frame(pong_frame, std::to_string(i));
    client.send(flood);
    BOOST_TEST(w.until([&] { return pongs.back() == "999"; }));
    BOOST_TEST(pongs.size() < 1000U);
}

BOOST_AUTO_TEST_CASE(a_callback_of_pongs_may_end_the_connection_or_let_itself_go) {
    world w;
    auto server = w.listen();
    for (bool const destroys : {false, true}) {
        auto client = connect(w, server.port());
        auto socket = w.accept(server);
        int told = 0;
        socket.on_pong([&](std::string_view) {
            ++told;
            socket.on_pong(nullptr);
            if (destroys) socket.destroy();
        });
        client.send(frame(pong_frame, "a") + frame(text_frame, "hello"));
        BOOST_TEST(w.until([&] { return told != 0; }));
        if (destroys) {
            BOOST_TEST((socket.ready_state() == wsio::ready_state::closed));
        } else {
            client.send(frame(pong_frame, "b") + frame(text_frame, "there"));
            BOOST_TEST(w.receive(socket)->text() == "hello");
            BOOST_TEST(w.receive(socket)->text() == "there");
        }
        BOOST_TEST(told == 1);
    }
}

BOOST_AUTO_TEST_CASE(exception_in_on_pong_is_reported_and_closes_with_1011) {
    world w;
    std::string reported;
    auto server = w.listen({.on_exception = [&](std::exception_ptr error, const wsio::request&) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& e) {
            reported = e.what();
        }
    }});
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    socket.on_pong([](std::string_view) { throw std::runtime_error("in on_pong"); });
    client.send(frame(pong_frame, ""));
    client.expect(server_close(1011, "internal error"));
    BOOST_TEST(reported == "in on_pong");
}

BOOST_AUTO_TEST_CASE(exceptions_in_on_close_and_on_error_are_reported) {
    world w;
    int reported = 0;
    auto server = w.listen({.on_exception = [&](std::exception_ptr, const wsio::request&) { ++reported; }});
    server.on_connection([&](wsio::socket socket) {
        socket.on_close([](const auto&) { throw std::runtime_error("in on_close"); });
        socket.on_error([](const auto&) { throw std::runtime_error("in on_error"); });
    });
    auto client = connect(w, server.port());
    client.send(frame(0x83, "bad")).read_all();
    BOOST_TEST(w.until([&] { return reported == 2; }));
    connect(w, server.port());
}

BOOST_AUTO_TEST_CASE(callbacks_may_be_replaced_and_end_the_connection_while_they_run) {
    world w;
    auto server = w.listen();
    auto seen = lines();
    server.on_connection([&](wsio::socket socket) {
        auto name = std::string("what the first callback captured");
        socket.on_message([&, socket, name](const wsio::message& first) mutable {
            seen.push_back("first " + first.str());
            socket.on_message([&, socket](const wsio::message& second) mutable {
                seen.push_back("second " + second.str());
                socket.destroy();
            });
            seen.push_back(name);
        });
    });
    auto client = connect(w, server.port());
    client.send(frame(text_frame, "a") + frame(text_frame, "b") + frame(text_frame, "c"));
    client.read_all();
    w.turn_for(5ms);
    BOOST_TEST(seen == (lines{"first a", "what the first callback captured", "second b"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(messages_that_came_before_the_callback_are_told) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    client.send(frame(text_frame, "early") + close_frame(1000)).expect_last(server_close(1000));
    journal log;
    log.keep(socket);
    w.turn_for(10ms);
    BOOST_TEST(log.lines == (lines{"message early", "close 1000"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(messages_that_wait_are_told_to_a_callback_that_comes_after_the_end) {
    connected_pair c;
    c.client.send(frame(text_frame, "one") + frame(text_frame, "two") + close_frame(1000)).read_all();
    BOOST_TEST(c.w.until([&] { return c.socket.ready_state() == wsio::ready_state::closed; }));
    journal log;
    log.keep(c.socket);
    BOOST_TEST(c.w.until([&] { return log.lines.size() == 3; }));
    BOOST_TEST(log.lines == (lines{"message one", "message two", "close 1000"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_callback_that_unsets_itself_is_not_called_again) {
    connected_pair c;
    lines told;
    c.socket.on_message([&](const wsio::message& message) {
        told.push_back(message.str());
        c.socket.on_message(nullptr);
    });
    c.client.send(frame(text_frame, "one") + frame(text_frame, "two"));
    BOOST_TEST(c.w.until([&] { return !told.empty(); }));
    BOOST_TEST(c.w.receive(c.socket)->text() == "two");
    BOOST_TEST(told == lines{"one"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(callbacks_that_are_unset_keep_no_connection) {
    connected_pair c;
    c.socket.on_message([](const wsio::message&) {});
    c.socket.on_close([](const wsio::status&) {});
    c.socket.on_message(nullptr);
    c.socket.on_close(nullptr);
    c.w.turn_for(20ms);
    c.socket = {};
    c.client.expect(server_close(1000));
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_dropped_in_a_callback_tells_no_more_messages) {
    connected_pair c;
    c.client.send(frame(text_frame, "one") + frame(text_frame, "two"));
    c.w.turn_for(20ms);  // both wait
    lines told;
    c.socket
        .on_message([&](const wsio::message& message) {
            told.push_back(message.str());
            c.socket.destroy();
        })
        .on_close([&](const wsio::status&) { told.emplace_back("close"); });
    BOOST_TEST(c.w.until([&] { return told.size() == 2; }));
    c.w.turn_for(5ms);
    BOOST_TEST(told == (lines{"one", "close"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
