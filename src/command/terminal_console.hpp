#pragma once

#include "console.hpp"

#include <histedit.h>
#include <termios.h>

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

namespace wsio::command {

/// Lets somebody type on a terminal, with a line editor and its history, and shows messages above the line that is being
/// typed. All that is written to the terminal is written by one thread.
class terminal_console final : public console {
public:
    terminal_console(const boost::asio::any_io_executor& executor, bool colours);
    ~terminal_console() override;

    void start() override;
    void stop() override;
    boost::asio::awaitable<bool> show(std::string_view payload, bool binary) override;
    bool is_interactive() const noexcept override { return true; }
    void resume() override;
    void remark(std::string_view text) override;

private:
    struct closer {
        void operator()(EditLine* editor) const noexcept { el_end(editor); }
        void operator()(History* history) const noexcept { history_end(history); }
    };

    void put_on_screen(std::string_view mark, std::string_view colour, std::string_view text);
    void edit();
    void take_keys(bool one_by_one);
    void take_the_terminal_again();
    void show_what_waits();
    void clear_the_line();
    bool take_key();
    void follow_the_window();
    int next_character(wchar_t& into);
    static int read_character(EditLine* editor, wchar_t* into);
    static char* prompt(EditLine* editor);

    bool const colours_;
    std::atomic<bool> stopped_ = false;
    std::atomic<bool> resumed_ = false;

    std::mutex mutex_;
    std::deque<std::string> screen_;  ///< What is to be shown.
    std::size_t screen_bytes_ = 0;
    boost::asio::steady_timer room_;  ///< For who waits for the screen.

    // The thread's own.
    std::unique_ptr<History, closer> history_;
    std::unique_ptr<EditLine, closer> editor_;
    termios modes_{};  ///< Of the terminal while keys are taken one by one.
    unsigned columns_ = 80;
    bool hung_up_ = false;  ///< The terminal is gone.
};

}  // namespace wsio::command
