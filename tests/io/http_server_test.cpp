#include "io/fixture.hpp"

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace wsio::test;
using wsio::protocol_version;

namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

std::string get(std::string_view target, std::string_view lines = {}) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + std::string(lines) + "\r\n";
}

awaitable<wsio::http_response> page(const wsio::request& request) {
    co_await world::sleep(1ms);
    co_return wsio::http_response{.body = std::string(request.method()) + ' ' + std::string(request.target()) + ' ' +
                                          std::string(request.body())};
}

/// An HTTP server on a free port of 127.0.0.1.
wsio::http_server serve_pages(world& w, wsio::http_handler handler = page, wsio::http_options options = {}) {
    options.host = "127.0.0.1";
    auto made = wsio::http_server(w.executor(), std::move(handler), std::move(options));
    made.listen(0);
    return made;
}

/// A program's own HTTP server: reads heads with Beast and hands upgrades over.
awaitable<void> beast_front(tcp::acceptor& acceptor, wsio::server websockets) {
    for (;;) {
        auto stream = co_await acceptor.async_accept(asio::use_awaitable);
        auto buffer = beast::flat_buffer();
        auto parser = http::request_parser<http::empty_body>();
        co_await http::async_read_header(stream, buffer, parser, asio::use_awaitable);
        auto const rest = std::string_view(static_cast<const char*>(buffer.data().data()), buffer.size());
        websockets.handle_upgrade(parser.get(), std::move(stream), rest);
    }
}

