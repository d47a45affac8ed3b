// The demo: a page on /, a chat room on /chat and an echo on /echo, all on one port.
//
// What is spoken on /chat. Each message from a guest is one line of text that is said to all; "/name Ada", "/who",
// "/help" and "/quit" are commands. A guest may come with a name: /chat?name=Ada. A guest who asks for the subprotocol
// "json", as the page does, is told what happens in JSON objects whose "type" is one of
//
//     welcome  room, id, people: [person], lines: [line]    first of all; "id" is the guest's own
//     joined, left  person          renamed  person, before          notice  text, for this guest only
//     line     id, person, text, at (milliseconds since 1970)
//
// where a person is {id, name, protocol}. Everybody else, a terminal or a client of 2010, is told the same in plain lines.

#include "../arguments.hpp"
#include "chat_room.hpp"
#include "page.hpp"

#include <wsio/wsio.hpp>

#include <boost/asio/ip/udp.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/core.h>

namespace {

namespace asio = boost::asio;

asio::awaitable<wsio::http_response> answer(const wsio::request& request) {
    if (request.path() != "/") co_return wsio::http_response{.status = 404, .body = "There is only one page: /\n"};
    if (request.method() != "GET" && request.method() != "HEAD")
        co_return wsio::http_response{
            .status = 405, .body = "The page is there to GET.\n", .fields = {{"Allow", "GET"}}};
    co_return wsio::http_response{.body = std::string(demo::page()),
                                  .content_type = "text/html; charset=utf-8",
                                  .fields = {{"Cache-Control", "no-cache"},
                                             {"Content-Security-Policy",
                                              "default-src 'none'; style-src 'unsafe-inline'; script-src "
                                              "'unsafe-inline'; img-src data:; connect-src 'self' ws: wss:"},
                                             {"X-Content-Type-Options", "nosniff"}}};
}

asio::awaitable<void> echo(wsio::socket socket) {
    while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

asio::awaitable<void> accept_echo(wsio::server server) {
    while (auto socket = co_await server.accept())
        asio::co_spawn(socket->get_executor(), echo(*socket), asio::detached);
}

// The address that other machines may reach this one by. Connecting a UDP socket only looks up the route; nothing is sent.
std::string address_in_the_network(asio::io_context& context) {
    auto error = boost::system::error_code();
    auto probe = asio::ip::udp::socket(context, asio::ip::udp::v4());
    probe.connect({asio::ip::make_address("192.0.2.1"), 9}, error);
    auto const local = error ? asio::ip::udp::endpoint() : probe.local_endpoint(error);
    return local.address().is_unspecified() || local.address().is_loopback() ? "" : local.address().to_string();
}

void print_what_to_try(const wsio::endpoint& endpoint, const std::string& network, bool secure) {
    auto const s = secure ? "s" : "";
    auto const here = endpoint.address.is_unspecified() || endpoint.address.is_loopback()
                          ? fmt::format("localhost:{}", endpoint.port)
                          : fmt::format("{}", endpoint);
    fmt::print("wsio {} demo listens on {}\n\n  open    http{}://{}/\n", wsio::version, endpoint, s, here);
    if (endpoint.address.is_unspecified() && !network.empty())
        fmt::print("          http{}://{}:{}/   from other machines\n", s, network, endpoint.port);
    fmt::print(
        "  chat    ws{0}://{1}/chat\n"
        "  echo    ws{0}://{1}/echo\n"
        "  try     npx wscat -c 'ws{0}://{1}/chat?name=Ada'\n"
        "          python3 -m websockets 'ws{0}://{1}/chat?name=Ada'\n\n"
        "Ctrl-C closes every connection and stops.\n\n",
        s, here);
}

asio::awaitable<void> stop_on_signal(wsio::http_server http) {
    auto signals = asio::signal_set(http.get_executor(), SIGINT, SIGTERM);
    co_await signals.async_wait(asio::use_awaitable);
    signals.clear();  // a second signal ends the program at once
    fmt::print("\nclosing every connection\n");
    co_await http.drain();
    fmt::print("stopped\n");
}

void serve(std::uint16_t port, std::string host, const wsio::tls& tls) {
    auto room = demo::chat_room();
    auto context = asio::io_context(1);
    auto http = wsio::http_server(context.get_executor(), answer,
                                  {.host = std::move(host), .log = wsio::print_log, .tls = tls});

    auto const authorize = [&room](const wsio::request&) -> asio::awaitable<wsio::verdict> {
        if (room.size() < demo::chat_room::capacity) co_return wsio::verdict::accept();
        co_return wsio::verdict::reject(503, "the room is full");
    };
    auto chat = attach(http, {.path = "/chat",
                              .subprotocols = {std::string(demo::chat_room::subprotocol)},
                              .authorize = authorize,
                              .log = wsio::print_log,
                              .limits = {.message_size = 4096}});
    chat.on_connection([&room](wsio::socket socket) { room.join(std::move(socket)); });
    // Pages of any site may use the echo: it knows nothing worth stealing.
    asio::co_spawn(
        context,
        accept_echo(attach(
            http,
            {.path = "/echo", .origins = {"*"}, .log = wsio::print_log, .limits = {.message_size = 1024 * 1024}})),
        asio::detached);

    http.listen(port);
    print_what_to_try(http.local_endpoint(), address_in_the_network(context), static_cast<bool>(tls));
    asio::co_spawn(context, stop_on_signal(http), asio::detached);
    context.run();
}

}  // namespace

int main(int argc, char** argv) try {
    auto const arguments = examples::arguments(argc, argv, "A page with a chat room and an echo test over WebSockets.",
                                               {{"--port", "3000", "port to listen on, 0 for any free one"},
                                                {"--host", "", "address to listen on; every address when not given"},
                                                {"--certificate", "", "PEM file with a certificate, to speak TLS"},
                                                {"--key", "", "PEM file with its key"}});
    auto const certificate =
        wsio::tls_options{.certificate = arguments.text("--certificate"), .key = arguments.text("--key")};
    auto const plain = certificate.certificate.empty() && certificate.key.empty();
    serve(arguments.number<std::uint16_t>("--port"), arguments.text("--host"),
          plain ? wsio::tls() : wsio::tls(certificate));
} catch (const boost::system::system_error& error) {
    auto const in_use = error.code() == asio::error::address_in_use;
    fmt::print(stderr, "wsio_demo: {}{}\n", error.what(),
               in_use ? "; stop the program that has it, or choose another port with --port" : "");
    return 1;
} catch (const std::exception& error) {
    fmt::print(stderr, "wsio_demo: {}\n", error.what());
    return 1;
}
