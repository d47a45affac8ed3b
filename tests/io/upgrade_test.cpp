#include "io/fixture.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;
using wsio::verdict;

namespace {

constexpr auto hixie_76 = protocol_version::hixie_76;

std::string forwarded(std::string_view proto) { return "X-Forwarded-Proto: " + std::string(proto) + "\r\n"; }

std::string answer_to(world& w, const wsio::server& server, std::string_view request) {
    return client(w, server.port()).send(request).read_to("\r\n\r\n");
}

std::string from(std::string_view origin) { return "Origin: " + std::string(origin) + "\r\n"; }

}  // namespace

BOOST_AUTO_TEST_SUITE(io_upgrade)

BOOST_AUTO_TEST_CASE(the_hixie_76_nonce_may_come_late) {
    world w;
    auto server = w.echo();
    auto const request = handshake(hixie_76);
    client late(w, server.port());
    late.send(request.substr(0, request.size() - 8));
    w.turn_for(50ms);
    late.send(request.substr(request.size() - 8));
    auto const answer = late.read_to(proof(hixie_76));
    BOOST_TEST(status_of(answer) == 101);
    BOOST_TEST(contains(answer, "Sec-WebSocket-Location: ws://127.0.0.1/\r\n"));
    BOOST_TEST(contains(answer, "Sec-WebSocket-Origin: http://127.0.0.1\r\n"));
    late.send(client_text(hixie_76, "a")).expect(server_text(hixie_76, "a"));
}

BOOST_AUTO_TEST_CASE(the_hixie_76_nonce_may_come_in_eight_packets) {
    world w;
    auto server = w.echo();
    auto const request = handshake(hixie_76);
    client c(w, server.port());
    c.send(request.substr(0, request.size() - 8));
    for (char const byte : request.substr(request.size() - 8)) {
        w.turn_for(3ms);
        c.send({&byte, 1});
    }
    c.read_to(proof(hixie_76));
    c.send(client_text(hixie_76, "a")).expect(server_text(hixie_76, "a"));
}

BOOST_AUTO_TEST_CASE(first_frames_may_be_glued_to_the_handshake) {
    world w;
    auto server = w.echo();
    for (auto version : wsio::all_protocol_versions) BOOST_TEST_CONTEXT(version) {
            client c(w, server.port());
            c.send(handshake(version) + client_text(version, "one") + client_text(version, "two"));
            c.read_to("\r\n\r\n");
            if (version == hixie_76) c.read(16);
            c.expect(server_text(version, "one") + server_text(version, "two"));
        }
}

BOOST_AUTO_TEST_CASE(a_handshake_may_come_byte_by_byte) {
    world w;
    auto server = w.echo();
    for (auto version : wsio::all_protocol_versions) BOOST_TEST_CONTEXT(version) {
            client c(w, server.port());
            for (char const byte : handshake(version) + client_text(version, "one")) {
                c.send({&byte, 1});
                w.turn(0ms);
            }
            BOOST_TEST(contains(c.read_to(server_text(version, "one")), proof(version)));
        }
}

