#include "io/tls_client.hpp"

#include <string>
#include <vector>

using namespace wsio::test;

// How many connections there may be. What one connection may cost is tested where it is spent.

namespace {

/// Lets a server count what it says of those that it did not let in.
struct told {
    std::vector<std::string> lines;
    std::vector<wsio::endpoint> from;

    std::function<void(const wsio::request&, std::string_view)> hook() {
        return [this](const wsio::request& request, std::string_view why) {
            lines.emplace_back(why);
            from.push_back(request.remote_endpoint());
        };
    }
};

std::string via_proxy(std::string_view client) {
    return handshake("/", "X-Forwarded-For: " + std::string(client) + "\r\n");
}

/// Gives the status that a connection is answered with.
int answer_to(client& c) { return status_of(c.read_to("\r\n\r\n")); }

}  // namespace

BOOST_AUTO_TEST_SUITE(io_limits)

BOOST_AUTO_TEST_CASE(one_connection_beyond_the_limit_gets_503) {
    world w;
    told refusals;
    auto server = w.echo({.on_error = refusals.hook(), .limits = {.connections = 3}});
    auto first = connect(w, server.port());
    client silent(w, server.port());  // it counts, too
    auto third = connect(w, server.port());
    BOOST_TEST(refusals.lines.empty());
    client fourth(w, server.port());
    auto const answer = fourth.read_all();
    BOOST_TEST(status_of(answer) == 503, readable(answer));
    BOOST_TEST(contains(answer, "\r\nConnection: close\r\n"), readable(answer));
    BOOST_TEST(contains(body_of(answer), "all the connections"), readable(answer));
    BOOST_REQUIRE(refusals.lines.size() == 1);
    BOOST_TEST(contains(refusals.lines[0], "503: "), refusals.lines[0]);
    BOOST_TEST(refusals.from[0].address.to_string() == "127.0.0.1");

    silent.close();
    w.turn_for(20ms);
    connect(w, server.port());
    third.send(frame(text_frame, "fine")).expect(server_frame(text_frame, "fine"));
}

BOOST_AUTO_TEST_CASE(a_client_that_sends_its_request_at_once_sees_the_503) {
    world w;
    auto server = w.echo({.limits = {.connections = 1}});
    auto first = connect(w, server.port());
    for (auto version : wsio::all_protocol_versions) {
        client second(w, server.port());
        BOOST_TEST(status_of(second.send(handshake(version)).read_all()) == 503);
    }
}

