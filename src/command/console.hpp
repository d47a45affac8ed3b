#pragma once

#include "hand_over.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace wsio::command {

/// What `wsio connect` reads its lines from and shows messages on. There are two: a terminal, where somebody types, and the
/// pipes of a script.
///
/// Lines are read on a thread, because neither a file nor a line editor can be waited for as a socket can, and a socket has to
/// be served meanwhile.
class console {
public:
    /// Makes the one that fits standard input and output. Where nothing is read, nobody types.
    static std::unique_ptr<console> make(const boost::asio::any_io_executor& executor, bool reads, bool may_colour);

    console(const console&) = delete;
    console& operator=(const console&) = delete;
    virtual ~console() = default;

    /// Begins to read.
    virtual void start() = 0;
    /// Ends the reading, and shows what is still to be shown. To be called before the destructor.
    virtual void stop() = 0;

    /// Gives the next line, without its end; nothing when the input has ended.
    [[nodiscard]] boost::asio::awaitable<std::optional<std::string>> next_line() { return lines_.next(); }

    /// Shows a message. False when nobody looks any more. Throws `failure` when it cannot be shown for another reason.
    [[nodiscard]] virtual boost::asio::awaitable<bool> show(std::string_view payload, bool binary) = 0;

    /// Tells whether somebody types, who wants to hear how things go and knows the commands.
    [[nodiscard]] virtual bool is_interactive() const noexcept = 0;
    /// Takes the terminal again after the program was stopped (Ctrl-Z) and goes on.
    virtual void resume() {}
    /// Tells something about the connection; only to somebody who types.
    virtual void remark(std::string_view text) = 0;

    /// Says what was wrong with the input, once it has ended; empty when nothing was.
    [[nodiscard]] virtual std::string_view trouble() const noexcept { return {}; }

protected:
    /// Wakes a thread that waits for input.
    class waker {
    public:
        waker();
        waker(const waker&) = delete;
        waker& operator=(const waker&) = delete;
        ~waker();
        void wake() const noexcept;
        /// Waits until there is input or somebody wakes; true when there is input.
        [[nodiscard]] bool wait() const noexcept;
        void wait_to_be_woken() const noexcept;

    private:
        int fd_;
    };

    explicit console(const boost::asio::any_io_executor& executor) : lines_(executor) {}

    hand_over lines_;
    waker waker_;
    std::thread reader_;
};

}  // namespace wsio::command