BOOST_AUTO_TEST_CASE(trickling_bytes_do_not_extend_the_handshake_deadline) {
    world w;
    auto server = w.echo({.timeouts = {.handshake = 150ms}});
    auto const request = handshake(hixie_76);
    for (auto stall : {std::size_t{0}, std::size_t{20}, request.size() - 8, request.size() - 1})
        BOOST_TEST_CONTEXT(stall) {
            client c(w, server.port());
            auto const begin = std::chrono::steady_clock::now();
            c.send(request.substr(0, stall));
            std::size_t sent = stall;
            std::string answer;
            while (answer.empty() && std::chrono::steady_clock::now() < begin + 1s) {
                if (stall == 20) c.send_some(request.substr(sent++, 1));
                answer = c.read_for(20ms);
                if (contains(answer, "\r\n\r\n8jK")) break;
                if (stall != 20) break;
            }
            answer += c.read_all();
            auto const took = std::chrono::steady_clock::now() - begin;
            BOOST_TEST((took > 100ms && took < 800ms),
                       std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
            BOOST_TEST((answer.empty() || status_of(answer) == 408 || status_of(answer) == 101), readable(answer));
            BOOST_TEST(!contains(answer, "8jK"));
        }
}

BOOST_AUTO_TEST_CASE(authorize_accepts_with_subprotocol_header_and_user_value) {
    world w;
    auto authorize = [](const wsio::request& request) -> awaitable<verdict> {
        co_await world::sleep(5ms);
        co_return verdict::accept(std::string(request.query("user")))
            .with_subprotocol("superchat")
            .with_header("Set-Cookie", "id=1");
    };
    auto server = w.listen({.authorize = authorize});
    client c(w, server.port());
    // The first frame comes while authorize still thinks.
    c.send(handshake("/?user=ann", "Sec-WebSocket-Protocol: chat, superchat\r\n") + frame(text_frame, "early"));
    auto const answer = c.read_to("\r\n\r\n");
    BOOST_TEST(status_of(answer) == 101);
    BOOST_TEST(contains(answer, "\r\nSec-WebSocket-Protocol: superchat\r\n"), answer);
    BOOST_TEST(contains(answer, "\r\nSet-Cookie: id=1\r\n"), answer);
    auto socket = w.accept(server);
    BOOST_TEST(socket.subprotocol() == "superchat");
    BOOST_REQUIRE(std::any_cast<std::string>(&socket.user_value()) != nullptr);
    BOOST_TEST(std::any_cast<std::string>(socket.user_value()) == "ann");
    BOOST_TEST(w.receive(socket)->text() == "early");
}

BOOST_AUTO_TEST_CASE(authorize_rejects_with_status_and_body) {
    world w;
    auto authorize = [](const wsio::request&) -> awaitable<verdict> {
        co_return verdict::reject(401, "who are you").with_header("WWW-Authenticate", "Basic");
    };
    auto server = w.echo({.authorize = authorize});
    for (auto version : wsio::all_protocol_versions) {
        client c(w, server.port());
        c.send(handshake(version) + client_text(version, "never read"));
        auto const answer = c.read_all();
        BOOST_TEST(status_of(answer) == 401, readable(answer));
        BOOST_TEST(contains(answer, "\r\nWWW-Authenticate: Basic\r\n"));
        BOOST_TEST(contains(body_of(answer), "who are you"));
    }
}

BOOST_AUTO_TEST_CASE(authorize_that_throws_answers_500) {
    world w;
    int reported = 0;
    auto authorize = [](const wsio::request&) -> awaitable<verdict> {
        throw std::runtime_error("secret detail");
        co_return verdict::accept();
    };
    auto server =
        w.echo({.authorize = authorize, .on_exception = [&](std::exception_ptr, const wsio::request&) { ++reported; }});
    client c(w, server.port());
    auto const answer = c.send(handshake()).read_all();
    BOOST_TEST(status_of(answer) == 500);
    BOOST_TEST(!contains(answer, "secret detail"));
    BOOST_TEST(reported == 1);
}

BOOST_AUTO_TEST_CASE(authorize_is_bounded_by_the_handshake_deadline) {
    world w;
    bool finished = false;
    auto authorize = [&](const wsio::request&) -> awaitable<verdict> {
        co_await world::sleep(3s);
        finished = true;
        co_return verdict::accept();
    };
    auto server = w.echo({.authorize = authorize, .timeouts = {.handshake = 100ms}});
    client c(w, server.port());
    auto const begin = std::chrono::steady_clock::now();
    auto const answer = c.send(handshake()).read_all();
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 1s));
    BOOST_TEST(status_of(answer) != 101, readable(answer));
    BOOST_TEST(!finished);
}

BOOST_AUTO_TEST_CASE(a_peer_that_leaves_while_authorize_thinks_leaves_nothing_behind) {
    world w;
    auto authorize = [](const wsio::request&) -> awaitable<verdict> {
        co_await world::sleep(50ms);
        co_return verdict::accept();
    };
    auto server = w.echo({.authorize = authorize});
    {
        client c(w, server.port());
        c.send(handshake());
        w.turn_for(10ms);
        c.reset();
    }
    w.turn_for(100ms);
    BOOST_TEST(server.clients_count() == 0u);
    connect(w, server.port());
}