BOOST_AUTO_TEST_CASE(places_come_back_however_a_connection_ends) {
    world w;
    auto server = w.echo({.limits = {.connections = 1}});
    auto const ends = std::vector<std::function<void(client&)>>{
        [](client& c) { c.reset(); },
        [](client& c) { c.close(); },
        [&](client& c) {
            c.send(handshake()).read_to("\r\n\r\n");
            c.send(close_frame(1000)).expect_last(server_close(1000));
        },
        [&](client& c) {
            c.send(handshake()).read_to("\r\n\r\n");
            c.reset();
        },
        [](client& c) { c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").read_all(); },
        [](client& c) { c.send("nonsense\r\n\r\n").read_all(); },
    };
    for (int round = 0; round < 3; ++round)
        for (auto const& end : ends) {
            client c(w, server.port());
            w.turn_for(5ms);
            end(c);
            w.turn_for(20ms);
        }
    connect(w, server.port());
}

BOOST_AUTO_TEST_CASE(those_who_are_told_that_it_is_full_are_bounded_as_well) {
    world w;
    told refusals;
    auto server = w.echo({.on_error = refusals.hook(), .limits = {.connections = 1}});
    auto first = connect(w, server.port());
    auto waiting = std::vector<client>();
    for (int i = 0; i < 160; ++i) waiting.emplace_back(w, server.port());
    BOOST_TEST(w.until([&] { return refusals.lines.size() == 160; }));
    int answered = 0;
    int dropped = 0;
    for (auto& c : waiting) {
        auto const got = c.read_all();
        if (got.empty())
            ++dropped;
        else if (status_of(got) == 503)
            ++answered;
    }
    BOOST_TEST(answered == 128);
    BOOST_TEST(dropped == 32);
    first.send(frame(text_frame, "fine")).expect(server_frame(text_frame, "fine"));
}

BOOST_FIXTURE_TEST_CASE(where_tls_is_spoken_those_beyond_the_limit_are_dropped, secure_world) {
    told refusals;
    auto server = w.echo({.on_error = refusals.hook(), .tls = tls(), .limits = {.connections = 1}});
    auto first = connect(server.port());
    client second(w, server.port());
    second.expect_end();
    BOOST_TEST(refusals.lines.size() == 1u);
    first.send(frame(text_frame, "fine")).expect(server_frame(text_frame, "fine"));
}

BOOST_AUTO_TEST_CASE(one_connection_beyond_what_an_address_may_have_gets_429) {
    world w;
    told refusals;
    auto server = w.echo({.on_error = refusals.hook(), .limits = {.connections_per_address = 2}});
    auto first = connect(w, server.port());
    client silent(w, server.port());
    client third(w, server.port());
    auto const answer = third.read_all();
    BOOST_TEST(status_of(answer) == 429, readable(answer));
    BOOST_TEST(contains(body_of(answer), "from this address"), readable(answer));
    BOOST_REQUIRE(refusals.lines.size() == 1);
    BOOST_TEST(contains(refusals.lines[0], "429: "), refusals.lines[0]);

    auto elsewhere = client::from("127.0.0.2", w, server.port());
    BOOST_TEST(answer_to(elsewhere.send(handshake())) == 101);
    silent.reset();
    w.turn_for(20ms);
    connect(w, server.port());
}

BOOST_AUTO_TEST_CASE(behind_a_proxy_the_clients_are_counted_and_not_the_proxy) {
    world w;
    told refusals;
    auto server = w.echo(
        {.on_error = refusals.hook(), .trusted_proxies = {"127.0.0.1"}, .limits = {.connections_per_address = 2}});
    auto open = std::vector<client>();
    auto status = [&](std::string_view address) {
        auto& c = open.emplace_back(w, server.port());
        return answer_to(c.send(via_proxy(address)));
    };
    for (auto address : {"203.0.113.1", "203.0.113.2", "2001:db8::1"}) {
        BOOST_TEST(status(address) == 101);
        BOOST_TEST(status(address) == 101);
        BOOST_TEST(status(address) == 429);
    }
    BOOST_TEST(status("2001:db8::2") == 429);                // the same /64
    BOOST_TEST(status("198.51.100.1, 203.0.113.1") == 429);  // what the client forged does not help it
    BOOST_TEST(refusals.lines.size() == 5u);
    for (int i = 0; i < 5; ++i) open.emplace_back(w, server.port());  // nobody knows yet whose they are
    BOOST_TEST(status("203.0.113.3") == 101);
    open[0].send(close_frame(1000)).expect_last(server_close(1000));
    w.turn_for(20ms);
    BOOST_TEST(status("203.0.113.1") == 101);
    BOOST_TEST(status("203.0.113.1") == 429);

    // Forged by somebody else, the header changes nothing.
    auto forger = client::from("127.0.0.2", w, server.port());
    BOOST_TEST(answer_to(forger.send(via_proxy("203.0.113.1"))) == 101);
}

BOOST_AUTO_TEST_CASE(each_request_of_a_proxys_connection_counts_for_its_own_client) {
    world w;
    auto handler = [](const wsio::request& request) -> awaitable<wsio::http_response> {
        co_return wsio::http_response{.body = request.client_endpoint().to_string()};
    };
    wsio::http_server http(
        w.executor(), handler,
        {.host = "127.0.0.1", .limits = {.connections_per_address = 1}, .trusted_proxies = {"127.0.0.1"}});
    http.listen(0);
    auto get = [](std::string_view address) {
        return "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: " + std::string(address) + "\r\n\r\n";
    };
    client one(w, http.port());
    client two(w, http.port());
    BOOST_TEST(body_of(one.send(get("203.0.113.1")).read_response()) == "203.0.113.1");
    BOOST_TEST(body_of(two.send(get("203.0.113.2")).read_response()) == "203.0.113.2");
    BOOST_TEST(body_of(one.send(get("203.0.113.3")).read_response()) == "203.0.113.3");
    BOOST_TEST(body_of(two.send(get("203.0.113.1")).read_response()) == "203.0.113.1");
    BOOST_TEST(status_of(one.send(get("203.0.113.1")).read_all()) == 429);
}

BOOST_AUTO_TEST_CASE(ping_that_comes_while_a_large_message_is_on_its_way_is_answered_once) {
    world w;
    auto server = w.listen({.limits = {.outbox = 10'000}});
    auto client = connect(w, server.port(), wsio::protocol_version::hybi_13, "/", {}, 4096);
    auto socket = w.accept(server);
    auto const large = letters(8'000'000);
    for (int round = 0; round < 2; ++round) {  // what was over the limit counts as long as it is
        auto const sending = w.start(socket.send(large));
        client.send(frame(ping_frame, "first") + frame(ping_frame, "second") + frame(ping_frame, "third"));
        w.turn_for(20ms);
        client.expect(server_frame(text_frame, large) + server_frame(pong_frame, "first"));
        BOOST_REQUIRE(w.until([&] { return sending.done(); }));
        client.send(frame(ping_frame, "idle")).expect(server_frame(pong_frame, "idle"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
