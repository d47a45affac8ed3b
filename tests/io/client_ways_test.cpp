#include "io/client_tools.hpp"
#include "io/dialing.hpp"
#include "io/tls_tools.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <filesystem>
#include <iterator>
#include <vector>

// The ways that a client takes: redirects, proxies, addresses.

using namespace wsio::test;
using wsio::error;
using tcp = asio::ip::tcp;

namespace {

/// A proxy that the test is: connects the two ends of a tunnel when told to.
struct tunnelled {
    static awaitable<void> pass_on(tcp::socket& from, tcp::socket& to) {
        std::array<char, 16384> block;
        for (;;) {
            boost::system::error_code ec;
            auto const size =
                co_await from.async_read_some(asio::buffer(block), asio::redirect_error(asio::use_awaitable, ec));
            if (size == 0) break;
            co_await asio::async_write(to, asio::buffer(block, size), asio::redirect_error(asio::use_awaitable, ec));
            if (ec) break;
        }
        boost::system::error_code ignored;
        to.shutdown(tcp::socket::shutdown_send, ignored);
    }
    static awaitable<void> serve(tcp::acceptor& acceptor, std::string& head, std::string answer) {
        using namespace boost::asio::experimental::awaitable_operators;
        auto client = co_await acceptor.async_accept(asio::use_awaitable);
        auto const size =
            co_await asio::async_read_until(client, asio::dynamic_buffer(head), "\r\n\r\n", asio::use_awaitable);
        head.resize(size);
        co_await asio::async_write(client, asio::buffer(answer), asio::use_awaitable);
        auto const at = head.find(':') + 1;
        tcp::socket server(co_await asio::this_coro::executor);
        auto const port = static_cast<std::uint16_t>(std::stoi(head.substr(at)));
        co_await server.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
        co_await (pass_on(client, server) && pass_on(server, client));
    }
};

struct proxied {
    world w;
    tcp::acceptor acceptor{w.context, {asio::ip::address_v4::loopback(), 0}};
    std::string head;