BOOST_AUTO_TEST_CASE(the_servers_list_chooses_the_subprotocol) {
    world w;
    auto server = w.listen({.subprotocols = {"v2", "v1"}});
    for (auto version : {protocol_version::hybi_7, protocol_version::hybi_8, protocol_version::hybi_13}) {
        auto const both = answer_to(w, server, handshake(version, "/", "Sec-WebSocket-Protocol: v1,v2 , v3\r\n"));
        BOOST_TEST(contains(both, "\r\nSec-WebSocket-Protocol: v2\r\n"), both);
        auto const none = answer_to(w, server, handshake(version, "/", "Sec-WebSocket-Protocol: v3\r\n"));
        BOOST_TEST(status_of(none) == 101);
        BOOST_TEST(!contains(none, "Sec-WebSocket-Protocol"), none);
        BOOST_TEST(!contains(answer_to(w, server, handshake(version)), "Sec-WebSocket-Protocol"));
    }
    auto const old = answer_to(w, server, handshake(hixie_76, "/", "Sec-WebSocket-Protocol: v1\r\n"));
    BOOST_TEST(contains(old, "\r\nSec-WebSocket-Protocol: v1\r\n"), old);
    auto const oldest = answer_to(w, server, handshake(protocol_version::hixie_75, "/", "WebSocket-Protocol: v1\r\n"));
    BOOST_TEST(contains(oldest, "\r\nWebSocket-Protocol: v1\r\n"), oldest);
}

BOOST_AUTO_TEST_CASE(a_callback_chooses_the_subprotocol) {
    world w;
    auto choose = [](const wsio::request& request, std::span<const std::string_view> offered) {
        BOOST_TEST(offered.size() == 2u);
        return request.path() == "/last" ? std::string(offered.back()) : std::string();
    };
    auto server = w.listen({.choose_subprotocol = choose});
    auto const offer = "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n";
    BOOST_TEST(contains(answer_to(w, server, handshake("/last", offer)), "\r\nSec-WebSocket-Protocol: b\r\n"));
    BOOST_TEST(w.accept(server).subprotocol() == "b");
    BOOST_TEST(!contains(answer_to(w, server, handshake("/none", offer)), "Sec-WebSocket-Protocol"));
}

BOOST_AUTO_TEST_CASE(a_subprotocol_that_was_not_offered_answers_500) {
    world w;
    auto choose = [](const wsio::request&, std::span<const std::string_view>) { return std::string("x\r\nEvil: 1"); };
    auto server = w.listen({.choose_subprotocol = choose, .on_exception = [](auto, auto&) {}});
    auto const answer = answer_to(w, server, handshake("/", "Sec-WebSocket-Protocol: a\r\n"));
    BOOST_TEST(status_of(answer) == 500, answer);
    BOOST_TEST(!contains(answer, "Evil"));
}

BOOST_AUTO_TEST_CASE(by_default_only_the_own_host_is_an_origin) {
    world w;
    auto server = w.echo();
    auto status = [&](std::string_view lines) { return status_of(answer_to(w, server, handshake("/", lines))); };
    BOOST_TEST(status("") == 101);
    BOOST_TEST(status(from("http://127.0.0.1")) == 101);
    BOOST_TEST(status(from("https://127.0.0.1:8443")) == 101);
    BOOST_TEST(status(from("http://localhost:3000")) == 101);
    BOOST_TEST(status(from("http://evil.example")) == 403);
    BOOST_TEST(status(from("http://127.0.0.1.evil.example")) == 403);
    BOOST_TEST(status(from("http://evil.example/127.0.0.1")) == 403);
    BOOST_TEST(status(from("http://127.0.0.1@evil.example")) == 403);
    BOOST_TEST(status(from("null")) == 403);
    BOOST_TEST(status(from("")) == 403);
    BOOST_TEST(status(from("http://127.0.0.1") + from("http://evil.example")) >= 400);
    for (auto version : {protocol_version::hybi_7, protocol_version::hybi_8})
        BOOST_TEST(status_of(answer_to(
                       w, server, handshake(version, "/", "Sec-WebSocket-Origin: http://evil.example\r\n"))) == 403);
}

