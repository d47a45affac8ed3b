#pragma once

#include "console.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstddef>

namespace wsio::command {

/// Takes lines from standard input and writes each message as a line to standard output: text as it is, binary in
/// hexadecimal digits.
class pipe_console final : public console {
public:
    explicit pipe_console(const boost::asio::any_io_executor& executor);
    ~pipe_console() override;

    void start() override;
    void stop() override;
    boost::asio::awaitable<bool> show(std::string_view payload, bool binary) override;
    bool is_interactive() const noexcept override { return false; }
    void remark(std::string_view) override {}
    std::string_view trouble() const noexcept override { return trouble_; }

private:
    static constexpr std::size_t longest_line = std::size_t{64} << 20;

    void read_lines();
    void give_up(std::string why);

    bool const on_a_terminal_;
    std::atomic<bool> stopped_ = false;
    std::string trouble_;                 // the thread's, until it has put the end
    boost::asio::thread_pool writer_{1};  // who reads the output may be slow, and the server is served meanwhile
};

}  // namespace wsio::command
