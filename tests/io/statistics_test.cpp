#include "io/client_tools.hpp"

#include <thread>

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;
using wsio::statistics;

namespace {

using endings = decltype(statistics::endings);
using refusals = decltype(statistics::refusals);

}  // namespace

BOOST_AUTO_TEST_SUITE(io_statistics)

BOOST_AUTO_TEST_CASE(a_new_server_has_counted_nothing) {
    world w;
    auto const server = w.listen();
    BOOST_TEST((server.statistics() == statistics{}));
}

BOOST_AUTO_TEST_CASE(connections_are_counted_by_version) {
    world w;
    auto server = w.echo();
    auto clients = std::vector<client>();
    for (auto version : wsio::all_protocol_versions) {
        clients.push_back(connect(w, server.port(), version));
        BOOST_TEST((server.statistics().connections(version) == statistics::connection_counts{1, 1}));
    }
    clients.push_back(connect(w, server.port(), protocol_version::hybi_13));
    auto const all = server.statistics();
    BOOST_TEST(all.connections(protocol_version::hybi_13).open == 2U);
    BOOST_TEST(all.connections(protocol_version::hybi_7).open == 1U);
    BOOST_TEST((all.connections() == statistics::connection_counts{6, 6}));
    for (auto& each : clients) each.reset();
    BOOST_TEST(w.until([&] { return server.statistics().connections().open == 0; }));
    BOOST_TEST(server.statistics().connections().total == 6U);
}

BOOST_AUTO_TEST_CASE(messages_and_bytes_are_counted_both_ways) {
    for (auto version : wsio::all_protocol_versions) BOOST_TEST_CONTEXT(version) {
            world w;
            auto server = w.echo();
            auto client = connect(w, server.port(), version);
            std::size_t received = 0, sent = 0;
            for (std::size_t const size : {0, 1, 125, 126, 70'000, 2'000'000}) {
                auto const message = client_text(version, letters(size)), answer = server_text(version, letters(size));
                client.send(message);
                BOOST_REQUIRE((client.read(answer.size()) == answer));
                received += message.size();
                sent += answer.size();
            }
            auto const counted = server.statistics();
            BOOST_TEST(counted.messages_received == 6U);
            BOOST_TEST(counted.messages_sent == 6U);
            BOOST_TEST(counted.bytes_received == received);
            BOOST_TEST(counted.bytes_sent >= sent);
            BOOST_TEST(counted.bytes_sent <= sent + 300);  // the response to the handshake may be among them
            BOOST_TEST(counted.bytes_waiting == 0U);
            BOOST_TEST(counted.messages_waiting == 0U);
        }
}

BOOST_AUTO_TEST_CASE(fragments_and_pings_are_no_messages) {
    world w;
    auto server = w.echo();
    auto client = connect(w, server.port());
    client.send(frame(0x01, "a") + frame(ping_frame, "p") + frame(0x00, "b") + frame(0x80, "c"));
    client.expect(server_frame(pong_frame, "p") + server_frame(text_frame, "abc"));
    BOOST_TEST(server.statistics().messages_received == 1U);
    BOOST_TEST(server.statistics().messages_sent == 1U);
}

BOOST_AUTO_TEST_CASE(messages_that_wait_for_receive_are_counted_until_they_are_taken) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = std::optional(w.accept(server));
    for (int i = 0; i < 5; ++i) client.send(frame(text_frame, "waits"));
    BOOST_TEST(w.until([&] { return server.statistics().messages_waiting == 5; }));
    BOOST_TEST(server.statistics().messages_received == 5U);
    static_cast<void>(w.receive(*socket));
    BOOST_TEST(server.statistics().messages_waiting == 4U);
    client.reset();
    BOOST_TEST(w.until([&] { return server.statistics().messages_waiting == 0; }));
    BOOST_TEST(w.receive(*socket)->text() == "waits");  // the handle still has them
    socket.reset();
    w.turn_for(5ms);
    BOOST_TEST(server.statistics().messages_waiting == 0U);
}