    [[nodiscard]] std::string url(std::string_view credentials = {}) const {
        return "http://" + std::string(credentials) + "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
    }
    auto serve() { return w.start(tunnelled::serve(acceptor, head, "HTTP/1.1 200 Connection established\r\n\r\n")); }
};

wsio::connect_error failure_at_proxy(std::string_view answer, bool ends = true) {
    world w;
    raw_server proxy(w);
    wsio::client_options const options{.proxy = "127.0.0.1:" + std::to_string(proxy.port()),
                                       .timeouts = {.handshake = 300ms}};
    auto const connecting = w.start(wsio::try_connect("ws://example.com/", options));
    auto peer = proxy.accept();
    BOOST_TEST(peer.read_to("\r\n\r\n") == "CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\n\r\n");
    peer.send(answer);
    if (ends) peer.finish();
    BOOST_REQUIRE(w.until([&] { return connecting.done(); }));
    return failure_of(connecting);
}

/// A server that redirects by a map from path to location, and is a WebSocket elsewhere.
wsio::server redirecting(world& w, std::vector<std::pair<std::string, std::string>> map,
                         std::vector<std::string>* seen = nullptr) {
    wsio::options options;
    options.authorize = [map = std::move(map), seen](const wsio::request& r) -> awaitable<wsio::verdict> {
        if (seen != nullptr) seen->push_back(std::string(r.path()) + ' ' + std::string(r.header("Authorization")));
        for (auto const& [path, location] : map)
            if (r.path() == path) {
                auto answer = wsio::verdict::reject(400, "moved");
                answer.status = 302;
                co_return std::move(answer).with_header("Location", location);
            }
        co_return wsio::verdict::accept();
    };
    return w.listen(std::move(options));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(io_client_ways)

BOOST_AUTO_TEST_CASE(redirects_are_not_followed_unless_asked_for) {
    world w;
    auto server = redirecting(w, {{"/old", "/new"}});
    auto const e = failure(w, url_of(server, "/old"));
    check_failure(e, error::unexpected_status, "302");
    BOOST_TEST(e.http_status() == 302U);
    auto const socket = connect_to(w, url_of(server, "/old"), {.redirects = 1});
    BOOST_TEST(socket.request().target() == "/new");
}

BOOST_AUTO_TEST_CASE(redirects_are_bounded) {
    world w;
    auto server = redirecting(w, {{"/a", "/b"}, {"/b", "/c"}, {"/c", "/a"}});
    check_failure(failure(w, url_of(server, "/a"), {.redirects = 7}), error::too_many_redirects,
                  "more than 7 redirects");
}

BOOST_AUTO_TEST_CASE(redirect_to_another_host_does_not_take_the_password_along) {
    world w;
    std::vector<std::string> here;
    std::vector<std::string> there;
    auto other = redirecting(w, {}, &there);
    auto server = redirecting(w, {{"/1", "/2"}, {"/2", url_of(other, "/3")}}, &here);
    wsio::client_options const options{.fields = {{"Authorization", "Bearer secret"}}, .redirects = 5};
    auto const socket = connect_to(w, url_of(server, "/1"), options);
    BOOST_TEST(here == (std::vector<std::string>{"/1 Bearer secret", "/2 Bearer secret"}),
               boost::test_tools::per_element());
    BOOST_TEST(there == std::vector<std::string>{"/3 "}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(redirect_on_the_same_host_takes_the_credentials_of_the_url_along) {
    world w;
    std::vector<std::string> here;
    std::vector<std::string> there;
    auto other = redirecting(w, {}, &there);
    auto server = redirecting(w, {{"/1", "/2"}, {"/2", url_of(other, "/3")}}, &here);
    auto const url = "ws://me:secret@127.0.0.1:" + std::to_string(server.port()) + "/1";
    auto const socket = connect_to(w, url, {.redirects = 5});
    BOOST_TEST(here == (std::vector<std::string>{"/1 Basic bWU6c2VjcmV0", "/2 Basic bWU6c2VjcmV0"}),
               boost::test_tools::per_element());
    BOOST_TEST(there == std::vector<std::string>{"/3 "}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(redirect_that_leads_nowhere_is_told) {
    world w;
    auto server = redirecting(w, {{"/mail", "mailto:me@example.com"}});
    check_failure(failure(w, url_of(server, "/mail"), {.redirects = 1}), error::bad_redirect,
                  "@example.com\" leads to no");
}

BOOST_AUTO_TEST_CASE(redirect_from_wss_to_ws_is_refused) {
    world w;
    temporary_folder folder;
    authority const ca;
    auto const files = ca.issue("localhost", "IP:127.0.0.1").save(folder, "server");
    wsio::options of_server{.tls = wsio::tls({.certificate = files.certificate, .key = files.key})};
    of_server.authorize = [](const wsio::request&) -> awaitable<wsio::verdict> {
        auto answer = wsio::verdict::reject(400, "moved");
        answer.status = 307;
        co_return std::move(answer).with_header("Location", "ws://127.0.0.1:1/");
    };
    auto server = w.listen(std::move(of_server));
    wsio::client_options options{.redirects = 1};
    options.tls = wsio::client_tls({.ca = folder.write("ca.pem", ca.own().certificate_pem())});
    auto const e = failure(w, "wss://127.0.0.1:" + std::to_string(server.port()) + "/", options);
    check_failure(e, error::bad_redirect, "would give up TLS");
}

BOOST_AUTO_TEST_CASE(proxy_leads_to_the_server) {
    proxied p;
    auto server = p.w.listen();
    auto const serving = p.serve();
    auto client = connect_to(p.w, url_of(server, "/x"), {.proxy = p.url("me:secret@")});
    auto peer = p.w.accept(server);
    auto const place = "127.0.0.1:" + std::to_string(server.port());
    BOOST_TEST(p.head == "CONNECT " + place + " HTTP/1.1\r\nHost: " + place +
                             "\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n");
    BOOST_TEST(!peer.request().headers().contains("Proxy-Authorization"));
    client.write("through");
    BOOST_TEST(p.w.receive(peer)->text() == "through");
    auto const closing = p.w.start(client.close());
    BOOST_TEST(!p.w.receive(peer));
    BOOST_REQUIRE(p.w.until([&] { return closing.done() && serving.done(); }));
}

BOOST_AUTO_TEST_CASE(tls_goes_through_the_proxy_to_the_server) {
    proxied p;
    temporary_folder folder;
    authority const ca;
    auto const files = ca.issue("localhost", "IP:127.0.0.1").save(folder, "server");
    auto server = p.w.listen({.tls = wsio::tls({.certificate = files.certificate, .key = files.key})});
    auto const serving = p.serve();
    wsio::client_options options{.proxy = p.url()};
    options.tls = wsio::client_tls({.ca = folder.write("ca.pem", ca.own().certificate_pem())});
    auto client = connect_to(p.w, "wss://127.0.0.1:" + std::to_string(server.port()) + "/", options);
    auto peer = p.w.accept(server);
    client.write(letters(300'000));
    BOOST_TEST((p.w.receive(peer)->text() == letters(300'000)));
    BOOST_TEST(p.head.starts_with("CONNECT 127.0.0.1:" + std::to_string(server.port())));
    auto const closing = p.w.start(client.close());
    BOOST_REQUIRE(p.w.until([&] { return closing.done() && serving.done(); }));
}

BOOST_AUTO_TEST_CASE(proxies_that_refuse_are_told_apart) {
    auto const refused = failure_at_proxy("HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\nfiltered");
    check_failure(refused, error::proxy_refused, "403 Forbidden: filtered");
    BOOST_TEST(refused.http_status() == 403U);
    BOOST_TEST(refused.body() == "filtered");
    check_failure(failure_at_proxy("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"), error::proxy_unauthorized,
                  "407 No");
    check_failure(failure_at_proxy("SSH-2.0-x\r\n"), error::proxy_failed, "is there an HTTP proxy");
    check_failure(failure_at_proxy(""), error::proxy_failed, "ended the connection");
    check_failure(failure_at_proxy("HTTP/1.1 200", false), error::proxy_timed_out, "within 300 ms");
}

BOOST_AUTO_TEST_CASE(proxy_that_is_no_proxy_is_a_bad_option) {
    world w;
    for (auto const* const bad : {"https://proxy:1", "socks5://proxy:1", "a b"})
        BOOST_CHECK_EXCEPTION(connect_to(w, "ws://127.0.0.1:1/", {.proxy = bad}), std::invalid_argument,
                              [](auto& e) { return contains(e.what(), "client_options.proxy"); });
}

BOOST_AUTO_TEST_CASE(families_of_addresses_take_turns) {
    auto const at = [](std::string_view address) { return tcp::endpoint(asio::ip::make_address(address), 1); };
    using list = std::vector<tcp::endpoint>;
    auto const in = wsio::detail::interleaved;
    BOOST_TEST((in({at("::1"), at("::2"), at("::3"), at("1.1.1.1"), at("2.2.2.2")}) ==
                list{at("::1"), at("1.1.1.1"), at("::2"), at("2.2.2.2"), at("::3")}));
    BOOST_TEST((in({at("1.1.1.1"), at("2.2.2.2"), at("::1")}) == list{at("1.1.1.1"), at("::1"), at("2.2.2.2")}));
    BOOST_TEST((in({at("::1")}) == list{at("::1")}));
    BOOST_TEST(in({}).empty());
}

namespace {

/// An address that neither answers nor refuses: a backlog that is full.
struct black_hole {
    asio::io_context context;
    tcp::acceptor acceptor{context};
    tcp::socket filling{context};
    black_hole() {
        acceptor.open(tcp::v4());
        acceptor.bind({asio::ip::address_v4::loopback(), 0});
        acceptor.listen(0);
        filling.connect(acceptor.local_endpoint());
    }
    [[nodiscard]] tcp::endpoint at() const { return acceptor.local_endpoint(); }
};

struct dialled {
    std::optional<tcp::endpoint> to;
    std::chrono::milliseconds took{};
    std::string failure;
    error why{};
};

/// Dials several addresses.
dialled dial(world& w, const std::vector<tcp::endpoint>& addresses, std::chrono::milliseconds pause = 250ms,
             std::chrono::milliseconds patience = 3s) {
    dialled result;
    auto run = [](dialled& into, std::vector<tcp::endpoint> to, std::chrono::milliseconds between,
                  std::chrono::milliseconds most) -> awaitable<void> {
        auto const begun = std::chrono::steady_clock::now();
        wsio::detail::dialing const where{"several.example", 80, most, between};
        try {
            auto socket = co_await wsio::detail::dial_any(where, to, begun + most);
            into.to = socket.remote_endpoint();
        } catch (const wsio::connect_error& e) {
            into.failure = e.what();
            into.why = e.why();
        }
        into.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
    };
    auto const dialling = w.start(run(result, addresses, pause, patience));
    BOOST_REQUIRE(w.until([&] { return dialling.done(); }));
    return result;
}

tcp::endpoint place_of(const raw_server& server) { return {asio::ip::address_v4::loopback(), server.port()}; }

/// Gives a place that nobody listens at any more.
tcp::endpoint closed_place(world& w) { return place_of(raw_server(w)); }

}  // namespace

BOOST_AUTO_TEST_CASE(address_that_refuses_makes_way_at_once) {
    world w;
    raw_server server(w);
    auto const good = place_of(server);
    auto const closed = closed_place(w);
    auto const result = dial(w, {closed, closed, good}, 2s);
    BOOST_TEST((result.to == good));
    BOOST_TEST(result.took.count() < 1000);
}

BOOST_AUTO_TEST_CASE(address_that_refuses_makes_way_at_once_beside_one_that_is_silent) {
    world w;
    black_hole const silent;
    raw_server server(w);
    auto const good = place_of(server);
    auto const closed = closed_place(w);
    auto const result = dial(w, {silent.at(), closed, good}, 1s);
    BOOST_TEST((result.to == good));
    BOOST_TEST(result.took.count() >= 1000);
    BOOST_TEST(result.took.count() < 1950);
}

BOOST_AUTO_TEST_CASE(addresses_that_failed_keep_no_descriptor) {
    world w;
    black_hole const silent;
    auto const closed = closed_place(w);
    std::vector<tcp::endpoint> addresses(50, closed);
    addresses.push_back(silent.at());
    auto const descriptors = [] {
        std::filesystem::directory_iterator const all("/proc/self/fd");
        return std::distance(begin(all), end(all));
    };
    auto const before = descriptors();
    auto run = [](std::vector<tcp::endpoint> to) -> awaitable<void> {
        wsio::detail::dialing const where{"several.example", 80, 10s, 250ms};
        co_await wsio::detail::dial_any(where, to, std::chrono::steady_clock::now() + 10s);
    };
    auto const dialling = w.start(run(addresses));
    w.turn_for(200ms);
    BOOST_TEST(!dialling.done());
    BOOST_TEST(descriptors() - before < 10);
    dialling.cancel();
    BOOST_REQUIRE(w.until([&] { return dialling.done(); }));
}

BOOST_AUTO_TEST_CASE(times_may_be_as_long_as_can_be) {
    world w;
    auto server = w.listen();
    auto const url = "ws://localhost:" + std::to_string(server.port()) + "/";
    constexpr auto ever = std::chrono::milliseconds::max();
    wsio::client_options const options{.connect_timeout = ever, .next_address_after = ever};
    BOOST_TEST(connect_to(w, url, options).is_open());
}

BOOST_AUTO_TEST_CASE(next_address_is_tried_beside_one_that_is_silent) {
    world w;
    black_hole const silent;
    raw_server server(w);
    auto const good = place_of(server);
    auto const result = dial(w, {silent.at(), good}, 250ms);
    BOOST_TEST((result.to == good));
    BOOST_TEST(result.took.count() >= 250);
    BOOST_TEST(result.took.count() < 2000);
}

BOOST_AUTO_TEST_CASE(silence_of_all_addresses_times_out) {
    world w;
    black_hole const silent;
    auto const result = dial(w, {silent.at(), silent.at()}, 50ms, 300ms);
    BOOST_TEST((result.why == error::connect_timed_out), result.failure);
    BOOST_TEST(contains(result.failure, "several.example:80 did not take the connection within 300 ms"));
}

BOOST_AUTO_TEST_CASE(every_address_that_failed_is_named) {
    world w;
    auto const closed = closed_place(w);
    auto const result = dial(w, {closed, {asio::ip::make_address("224.0.0.1"), 9}});
    BOOST_TEST((result.why == error::connection_refused), result.failure);
    BOOST_TEST(contains(result.failure, "127.0.0.1: Connection refused; 224.0.0.1: "));
}

BOOST_AUTO_TEST_SUITE_END()