BOOST_AUTO_TEST_CASE(the_own_host_is_that_of_the_request_line_if_it_names_one) {
    world w;
    auto server = w.echo();
    auto const status = [&](std::string_view origin) {
        auto request = handshake("http://good.example/chat", from(origin));
        return status_of(answer_to(w, server, request));
    };
    BOOST_TEST(status("http://good.example") == 101);
    BOOST_TEST(status("http://127.0.0.1") == 403);  // which the Host field names
    BOOST_TEST(status_of(answer_to(w, server, handshake("http:///chat"))) == 400);
}

BOOST_AUTO_TEST_CASE(a_list_of_origins_replaces_the_default) {
    world w;
    auto server = w.echo({.origins = {"https://good.example", "http://other.example:8080"}});
    auto status = [&](std::string_view lines) { return status_of(answer_to(w, server, handshake("/", lines))); };
    BOOST_TEST(status("") == 101);
    BOOST_TEST(status(from("https://good.example")) == 101);
    BOOST_TEST(status(from("HTTPS://GOOD.example")) == 101);
    BOOST_TEST(status(from("http://other.example:8080")) == 101);
    BOOST_TEST(status(from("http://good.example")) == 403);
    BOOST_TEST(status(from("https://good.example:444")) == 403);
    BOOST_TEST(status(from("http://other.example")) == 403);
    BOOST_TEST(status(from("http://127.0.0.1")) == 403);
}

BOOST_AUTO_TEST_CASE(a_star_lets_every_origin_in) {
    world w;
    auto server = w.echo({.origins = {"*"}});
    for (auto origin : {"http://evil.example", "null", "file://"})
        BOOST_TEST(status_of(answer_to(w, server, handshake("/", from(origin)))) == 101);
}

BOOST_AUTO_TEST_CASE(forwarded_proto_counts_only_from_a_trusted_proxy) {
    world w;
    auto trusting = w.listen({.trusted_proxies = {"127.0.0.0/8"}});
    auto location = [&](const wsio::server& server, std::string_view proto) {
        auto const answer = answer_to(w, server, handshake(hixie_76, "/x?y", forwarded(proto)));
        auto const at = answer.find("Sec-WebSocket-Location: ");
        return answer.substr(at + 24, answer.find("\r\n", at) - at - 24);
    };
    BOOST_TEST(location(trusting, "https") == "wss://127.0.0.1/x?y");
    BOOST_TEST(w.accept(trusting).request().secure());
    BOOST_TEST(location(trusting, "https, http") == "wss://127.0.0.1/x?y");
    BOOST_TEST(location(trusting, "http") == "ws://127.0.0.1/x?y");
    auto cautious = w.listen({.trusted_proxies = {"10.0.0.0/8", "::1"}});
    BOOST_TEST(location(cautious, "https") == "ws://127.0.0.1/x?y");
    BOOST_TEST(!w.accept(cautious).request().secure());
    auto alone = w.listen();
    BOOST_TEST(location(alone, "https") == "ws://127.0.0.1/x?y");
}

