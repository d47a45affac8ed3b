#include "io/fixture.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace wsio::test;
using wsio::protocol_version;

BOOST_AUTO_TEST_SUITE(io_server_events)

BOOST_AUTO_TEST_CASE(callbacks_may_replace_themselves) {
    world w;
    auto server = w.listen();
    auto seen = std::string();
    // What a callback captured is there until it returns.
    auto const held = [] { return std::make_shared<int>(); };
    server.on_connection([&, mine = held()](wsio::socket) {
        auto const witness = std::weak_ptr<int>(mine);
        auto& said = seen;
        server.on_connection([&said](wsio::socket) { said += "C"; });
        said += witness.expired() ? "!" : "c";
    });
    server.on_headers([&, mine = held()](const wsio::request&, wsio::headers&) {
        auto const witness = std::weak_ptr<int>(mine);
        auto& said = seen;
        server.on_headers([&said](const wsio::request&, wsio::headers&) { said += "H"; });
        said += witness.expired() ? "!" : "h";
    });
    server.on_error([&, mine = held()](const wsio::request&, std::string_view) {
        auto const witness = std::weak_ptr<int>(mine);
        auto& said = seen;
        server.on_error([&said](const wsio::request&, std::string_view) { said += "E"; });
        said += witness.expired() ? "!" : "e";
    });
    for (int i = 0; i < 2; ++i) {
        connect(w, server.port());
        client(w, server.port()).send("nonsense\r\n\r\n").read_all();
    }
    BOOST_TEST(seen == "hceHCE");
    server.on_connection(nullptr);
    auto accepted = connect(w, server.port(), protocol_version::hybi_13, "/accepted");
    BOOST_TEST(w.accept(server).request().target() == "/accepted");
}

BOOST_AUTO_TEST_CASE(the_option_on_error_may_let_go_of_the_last_handle) {
    for (std::string_view const request : {"nonsense\r\n\r\n", "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"}) {
        world w;
        auto server = std::optional<wsio::server>();
        bool gone = false;
        server = w.listen({.on_error = [&, mine = std::make_shared<int>()](const wsio::request&, std::string_view) {
            auto const witness = std::weak_ptr<int>(mine);
            auto& result = gone;
            server.reset();
            result = !witness.expired();  // the server is still there that is in the middle of it
        }});
        auto const port = server->port();
        BOOST_TEST(status_of(client(w, port).send(request).read_all()) == 400);
        BOOST_TEST(gone);
        BOOST_CHECK_THROW(client(w, port), boost::system::system_error);
    }
}

BOOST_AUTO_TEST_CASE(events_tell_of_connections_and_refusals) {
    world w;
    auto server = w.listen();
    auto seen = std::vector<std::string>();
    server
        .on_connection(
            [&](wsio::socket socket) { seen.push_back("connection " + std::string(socket.request().target())); })
        .on_error([&](const wsio::request& request, std::string_view why) {
            BOOST_TEST(!why.empty());
            seen.push_back("error " + std::string(request.target()));
        })
        .on_headers([&](const wsio::request& request, wsio::headers& fields) {
            seen.push_back("headers " + std::string(request.target()));
            fields.add("X-Served-By", "wsio");
        });
    for (auto version : wsio::all_protocol_versions) {
        client c(w, server.port());
        auto const answer = c.send(handshake(version, "/good")).read_to("\r\n\r\n");
        BOOST_TEST(contains(answer, "\r\nX-Served-By: wsio\r\n"), answer);
        BOOST_TEST((seen == std::vector<std::string>{"headers /good", "connection /good"}));
        seen.clear();
    }
    client bad(w, server.port());
    BOOST_TEST(status_of(bad.send("GET /bad HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Version: 13\r\n\r\n")
                             .read_all()) == 400);
    BOOST_TEST((seen == std::vector<std::string>{"error /bad"}));
}

BOOST_AUTO_TEST_CASE(on_error_hears_of_requests_that_could_not_be_read) {
    world w;
    std::vector<std::string> reasons;
    auto server = w.echo({.on_error =
                              [&](const wsio::request& request, std::string_view why) {
                                  BOOST_TEST(request.target().empty());
                                  BOOST_TEST(request.remote_endpoint().address.is_loopback());
                                  reasons.emplace_back(why);
                              },
                          .limits = {.head_size = 1000},
                          .timeouts = {.handshake = 200ms}});
    client(w, server.port()).send("nonsense\r\n\r\n").read_all();
    client(w, server.port()).send("GET / HTTP/1.1\r\nHost: a\r\nX: " + letters(2000) + "\r\n\r\n").read_all();
    client(w, server.port()).send("GET / HTTP/1.1\r\nHost: ").read_all();
    BOOST_REQUIRE(reasons.size() == 3U);
    BOOST_TEST(reasons[0].starts_with("400: "));
    BOOST_TEST(reasons[1].starts_with("431: "));
    BOOST_TEST(reasons[2].starts_with("408: "));
}

BOOST_AUTO_TEST_CASE(the_option_on_error_hears_of_refusals_too_and_may_throw) {
    world w;
    auto seen = std::vector<std::string>();
    int reported = 0;
    auto server = w.listen({.path = "/here",
                            .on_exception = [&](auto, auto&) { ++reported; },
                            .on_error =
                                [&](const wsio::request& request, std::string_view why) {
                                    seen.push_back(std::string(request.target()) + " " + std::string(why.substr(0, 3)));
                                    throw std::runtime_error("from on_error");
                                }});
    client bad(w, server.port());
    BOOST_TEST(status_of(bad.send("GET /here HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Version: 13\r\n\r\n")
                             .read_all()) == 400);
    BOOST_TEST((seen == std::vector<std::string>{"/here 400"}));
    BOOST_TEST(reported == 1);
    connect(w, server.port(), protocol_version::hybi_13, "/here");
}

BOOST_AUTO_TEST_SUITE_END()
