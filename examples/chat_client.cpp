// Joins the chat room of the demo from a terminal, or from a pipe: each line of standard input is said, what the others say
// is printed. Connects again when the connection is lost, until the input ends.
//
//     wsio_chat_client --url 'ws://localhost:3000/chat?name=Ada'

#include "arguments.hpp"

#include <wsio/wsio.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/core.h>

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace {

namespace asio = boost::asio;

// What both halves of the client share.
struct session {
    wsio::socket socket;  // to nothing while there is no connection
    bool over = false;    // the input has ended
};

// Asio does not let the input block, which then holds for everybody who has it open: the shell, too. This gives it back as it was.
class input_guard {
public:
    input_guard() = default;
    input_guard(const input_guard&) = delete;
    input_guard& operator=(const input_guard&) = delete;
    ~input_guard() { ::fcntl(STDIN_FILENO, F_SETFL, flags_); }

private:
    int flags_ = ::fcntl(STDIN_FILENO, F_GETFL);
};

asio::awaitable<void> say_what_is_typed(session& s) {
    auto input = asio::posix::stream_descriptor(co_await asio::this_coro::executor, ::dup(STDIN_FILENO));
    auto buffer = std::string();
    for (;;) {
        auto ec = boost::system::error_code();
        auto const size = co_await asio::async_read_until(input, asio::dynamic_buffer(buffer), '\n',
                                                          asio::redirect_error(asio::use_awaitable, ec));
        if (ec && buffer.empty()) break;
        auto const line = ec ? buffer : buffer.substr(0, size - 1);  // the last line of a file may have no end
        buffer.erase(0, ec ? buffer.size() : size);
        if (!co_await s.socket.send(line)) fmt::print(stderr, "* not connected; this was not said\n");
        if (ec) break;
    }
    s.over = true;
    s.socket.end(wsio::close_code::normal, "bye");
}

asio::awaitable<void> chat(session& s, std::string url) {
    auto when = wsio::reconnect_options{.attempts = 10};
    when.on_failure = [](const wsio::connect_error& error, std::chrono::milliseconds wait) {
        fmt::print(stderr, "* {}; again in {} ms\n", error.what(), wait.count());
    };
    auto connections = wsio::reconnecting(url, {}, when);
    auto reads_input = false;
    while (!s.over) {
        s.socket = co_await connections.next();
        // What is typed is for somebody to hear, so it is not read before there is a connection.
        if (!std::exchange(reads_input, true))
            asio::co_spawn(s.socket.get_executor(), say_what_is_typed(s), asio::detached);
        while (auto message = co_await s.socket.receive()) fmt::print("{}\n", message->text());
        fmt::print(stderr, "* {}\n", s.socket.status());
    }
}

}  // namespace

int main(int argc, char** argv) try {
    auto const arguments =
        examples::arguments(argc, argv, "A guest of the demo's chat room; each line of the input is said.",
                            {{"--url", "ws://localhost:3000/chat", "the room; with ?name=Ada one comes with a name"}});
    auto code = 0;
    auto const input = input_guard();
    auto s = session();
    auto context = asio::io_context(1);
    asio::co_spawn(context, chat(s, arguments.text("--url")), [&](std::exception_ptr thrown) {
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (const std::exception& error) {
            fmt::print(stderr, "{}\n", error.what());
            code = 1;
        }
        context.stop();  // the input may still be waited for
    });
    auto signals = asio::signal_set(context, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code& ec, int signal) {
        if (ec) return;
        code = 128 + signal;
        context.stop();
    });
    context.run();
    return code;
} catch (const std::exception& error) {
    fmt::print(stderr, "wsio_chat_client: {}\n", error.what());
    return 1;
}
