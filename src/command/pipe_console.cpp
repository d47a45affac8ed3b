#include "pipe_console.hpp"

#include "output.hpp"
#include "text.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>
#include <vector>

namespace wsio::command {

namespace asio = boost::asio;

namespace {

asio::awaitable<bool> write_there(std::string text) { co_return bench::print(text); }

// A pipe that can be written to has room for so much.
bool takes_at_once(std::size_t size) {
    pollfd output{STDOUT_FILENO, POLLOUT, 0};
    return size <= PIPE_BUF && ::poll(&output, 1, 0) == 1;
}

}  // namespace

pipe_console::pipe_console(const asio::any_io_executor& executor)
    : console(executor), on_a_terminal_(::isatty(STDOUT_FILENO) == 1) {}

pipe_console::~pipe_console() { stop(); }

void pipe_console::start() {
    reader_ = std::thread([this] { read_lines(); });
}

void pipe_console::stop() {
    if (!reader_.joinable()) return;
    stopped_ = true;
    lines_.close();
    waker_.wake();
    reader_.join();
}

void pipe_console::read_lines() {
    std::string line;
    std::vector<char> block(65536);
    for (;;) {
        if (!waker_.wait()) {
            if (stopped_) return;
            continue;
        }
        auto const count = ::read(STDIN_FILENO, block.data(), block.size());
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count < 0) return give_up(fmt::format("standard input: {}", std::strerror(errno)));
        if (count == 0) break;
        std::string_view left(block.data(), static_cast<std::size_t>(count));
        for (;;) {
            auto const end = left.find('\n');
            line += left.substr(0, end);
            if (line.size() > longest_line) return give_up("a line of the input is longer than 64 MiB");
            if (end == std::string_view::npos) break;
            if (!lines_.put(std::exchange(line, {}))) return;
            left.remove_prefix(end + 1);
        }
    }
    if (!line.empty() && !lines_.put(std::move(line))) return;
    lines_.put(std::nullopt);
}

void pipe_console::give_up(std::string why) {
    trouble_ = std::move(why);
    lines_.put(std::nullopt);
}

asio::awaitable<bool> pipe_console::show(std::string_view payload, bool binary) {
    auto line = binary ? to_hex(payload) : on_a_terminal_ ? without_controls(payload) : std::string(payload);
    line += '\n';
    if (takes_at_once(line.size())) co_return bench::print(line);
    co_return co_await asio::co_spawn(writer_.get_executor(), write_there(std::move(line)), asio::use_awaitable);
}

}  // namespace wsio::command
