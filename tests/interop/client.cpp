// The client of this library as a driver of the tests: holds one conversation with an echo server and reports what became
// of it, as one JSON object; README.md has the rules.

#include "../../examples/arguments.hpp"

#include <wsio/wsio.hpp>

#include <fmt/core.h>

#include <stdexcept>

namespace {

namespace asio = boost::asio;

std::string escaped(std::string_view text) {
    std::string out;
    for (char const c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c >= ' ' ? c : '?';
    }
    return out;
}

std::vector<wsio::message> messages(bool binary) {
    std::string records;
    for (int i = 0; i < 500; ++i) records += fmt::format("{{\"id\":{},\"score\":{}}},", i, i * 104729 % 10007);
    std::vector<wsio::message> all;
    // Empty messages and large ones are where implementations differ.
    for (auto const& text : {std::string("hello"), std::string("h\u00e9llo \u2013 \u2603"), records, records,
                             std::string(300, 'x'), std::string(70'000, 'y'), std::string("hello")})
        all.push_back(wsio::message::text(text));
    if (binary)
        for (auto const& bytes : {std::string("\0\xff\x80\0", 4), std::string(200'000, '\xfe')})
            all.push_back(wsio::message::binary(wsio::bytes(bytes)));
    return all;
}

asio::awaitable<void> converse(wsio::socket socket) {
    for (auto const& message : messages(socket.can_send_binary())) {
        co_await socket.send(message);
        auto const echo = co_await socket.receive(std::chrono::seconds(10));
        if (!echo) throw std::runtime_error("no echo: " + socket.status().to_string());
        if (*echo != message) throw std::runtime_error("the echo differs: " + std::string(echo->text().substr(0, 60)));
    }
    socket.ping("are you there?");
    co_await socket.close(wsio::close_code::normal, "bye");
}

asio::awaitable<void> talk(std::string url, wsio::client_options options) {
    auto [socket, error] = co_await wsio::try_connect(url, options);
    if (error) {
        fmt::print("{{\"refused\": \"{}\", \"code\": {}, \"status\": {}, \"body\": \"{}\"}}\n", escaped(error->what()),
                   error->code().value(), error->http_status(), escaped(error->body()));
        co_return;
    }
    bool const compressed = socket.is_compressed();  // which nothing is once it is over
    co_await converse(socket);
    auto const how = socket.status();
    fmt::print(
        "{{\"version\": \"{}\", \"subprotocol\": \"{}\", \"compressed\": {}, \"code\": {}, \"clean\": {}, \"cause\": "
        "\"{}\"}}\n",
        socket.protocol_version(), socket.subprotocol(), compressed, to_number(how.code), how.clean,
        escaped(how.cause));
}

}  // namespace

int main(int argc, char** argv) try {
    auto const arguments = examples::arguments(argc, argv, "Holds one conversation with an echo server.",
                                               {{"--url", "", "where to connect to"},
                                                {"--protocols", "13", "versions, to be tried in this order"},
                                                {"--subprotocols", "", "what to offer"},
                                                {"--compress", "off", "off, shared or dedicated"},
                                                {"--proxy", "", "an HTTP proxy"},
                                                {"--ca", "", "PEM file with the authority of a wss server"}});
    wsio::client_options options;
    options.protocols.clear();
    for (auto const& name : arguments.list("--protocols"))
        options.protocols.push_back(wsio::protocols.find(name).value());
    options.subprotocols = arguments.list("--subprotocols");
    options.proxy = arguments.text("--proxy");
    options.timeouts.handshake = std::chrono::seconds(3);
    if (arguments.text("--compress") == "shared") options.compression.mode = wsio::compression_mode::shared;
    if (arguments.text("--compress") == "dedicated") options.compression.mode = wsio::compression_mode::dedicated;
    if (auto const ca = arguments.text("--ca"); !ca.empty()) options.tls = wsio::client_tls({.ca = ca});

    auto context = asio::io_context(1);
    asio::co_spawn(context, talk(arguments.text("--url"), options), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
    context.run();
} catch (const std::exception& error) {
    fmt::print("{{\"failed\": \"{}\"}}\n", escaped(error.what()));
    return 1;
}
