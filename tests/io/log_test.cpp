#include "io/log.hpp"

#include "io/tls_client.hpp"

#include <cstdio>
#include <stdexcept>
#include <vector>

#include <unistd.h>

using namespace wsio::test;
using wsio::log_level;

namespace {

/// Keeps what was logged, as "level line".
struct journal {
    std::shared_ptr<std::vector<std::string>> lines = std::make_shared<std::vector<std::string>>();

    [[nodiscard]] wsio::log_function writer() const {
        return [kept = lines](log_level level, std::string_view line) {
            kept->push_back(std::string(to_string(level)) + ' ' + std::string(line));
        };
    }

    /// Tells whether a line has all of `parts`, in order.
    [[nodiscard]] bool has(std::initializer_list<std::string_view> parts) const {
        for (auto const& line : *lines) {
            std::size_t at = 0;
            for (auto const part : parts)
                if (at != std::string::npos) at = line.find(part, at);
            if (at != std::string::npos) return true;
        }
        return false;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(io_log)

BOOST_AUTO_TEST_CASE(the_life_of_a_connection_is_told) {
    world w;
    journal log;
    auto server = w.echo({.log = log.writer()});
    BOOST_TEST(log.has({"info listening on 127.0.0.1:" + std::to_string(server.port())}));
    auto client = connect(w, server.port(), wsio::protocol_version::hybi_13, "/room");
    auto const who = client.local().to_string();
    BOOST_TEST(log.has({"info " + who, ": opened /room, hybi-13"}));
    client.send(close_frame(1000, "bye")).read_all();
    BOOST_TEST(w.until([&] { return log.has({"info " + who, ": closed: 1000 normal, ended by the peer", "bye"}); }));
    BOOST_TEST(log.lines->size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_violation_is_a_warning) {
    world w;
    journal log;
    auto server = w.echo({.log = log.writer()});
    connect(w, server.port()).send(server_frame(text_frame, "not masked")).read_all();
    BOOST_TEST(w.until([&] { return log.has({"warning ", "closed: 1002", "ended by the library", "mask"}); }));
}

BOOST_AUTO_TEST_CASE(refusals_say_who_what_and_why) {
    world w;
    journal log;
    auto server = w.listen({.path = "/ws",
                            .authorize = [](const wsio::request&) -> awaitable<wsio::verdict> {
                                co_return wsio::verdict::reject(401, "who are you?");
                            },
                            .log = log.writer()});
    client refused(w, server.port());
    auto const who = refused.local().to_string();
    refused.send(handshake("/ws")).read_all();
    BOOST_TEST(log.has({"warning " + who, "refused GET /ws: 401: who are you?"}));
    client(w, server.port()).send(handshake("/other")).read_all();
    BOOST_TEST(log.has({"warning 127.0.0.1:", "refused: 404: "}));
    client(w, server.port()).send("nonsense\r\n\r\n").read_all();
    BOOST_TEST(log.has({"warning 127.0.0.1:", "refused: 400: "}));
    client(w, server.port()).send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").read_all();
    BOOST_TEST(log.has({"warning 127.0.0.1:", "refused: 501: "}));
}

BOOST_AUTO_TEST_CASE(what_a_peer_sends_is_escaped_and_cut) {
    world w;
    journal log;
    auto server = w.echo({.log = log.writer()});
    auto client = connect(w, server.port(), wsio::protocol_version::hybi_13, "/" + letters(5000));
    client.send(close_frame(1000, "a\r\nerror fake \x1B[31m\xC2\x9B\\")).read_all();
    BOOST_TEST(w.until([&] { return log.lines->size() == 3; }));
    BOOST_TEST(log.has({"opened /", ", hybi-13"}));
    BOOST_TEST(log.has({"a\\x0d\\x0aerror fake \\x1b[31m\\xc2\\x9b\\x5c"}));
    for (auto const& line : *log.lines) {
        BOOST_TEST(line.size() < 400U);
        for (char const c : line) BOOST_TEST((c >= ' ' && c <= '~'));
    }
}

BOOST_AUTO_TEST_CASE(no_line_is_longer_than_the_limit) {
    BOOST_TEST(wsio::detail::log_line("short") == "short");
    BOOST_TEST(wsio::detail::log_line(std::string(990, 'a')).size() == 990U);
    auto const cut = wsio::detail::log_line(std::string(5000, '\n'));
    BOOST_TEST(cut.size() <= wsio::detail::longest_log_line);
    BOOST_TEST(cut.ends_with("\\x0a..."));
}

BOOST_AUTO_TEST_CASE(a_log_that_throws_harms_nobody) {
    world w;
    int called = 0;
    auto server = w.echo({.log = [&](log_level, std::string_view) {
        ++called;
        throw std::runtime_error("the disk is full");
    }});
    auto client = connect(w, server.port());
    client.send(frame(text_frame, "a")).expect(server_frame(text_frame, "a"));
    client.send(close_frame(1000)).expect_last(server_close(1000));
    BOOST_TEST(w.until([&] { return called == 3; }));
}

BOOST_AUTO_TEST_CASE(exceptions_are_errors_and_the_hook_still_learns_of_them) {
    world w;
    journal log;
    int told = 0;
    auto server = w.listen(
        {.authorize = [](const wsio::request&) -> awaitable<wsio::verdict> { throw std::runtime_error("no database"); },
         .on_exception = [&](std::exception_ptr, const wsio::request&) { ++told; },
         .log = log.writer()});
    client(w, server.port()).send(handshake("/x")).read_all();
    BOOST_TEST(log.has({"error ", "GET /x", "no database"}));
    BOOST_TEST(log.has({"warning ", "refused GET /x: 500"}));
    BOOST_TEST(told == 1);
}

BOOST_AUTO_TEST_CASE(draining_is_told_from_beginning_to_end) {
    world w;
    journal log;
    auto server = w.echo({.log = log.writer()});
    auto answers = connect(w, server.port()), silent = connect(w, server.port());
    auto const draining = w.start(server.drain(300ms));
    answers.expect(server_close(1001, stopping)).send(close_frame(1001)).expect_end();
    BOOST_TEST(log.has({"info draining 2 connections within 300 ms"}));
    BOOST_TEST(w.until([&] { return draining.done(); }));
    BOOST_TEST(log.has({"warning drained; 1 connections had to be dropped"}));
}

BOOST_FIXTURE_TEST_CASE(failures_of_tls_are_told_and_counted, secure_world) {
    journal log;
    auto server = w.echo({.log = log.writer(), .tls = tls()});
    client(w, server.port()).send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").read_all();
    BOOST_TEST(w.until([&] { return server.statistics().tls_failures == 1; }));
    BOOST_TEST(log.has({"warning 127.0.0.1:", "refused: ", "TLS"}));
    connect(server.port());
    BOOST_TEST(log.has({"info 127.0.0.1:", "opened /, hybi-13, TLS"}));
}

BOOST_AUTO_TEST_CASE(print_log_writes_a_line_with_time_and_level_to_standard_error) {
    auto* const file = std::tmpfile();
    BOOST_REQUIRE(file != nullptr);
    std::fflush(stderr);
    int const before = ::dup(STDERR_FILENO);
    ::dup2(::fileno(file), STDERR_FILENO);
    wsio::print_log(log_level::warning, "something happened");
    std::fflush(stderr);
    ::dup2(before, STDERR_FILENO);
    ::close(before);
    std::rewind(file);
    std::string text(200, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    BOOST_TEST(text.ends_with("Z warning something happened\n"), text);
    BOOST_TEST(text.size() == std::string_view("2026-01-01T00:00:00.000Z warning something happened\n").size(), text);
}

BOOST_AUTO_TEST_SUITE_END()