BOOST_AUTO_TEST_CASE(a_rejected_upgrade_never_executes_what_is_behind_it) {
    world w;
    auto server = w.listen({.path = "/ws"});
    auto const good = handshake("/ws");
    auto without_key = good;
    without_key.erase(without_key.find("Sec-WebSocket-Key"), 45);
    auto bad_version = good;
    bad_version.replace(bad_version.find("Version: 13") + 9, 2, "99");
    auto with_body = handshake("/ws", "Content-Length: 5\r\n") + "hello";
    auto chunked = handshake("/ws", "Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n0\r\n\r\n";
    auto const requests = {handshake("/elsewhere"),
                           without_key,
                           bad_version,
                           with_body,
                           chunked,
                           handshake("/ws", from("http://evil.example"))};
    for (auto const& request : requests) BOOST_TEST_CONTEXT(readable(request)) {
            for (bool at_once : {true, false}) {
                client c(w, server.port());
                c.send(request + (at_once ? good : ""));
                auto answer = c.read_response();
                if (!at_once) c.send_some(good);
                auto const rest = c.read_all();
                BOOST_TEST(status_of(answer) >= 400, readable(answer));
                BOOST_TEST(contains(answer, "\r\nConnection: close"), readable(answer));
                BOOST_TEST(std::ranges::count(body_of(answer), '\n') <= 1, readable(answer));
                BOOST_TEST(body_of(answer).size() > 5, readable(answer));
                BOOST_TEST(rest == "", readable(rest));
            }
        }
    w.turn_for(20ms);
    BOOST_TEST(server.clients_count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_refusal_of_head_has_no_content) {
    world w;
    auto server = w.listen({.path = "/ws"});
    for (auto const* path : {"/ws", "/elsewhere"}) {
        auto const answer = client(w, server.port()).send(handshake(path).replace(0, 3, "HEAD")).read_all();
        BOOST_TEST(status_of(answer) == (path == std::string_view("/ws") ? 405 : 404), readable(answer));
        BOOST_TEST(contains(answer, "\r\nDate: "), readable(answer));
        BOOST_TEST(contains(answer, "\r\nContent-Length: "), readable(answer));
        BOOST_TEST(answer.ends_with("\r\n\r\n"), readable(answer));
    }
}

BOOST_AUTO_TEST_CASE(an_unknown_version_is_told_the_known_ones) {
    world w;
    auto server = w.echo();
    auto request = handshake();
    request.replace(request.find("Version: 13") + 9, 2, "14");
    auto const answer = client(w, server.port()).send(request).read_all();
    BOOST_TEST(status_of(answer) == 426);
    BOOST_TEST(contains(answer, "\r\nSec-WebSocket-Version: 13, 8, 7\r\n"), answer);
}

BOOST_AUTO_TEST_CASE(heads_are_bounded) {
    world w;
    auto server = w.echo({.limits = {.head_size = 2048, .header_count = 20}});
    auto status = [&](std::string_view request) {
        client c(w, server.port());
        c.send_some(request, 100ms);
        return status_of(c.read_all());
    };
    BOOST_TEST(status(handshake("/", "X: " + std::string(3000, 'x') + "\r\n")) == 431);
    BOOST_TEST(status("GET /" + std::string(1'000'000, 'x')) == 414);
    std::string many;
    for (int i = 0; i < 40; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
    BOOST_TEST(status(handshake("/", many)) == 431);
    connect(w, server.port(), protocol_version::hybi_13, "/", "X: " + std::string(1500, 'x') + "\r\n");
}

BOOST_AUTO_TEST_CASE(the_application_cannot_change_the_fields_of_the_handshake) {
    world w;
    auto authorize = [](const wsio::request&) -> awaitable<verdict> {
        co_return verdict::accept()
            .with_header("Content-Length", "0")
            .with_header("Connection", "close")
            .with_header("X-A", "1");
    };
    auto hook = [](const wsio::request&, wsio::headers& fields) {
        fields.erase("Sec-WebSocket-Accept");
        fields.set("Upgrade", "h2c");
        fields.add("Transfer-Encoding", "chunked");
        fields.add("X-B", "2");
    };
    auto server = w.echo({.authorize = authorize, .on_headers = hook});
    client c(w, server.port());
    auto const answer = c.send(handshake()).read_to("\r\n\r\n");
    BOOST_TEST(answer == "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
                             std::string(proof(protocol_version::hybi_13)) + "X-A: 1\r\nX-B: 2\r\n\r\n");
    c.send(frame(text_frame, "a")).expect(server_text(protocol_version::hybi_13, "a"));
}

BOOST_AUTO_TEST_CASE(headers_hook_that_throws_answers_500) {
    world w;
    auto server = w.echo({.on_headers = [](const wsio::request&, wsio::headers& fields) { fields.add("X", "a\nb"); },
                          .on_exception = [](auto, auto&) {}});
    BOOST_TEST(status_of(answer_to(w, server, handshake())) == 500);
}

BOOST_AUTO_TEST_SUITE_END()