BOOST_AUTO_TEST_CASE(bytes_that_wait_for_the_network_are_counted_until_it_takes_them) {
    world w;
    auto server = w.listen({.limits = {.outbox = 64U << 20}});
    for (bool const reads : {true, false}) {
        auto client = connect(w, server.port(), protocol_version::hybi_13, "/", {}, 4096);
        auto socket = w.accept(server);
        auto const text = letters(500'000);
        for (int i = 0; i < 20; ++i) socket.write(text).write("small");
        w.turn_for(20ms);
        BOOST_TEST(server.statistics().bytes_waiting > 0U);
        BOOST_TEST(server.statistics().bytes_waiting == socket.buffered_amount());
        auto const pair = server_frame(text_frame, text) + server_frame(text_frame, "small");
        BOOST_TEST((client.read(pair.size()) == pair));
        BOOST_TEST(server.statistics().bytes_waiting == socket.buffered_amount());
        if (reads)
            static_cast<void>(client.read(pair.size() * 19));
        else
            socket.destroy();
        BOOST_TEST(w.until([&] { return server.statistics().bytes_waiting == 0; }));
        client.reset();
    }
}

BOOST_AUTO_TEST_CASE(sockets_that_wait_for_accept_are_counted) {
    world w;
    auto server = w.listen();
    auto a = connect(w, server.port()), b = connect(w, server.port());
    BOOST_TEST(w.until([&] { return server.statistics().sockets_waiting == 2; }));
    w.accept(server);
    BOOST_TEST(server.statistics().sockets_waiting == 1U);
    server.stop();
    BOOST_TEST(w.until([&] { return server.statistics().sockets_waiting == 0; }));
}

BOOST_AUTO_TEST_CASE(refusals_are_counted_by_status) {
    world w;
    auto server = w.listen({.path = "/ws",
                            .authorize = [](const wsio::request& r) -> awaitable<wsio::verdict> {
                                if (r.query("token").empty()) co_return wsio::verdict::reject(401, "who are you?");
                                throw std::runtime_error("no");
                            },
                            .on_exception = [](std::exception_ptr, const wsio::request&) {},
                            .limits = {.head_size = 1000}});
    auto const ask = [&](std::string_view what) { client(w, server.port()).send(what).read_all(); };
    ask(handshake("/ws"));
    ask(handshake("/ws"));
    ask(handshake("/ws?token=1"));
    ask(handshake("/other"));
    ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    ask("GET /" + letters(2000) + " HTTP/1.1\r\n");
    ask("nonsense\r\n\r\n");
    BOOST_TEST((server.statistics().refusals == refusals{{400, 1}, {401, 2}, {404, 1}, {414, 1}, {500, 1}, {501, 1}}));
    BOOST_TEST(server.statistics().connections().total == 0U);
}

BOOST_AUTO_TEST_CASE(who_is_turned_away_or_dropped_is_counted) {
    world w;
    auto full = w.echo({.limits = {.connections = 1}});
    auto const first = connect(w, full.port());
    client(w, full.port()).read_all();
    BOOST_TEST((full.statistics().refusals == refusals{{503, 1}}));
    BOOST_TEST(full.statistics().dropped == 0U);
    auto behind_proxy = w.echo({.trusted_proxies = {"192.0.2.1"}, .proxy_protocol = true});
    client(w, behind_proxy.port()).read_all();
    BOOST_TEST(behind_proxy.statistics().dropped == 1U);
    BOOST_TEST(behind_proxy.statistics().refusals.empty());
}

BOOST_AUTO_TEST_CASE(a_verdict_with_a_strange_status_is_counted_within_bounds) {
    world w;
    auto server = w.listen({.authorize = [](const wsio::request&) -> awaitable<wsio::verdict> {
        auto strange = wsio::verdict::accept();
        strange.accepted = false;
        strange.status = 7000;
        co_return strange;
    }});
    client(w, server.port()).send(handshake()).read_all();
    std::uint64_t counted = 0;
    for (auto const& [status, count] : server.statistics().refusals) counted += count;
    BOOST_TEST(counted == 1U);
}

BOOST_AUTO_TEST_CASE(endings_are_counted_by_who_and_code) {
    world w;
    auto server = w.listen();
    auto const open = [&] {
        auto made = connect(w, server.port());
        return std::pair(std::move(made), w.accept(server));
    };
    for (int const code : {1000, 3999, 4321, 4999}) {
        auto [client, socket] = open();
        client.send(close_frame(static_cast<std::uint16_t>(code))).read_all();
    }
    {
        auto [client, socket] = open();
        client.send(server_frame(text_frame, "not masked")).read_all();
    }
    {
        auto [client, socket] = open();
        socket.end(close_code{4000});
        client.send(close_frame(4000)).read_all();
    }
    {
        auto [client, socket] = open();
        client.reset();
        BOOST_TEST(w.until([&] { return server.statistics().connections().open == 0; }));
    }
    auto [client, socket] = open();
    server.stop();
    client.send(close_frame(1001)).read_all();
    auto const expected =
        endings{{{ended_by::peer, close_code::normal}, 1},      {{ended_by::peer, close_code{3000}}, 1},
                {{ended_by::peer, close_code{4000}}, 2},        {{ended_by::library, close_code::protocol_error}, 1},
                {{ended_by::application, close_code{4000}}, 1}, {{ended_by::network, close_code::abnormal}, 1},
                {{ended_by::server, close_code::going_away}, 1}};
    BOOST_TEST(w.until([&] { return server.statistics().endings == expected; }), server.statistics().to_prometheus());
}

BOOST_AUTO_TEST_CASE(a_monitor_adds_up_servers_also_those_that_are_gone) {
    auto const monitor = std::make_shared<wsio::monitor>();
    {
        world w;
        auto one = w.echo({.path = "/one", .monitor = monitor}), two = w.echo({.path = "/two", .monitor = monitor});
        auto a = connect(w, one.port(), protocol_version::hybi_13, "/one");
        auto b = connect(w, two.port(), protocol_version::hixie_76, "/two");
        a.send(frame(text_frame, "a")).expect(server_frame(text_frame, "a"));
        client(w, one.port()).send(handshake("/wrong")).read_all();
        auto both = one.statistics();
        both += two.statistics();
        BOOST_TEST((monitor->statistics() == both));
        BOOST_TEST(both.connections().open == 2U);
        BOOST_TEST((both.refusals == refusals{{404, 1}}));
    }
    auto const rest = monitor->statistics();
    BOOST_TEST((rest.connections() == statistics::connection_counts{0, 2}));
    BOOST_TEST(rest.messages_received == 1U);
}

BOOST_AUTO_TEST_CASE(what_a_client_had_open_when_its_loop_went_is_open_no_more) {
    auto const monitor = std::make_shared<wsio::monitor>();
    {
        world w;
        auto server = w.echo();
        auto socket = connect_to(w, url_of(server), {.monitor = monitor});
        socket.write("unread").write("unread");
        BOOST_TEST(monitor->statistics().connections().open == 1U);
    }
    BOOST_TEST((monitor->statistics().connections() == statistics::connection_counts{0, 1}));
    BOOST_TEST(monitor->statistics().bytes_waiting == 0U);
}

BOOST_AUTO_TEST_CASE(the_text_for_prometheus_names_every_number) {
    statistics s;
    s.by_version[static_cast<std::size_t>(protocol_version::hybi_13)] = {3, 10};
    s.messages_received = 1, s.messages_sent = 2, s.messages_dropped = 14, s.bytes_received = 30, s.bytes_sent = 40;
    s.refusals = {{403, 5}};
    s.tls_failures = 6, s.dropped = 13;
    s.endings = {{{ended_by::peer, close_code::normal}, 7}, {{ended_by::library, close_code{4000}}, 8}};
    s.messages_waiting = 9, s.bytes_waiting = 11, s.sockets_waiting = 12;
    auto const text = s.to_prometheus();
    for (auto const line :
         {"wsio_connections_open{version=\"hybi-13\"} 3", "wsio_connections_open{version=\"hixie-75\"} 0",
          "wsio_connections_total{version=\"hybi-13\"} 10", "wsio_messages_received_total 1",
          "wsio_messages_sent_total 2", "wsio_messages_dropped_total 14", "wsio_bytes_received_total 30",
          "wsio_bytes_sent_total 40", "wsio_refusals_total{status=\"403\"} 5", "wsio_tls_failures_total 6",
          "wsio_dropped_total 13", "wsio_endings_total{by=\"peer\",code=\"1000\"} 7",
          "wsio_endings_total{by=\"library\",code=\"4000-4999\"} 8", "wsio_messages_waiting 9", "wsio_bytes_waiting 11",
          "wsio_sockets_waiting 12", "# TYPE wsio_connections_open gauge", "# TYPE wsio_endings_total counter"})
        BOOST_TEST(contains(text, std::string("\n") + line + "\n"), line);
    BOOST_TEST(text.starts_with("# HELP wsio_connections_open "));
}

BOOST_AUTO_TEST_SUITE_END()
