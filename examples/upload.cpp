// Takes files of any size and gives them back, without ever having one in memory: a binary message is received in parts and
// written to a temporary file; the text "download" sends it back in fragments.

#include "arguments.hpp"

#include <wsio/wsio.hpp>

#include <fmt/core.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using file = std::unique_ptr<std::FILE, decltype([](std::FILE* opened) { std::fclose(opened); })>;

// Receives the rest of a message into a new file; none if the connection ends before the message does.
boost::asio::awaitable<file> store(wsio::socket& socket, std::optional<wsio::message_part> part) {
    file stored(std::tmpfile());
    if (!stored) throw std::runtime_error("no temporary file can be made");
    while (part) {
        if (std::fwrite(part->data(), 1, part->size(), stored.get()) != part->size())
            throw std::runtime_error("the temporary file cannot be written");
        if (part->is_last()) co_return stored;
        part = co_await socket.receive_part();
    }
    co_return file();
}

// Sends a file as one message. Memory holds one piece, and what `limits::outbox` allows.
boost::asio::awaitable<void> send_file(wsio::socket& socket, std::FILE* stored) {
    std::vector<char> piece(64 * 1024);
    std::rewind(stored);
    auto stream = socket.start_binary();
    while (auto const size = std::fread(piece.data(), 1, piece.size(), stored))
        if (!co_await stream.send(std::string_view(piece.data(), size))) co_return;  // the connection is over
    co_await stream.finish();
}

boost::asio::awaitable<void> keep_one_file(wsio::socket socket) {
    file stored;
    while (auto part = co_await socket.receive_part()) {
        if (part->is_binary()) {
            stored = co_await store(socket, std::move(part));
            if (stored) co_await socket.send(fmt::format("stored {} bytes", std::ftell(stored.get())));
        } else if (part->text() != "download" || !part->is_last()) {
            co_await socket.close(wsio::close_code::unsupported_data, "the only text is \"download\"");
        } else if (!stored) {
            co_await socket.send("nothing is stored");
        } else {
            co_await send_file(socket, stored.get());
        }
    }
}

void print_address(const wsio::endpoint& endpoint) { fmt::print("wsio_upload listens on {}\n", endpoint); }

}  // namespace

int main(int argc, char** argv) try {
    auto const arguments =
        examples::arguments(argc, argv, "Stores a file that comes in a binary message, and sends it back.",
                            {{"--port", "3000", "port to listen on, 0 for any free one"},
                             {"--host", "", "address to listen on; every address when not given"},
                             {"--largest", "1073741824", "most bytes that a file may have"},
                             {"--compress", "no", "yes: with permessage-deflate, where the client offers it"}});
    auto const largest = arguments.number<std::size_t>("--largest");
    if (largest == 0) arguments.fail("--largest must be more than 0");

    wsio::serve(arguments.number<std::uint16_t>("--port"), keep_one_file,
                {.host = arguments.text("--host"),
                 .on_listening = print_address,
                 // Nothing is received whole, so little has to be kept of a message that nobody has asked for yet.
                 .limits = {.message_size = wsio::message_part::max_size, .streamed_message_size = largest},
                 .compression = {.mode = arguments.yes("--compress") ? wsio::compression_mode::dedicated
                                                                     : wsio::compression_mode::off},
                 .threads = 1});
} catch (const std::exception& error) {
    fmt::print(stderr, "wsio_upload: {}\n", error.what());
    return 1;
}