struct own_server {
    world w;
    wsio::server websockets;
    tcp::acceptor acceptor{w.context, {asio::ip::address_v4::loopback(), 0}};
    explicit own_server(wsio::options options = {}) : websockets(w.executor(), std::move(options)) {
        w.start(beast_front(acceptor, websockets));
    }
    [[nodiscard]] std::uint16_t port() const { return acceptor.local_endpoint().port(); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(io_http_server)

BOOST_AUTO_TEST_CASE(plain_http_answers_beside_websocket_with_keep_alive) {
    world w;
    auto pages = serve_pages(w);
    auto websockets = attach(pages, {.path = "/ws"});
    w.serve(websockets, world::echo_back);

    client browser(w, pages.port());
    for (auto target : {"/", "/page?x=1"}) {
        auto const answer = browser.send(get(target)).read_response();
        BOOST_TEST(status_of(answer) == 200);
        BOOST_TEST(body_of(answer) == "GET " + std::string(target) + ' ');
        BOOST_TEST(contains(answer, "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    }
    browser.send("POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    BOOST_TEST(body_of(browser.read_response()) == "POST /form hello");

    // Several at once are answered one by one, in order.
    browser.send(get("/1") + get("/2") + get("/3"));
    for (auto target : {"/1", "/2", "/3"})
        BOOST_TEST(body_of(browser.read_response()) == "GET " + std::string(target) + ' ');

    // The same connection becomes a WebSocket.
    browser.send(handshake("/ws") + frame(text_frame, "a"));
    BOOST_TEST(status_of(browser.read_to("\r\n\r\n")) == 101);
    browser.expect(server_frame(text_frame, "a"));
    auto websocket = connect(w, pages.port(), protocol_version::hixie_76, "/ws");
    websocket.send(client_text(protocol_version::hixie_76, "b"));
    websocket.expect(server_text(protocol_version::hixie_76, "b"));
}

BOOST_AUTO_TEST_CASE(servers_with_different_paths_share_a_port) {
    world w;
    auto pages = serve_pages(w);
    auto chat = attach(pages, {.path = "/chat"});
    auto game = attach(pages, {.path = "/game"});
    auto chatter = connect(w, pages.port(), protocol_version::hybi_13, "/chat");
    auto gamer = connect(w, pages.port(), protocol_version::hybi_13, "/game");
    BOOST_TEST(w.accept(chat).request().path() == "/chat");
    BOOST_TEST(w.accept(game).request().path() == "/game");
    BOOST_TEST(chat.port() == pages.port());
    // A server has to take an absolute URL as well (RFC 9112 3.2.2).
    auto absolute = connect(w, pages.port(), protocol_version::hybi_13, "ws://127.0.0.1/chat?room=1");
    BOOST_TEST(w.accept(chat).request().query() == "room=1");

    client nobody(w, pages.port());
    auto const answer = nobody.send(handshake("/nowhere")).read_all();
    BOOST_TEST(status_of(answer) == 404, readable(answer));

    // A page may have the name of a WebSocket path.
    BOOST_TEST(status_of(client(w, pages.port()).send(get("/chat")).read_response()) == 200);
}

BOOST_AUTO_TEST_CASE(connection_close_and_http_1_0_end_the_connection) {
    world w;
    auto pages = serve_pages(w);
    auto const answer = client(w, pages.port()).send(get("/", "Connection: close\r\n") + get("/never")).read_all();
    BOOST_TEST(status_of(answer) == 200);
    BOOST_TEST(body_of(answer) == "GET / ");
    auto const old = client(w, pages.port()).send("GET / HTTP/1.0\r\n\r\n").read_all();
    BOOST_TEST(body_of(old) == "GET / ", readable(old));
}

BOOST_AUTO_TEST_CASE(a_head_request_gets_no_body) {
    world w;
    auto pages = serve_pages(w);
    client c(w, pages.port());
    c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + get("/next"));
    auto const first = c.read_to("\r\n\r\n");
    BOOST_TEST(contains(first, "\r\nContent-Length: 7\r\n"), first);
    BOOST_TEST(body_of(c.read_response()) == "GET /next ");
}

BOOST_AUTO_TEST_CASE(a_page_handler_that_throws_answers_500) {
    world w;
    int reported = 0;
    auto broken = [](const wsio::request& request) -> awaitable<wsio::http_response> {
        if (request.path() == "/broken") throw std::runtime_error("secret detail");
        co_return wsio::http_response{};
    };
    auto pages = serve_pages(w, broken, {.on_exception = [&](std::exception_ptr, const auto&) { ++reported; }});
    client c(w, pages.port());
    auto const answer = c.send(get("/broken")).read_response();
    BOOST_TEST(status_of(answer) == 500);
    BOOST_TEST(!contains(answer, "secret"));
    BOOST_TEST(reported == 1);
    BOOST_TEST(status_of(client(w, pages.port()).send(get("/")).read_response()) == 200);
}

BOOST_AUTO_TEST_CASE(responses_cannot_be_split_and_carry_further_fields) {
    world w;
    auto handler = [](const wsio::request& request) -> awaitable<wsio::http_response> {
        if (request.path() == "/split") co_return wsio::http_response{.content_type = "text/plain\r\nEvil: 1"};
        co_return wsio::http_response{
            .status = 201, .body = "<p>", .content_type = "text/html", .fields = {{"X-Y", "z"}}};
    };
    auto pages = serve_pages(w, handler, {.on_exception = [](auto, const auto&) {}});
    client c(w, pages.port());
    auto const answer = c.send(get("/")).read_response();
    BOOST_TEST(status_of(answer) == 201);
    BOOST_TEST(contains(answer, "\r\nContent-Type: text/html\r\n"));
    BOOST_TEST(contains(answer, "\r\nX-Y: z\r\n"));
    auto const split = client(w, pages.port()).send(get("/split")).read_response();
    BOOST_TEST(status_of(split) == 500);
    BOOST_TEST(!contains(split, "Evil"));
}

BOOST_AUTO_TEST_CASE(bodies_are_bounded) {
    world w;
    auto pages = serve_pages(w, page, {.limits = {.body_size = 100}});
    auto post = [&](std::string_view rest) {
        return status_of(
            client(w, pages.port()).send("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(rest)).read_response());
    };
    BOOST_TEST(post("Content-Length: 100\r\n\r\n" + std::string(100, 'x')) == 200);
    BOOST_TEST(post("Content-Length: 101\r\n\r\n" + std::string(101, 'x')) == 413);
    BOOST_TEST(post("Transfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'x') + "\r\n0\r\n\r\n") == 413);
    BOOST_TEST(post("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n") == 200);
    BOOST_TEST(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
    BOOST_TEST(post("Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello") == 400);
}

BOOST_AUTO_TEST_CASE(a_rejected_upgrade_reaches_no_page_handler) {
    world w;
    auto seen = std::vector<std::string>();
    auto handler = [&](const wsio::request& request) -> awaitable<wsio::http_response> {
        seen.emplace_back(request.target());
        co_return wsio::http_response{};
    };
    auto pages = serve_pages(w, handler);
    auto websockets = attach(pages, {.path = "/ws"});
    auto bad_version = handshake("/ws");
    bad_version.replace(bad_version.find("Version: 13") + 9, 2, "99");
    for (auto const& request :
         {handshake("/nowhere"), bad_version, handshake("/ws", "Origin: http://evil.example\r\n")}) {
        client c(w, pages.port());
        auto const answer = c.send(request + get("/smuggled")).read_all();
        BOOST_TEST(status_of(answer) >= 400, readable(answer));
        BOOST_TEST(!contains(body_of(answer), "HTTP/1.1"), readable(answer));
    }
    w.turn_for(20ms);
    BOOST_TEST(seen.empty());
}

BOOST_AUTO_TEST_CASE(an_idle_connection_ends_with_the_deadline) {
    world w;
    auto pages = serve_pages(w, page, {.timeouts = {.handshake = 100ms}});
    client c(w, pages.port());
    c.send(get("/")).read_response();
    auto const begin = std::chrono::steady_clock::now();
    c.expect_end();
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 1s));
}

BOOST_AUTO_TEST_CASE(one_who_stays_behind_a_refusal_is_dropped) {
    world w;
    auto pages = serve_pages(w, page, {.timeouts = {.handshake = 100ms, .close = 100ms}});
    for (std::string_view const begun : {"", "GET / HTTP/1.1\r\nHost: a\r\n", "nonsense\r\n\r\n"}) {
        client c(w, pages.port());
        auto const begin = std::chrono::steady_clock::now();
        c.send(begun);
        // The answer and the end of the server's half come first; that the connection is gone is seen by writing to it.
        auto const gone = [&] {
            try {
                c.send("x");
                return false;
            } catch (const std::runtime_error&) {
                return true;
            }
        };
        BOOST_TEST(w.until(gone));
        BOOST_TEST((std::chrono::steady_clock::now() - begin < 1500ms));
    }
}

// A deadline that a dead connection left behind would let the loop's clock tick for ever.
BOOST_AUTO_TEST_CASE(the_loop_ends_though_a_peer_went_away_amid_its_responses) {
    world w;
    auto many = [](const wsio::request&) -> awaitable<wsio::http_response> {
        co_return wsio::http_response{.body = letters(100'000)};
    };
    auto pages = serve_pages(w, many);
    client c(w, pages.port(), 4096);
    for (int i = 0; i < 200; ++i) c.send(get("/"));
    w.turn_for(50ms);
    c.reset();
    w.turn_for(50ms);
    w.run(pages.drain(1s));
    pages = wsio::http_server(w.executor(), page, {});
    w.context.restart();
    w.context.run_for(2s);
    BOOST_TEST(w.context.stopped());
}

BOOST_AUTO_TEST_CASE(drain_finishes_requests_and_closes_websockets) {
    world w;
    auto slow = [](const wsio::request&) -> awaitable<wsio::http_response> {
        co_await world::sleep(60ms);
        co_return wsio::http_response{.body = "done"};
    };
    auto pages = serve_pages(w, slow);
    auto websockets = attach(pages, {.path = "/ws"});
    client browser(w, pages.port());
    browser.send(get("/"));
    client idle(w, pages.port());
    auto websocket = connect(w, pages.port(), protocol_version::hybi_13, "/ws");
    auto const socket = w.accept(websockets);
    auto draining = w.start(pages.drain(5s));
    websocket.expect(server_close(1001, stopping)).send(close_frame(1001)).expect_end();
    auto const answer = browser.read_all();
    BOOST_TEST(body_of(answer) == "done", readable(answer));
    idle.expect_end();
    BOOST_TEST(w.until([&] { return draining.done(); }));
    BOOST_TEST(!w.run(websockets.accept()).has_value());
    BOOST_CHECK_THROW(client(w, pages.port()), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(a_response_that_is_on_its_way_when_the_server_stops_is_the_last) {
    for (bool const drains : {true, false}) {
        for (std::string_view const behind : {"", "GET /second HT", "GET /second HTTP/1.1\r\nHost: a\r\n\r\n"}) {
            world w;
            int handled = 0;
            auto const large = [&](const wsio::request&) -> awaitable<wsio::http_response> {
                ++handled;
                co_return wsio::http_response{.body = std::string(8'000'000, 'x')};
            };
            auto pages = serve_pages(w, large);
            client reader(w, pages.port(), 65'536);
            reader.send(get("/first") + std::string(behind));
            w.turn_for(20ms);
            BOOST_TEST(handled == 1);
            auto draining = std::optional<task<bool>>();
            if (drains)
                draining = w.start(pages.drain(5s));
            else
                pages.stop();
            w.turn_for(20ms);
            BOOST_TEST(body_of(reader.read_response()).size() == 8'000'000U);
            auto const rest = reader.read_all();
            BOOST_TEST(status_of(rest) == (behind.empty() ? 0 : 503), readable(rest));
            BOOST_TEST(handled == 1);
            if (draining) BOOST_TEST(w.until([&] { return draining->done(); }, 2s));
        }
    }
}

BOOST_AUTO_TEST_CASE(requests_that_come_together_leave_others_their_turn) {
    world w;
    int handled = 0;
    int before_others = 0;
    auto const quick = [&](const wsio::request&) -> awaitable<wsio::http_response> {
        if (++handled == 1) asio::post(w.context, [&] { before_others = handled; });
        co_return wsio::http_response{};
    };
    auto pages = serve_pages(w, quick);
    client eager(w, pages.port());
    std::string many;
    constexpr int count = 1000;
    for (int i = 0; i < count; ++i) many += get("/");
    eager.send(many);
    for (int i = 0; i < count; ++i) BOOST_REQUIRE(status_of(eager.read_response()) == 200);
    BOOST_TEST(handled == count);
    BOOST_TEST((before_others > 0 && before_others < 100), before_others);
}

BOOST_AUTO_TEST_CASE(the_port_is_closed_when_the_last_handle_goes) {
    world w;
    auto pages = std::optional(serve_pages(w));
    auto websockets = std::optional(attach(*pages, {.path = "/ws"}));
    auto const port = pages->port();
    auto open = connect(w, port, protocol_version::hybi_13, "/ws");
    auto socket = w.accept(*websockets);
    client browser(w, port);
    BOOST_TEST(status_of(browser.send(get("/")).read_response()) == 200);
    pages.reset();
    BOOST_TEST(status_of(browser.send(get("/")).read_response()) == 200);  // the server that is attached is one, too
    websockets.reset();
    browser.expect_end();
    BOOST_CHECK_THROW(client(w, port), boost::system::system_error);
    open.send(frame(text_frame, "still here"));
    BOOST_TEST(w.receive(socket)->text() == "still here");
}

BOOST_AUTO_TEST_CASE(a_used_port_is_named_here_too) {
    world w;
    auto pages = serve_pages(w);
    auto again = wsio::http_server(w.executor(), page, {.host = "127.0.0.1"});
    BOOST_CHECK_EXCEPTION(again.listen(pages.port()), boost::system::system_error,
                          [&](const auto& error) { return contains(error.what(), std::to_string(pages.port())); });
}

BOOST_AUTO_TEST_CASE(handle_upgrade_takes_over_from_beast_with_what_was_read) {
    own_server own;
    for (auto version : wsio::all_protocol_versions) BOOST_TEST_CONTEXT(version) {
            // In one packet, so that Beast has read the nonce and the first frames.
            client c(own.w, own.port());
            c.send(handshake(version, "/x") + client_text(version, "glued"));
            auto answer = c.read_to("\r\n\r\n");
            if (version == protocol_version::hixie_76) answer += c.read(16);
            BOOST_TEST(contains(answer, proof(version)), answer);
            auto socket = own.w.accept(own.websockets);
            BOOST_TEST(socket.protocol_version() == version);
            BOOST_TEST(socket.request().target() == "/x");
            BOOST_TEST(socket.remote_endpoint() == c.local());
            BOOST_TEST(own.w.receive(socket)->text() == "glued");
            BOOST_TEST(own.w.run(socket.send("back")).accepted);
            c.expect(server_text(version, "back"));
        }
}

BOOST_AUTO_TEST_CASE(handle_upgrade_waits_for_a_late_nonce) {
    own_server own;
    auto const request = handshake(protocol_version::hixie_76);
    client c(own.w, own.port());
    c.send(request.substr(0, request.size() - 5));
    own.w.turn_for(20ms);
    c.send(request.substr(request.size() - 5)).read_to(proof(protocol_version::hixie_76));
}

BOOST_AUTO_TEST_CASE(handle_upgrade_believes_trusted_proxies) {
    for (bool const trusts : {true, false}) {
        own_server own({.trusted_proxies = {trusts ? "127.0.0.1" : "10.0.0.1"}});
        client c(own.w, own.port());
        c.send(handshake("/", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"));
        auto const socket = own.w.accept(own.websockets);
        BOOST_TEST(socket.client_endpoint().to_string() == (trusts ? "203.0.113.9" : c.local().to_string()));
        BOOST_TEST(socket.request().secure() == trusts);
        BOOST_TEST(socket.remote_endpoint() == c.local());
    }
}

BOOST_AUTO_TEST_CASE(handle_upgrade_takes_the_host_from_the_request_line_too) {
    own_server own;
    auto const status = [&](std::string_view origin) {
        client c(own.w, own.port());
        auto const request = handshake("http://good.example/", "Origin: " + std::string(origin) + "\r\n");
        return status_of(c.send(request).read_to("\r\n\r\n"));
    };
    BOOST_TEST(status("http://good.example") == 101);
    BOOST_TEST(status("http://127.0.0.1") == 403);
}

BOOST_AUTO_TEST_CASE(handle_upgrade_answers_what_is_no_handshake) {
    own_server own({.path = "/ws"});
    client elsewhere(own.w, own.port());
    auto const not_found = elsewhere.send(handshake("/elsewhere") + get("/smuggled")).read_all();
    BOOST_TEST(status_of(not_found) == 404, readable(not_found));
    BOOST_TEST(!contains(body_of(not_found), "HTTP/1.1"));
    client plain(own.w, own.port());
    auto const answer = plain.send(get("/ws")).read_all();
    BOOST_TEST(status_of(answer) >= 400, readable(answer));
}

BOOST_AUTO_TEST_CASE(handle_upgrade_keeps_no_server_without_handles) {
    world w;
    auto server = std::optional<wsio::server>(std::in_place, w.executor());
    tcp::acceptor port(w.context, {asio::ip::address_v4::loopback(), 0});
    client waiting(w, port.local_endpoint().port());
    server->handle_upgrade(upgrade_request(), port.accept());
    waiting.read_to("\r\n\r\n");
    BOOST_TEST(w.until([&] { return server->statistics().sockets_waiting == 1; }));
    server.reset();
    waiting.expect(server_close(1001, stopping)).send(close_frame(1001)).expect_end();
}

BOOST_AUTO_TEST_CASE(handle_upgrade_on_a_stopped_server_answers_and_closes) {
    own_server own;
    own.websockets.stop();
    client late(own.w, own.port());
    auto const answer = late.send(handshake()).read_all();
    BOOST_TEST((answer.empty() || status_of(answer) == 503), readable(answer));
}

BOOST_AUTO_TEST_SUITE_END()
