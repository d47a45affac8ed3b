#include "terminal_console.hpp"

#include "text.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cwchar>
#include <utility>

namespace wsio::command {

namespace asio = boost::asio;

namespace {

constexpr std::string_view plain = "\033[0m";
constexpr std::string_view green = "\033[32m";
constexpr std::string_view magenta = "\033[35m";
constexpr std::string_view yellow = "\033[33m";

// More than a person reads of one message.
constexpr std::size_t most_bytes_shown = 1024;
// A server that is quicker than the terminal waits behind so much.
constexpr std::size_t most_on_screen = 1 << 20;

// Counts the columns that UTF-8 takes.
std::size_t width_of(std::string_view text) {
    std::size_t width = 0;
    std::mbstate_t state{};
    while (!text.empty()) {
        wchar_t character = 0;
        auto const size = std::mbrtowc(&character, text.data(), text.size(), &state);
        if (size == 0 || size > text.size()) break;
        width += static_cast<std::size_t>(std::max(::wcwidth(character), 0));
        text.remove_prefix(size);
    }
    return width;
}

// That the terminal is gone shows in reading.
void put(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

}  // namespace

terminal_console::terminal_console(const asio::any_io_executor& executor, bool colours)
    : console(executor), colours_(colours), room_(executor, asio::steady_timer::time_point::max()) {}

terminal_console::~terminal_console() { stop(); }

void terminal_console::start() {
    reader_ = std::thread([this] { edit(); });
}

void terminal_console::stop() {
    if (reader_.joinable()) {
        stopped_ = true;
        lines_.close();
        waker_.wake();
        reader_.join();
    }
    show_what_waits();
}

void terminal_console::resume() {
    resumed_ = true;
    waker_.wake();
}

asio::awaitable<bool> terminal_console::show(std::string_view payload, bool binary) {
    for (;;) {
        {
            std::lock_guard const lock(mutex_);
            if (screen_bytes_ < most_on_screen) break;
        }
        boost::system::error_code ignored;
        co_await room_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (binary) {
        auto const rest = payload.size() - std::min(payload.size(), most_bytes_shown);
        put_on_screen("< ", magenta,
                      fmt::format("[{} byte{}] {}{}", payload.size(), payload.size() == 1 ? "" : "s",
                                  to_hex(payload.substr(0, most_bytes_shown), " "),
                                  rest == 0 ? "" : fmt::format(" and {} more", rest)));
    } else {
        put_on_screen("< ", green, without_controls(payload));
    }
    co_return true;
}

void terminal_console::remark(std::string_view text) { put_on_screen("* ", yellow, without_controls(text)); }

void terminal_console::put_on_screen(std::string_view mark, std::string_view colour, std::string_view text) {
    std::string shown;
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    for (bool first = true; first || !text.empty(); first = false) {
        auto const line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        shown += colours_ ? fmt::format("{}{}{}{}\n", colour, first ? mark : "  ", line, plain)
                          : fmt::format("{}{}\n", first ? mark : "  ", line);
    }
    {
        std::lock_guard const lock(mutex_);
        screen_bytes_ += shown.size();
        screen_.push_back(std::move(shown));
    }
    waker_.wake();
}

// The thread, from here on.

void terminal_console::edit() {
    history_.reset(history_init());
    editor_.reset(el_init("wsio", stdin, stdout, stderr));
    auto* const editor = editor_.get();
    HistEvent event;
    history(history_.get(), &event, H_SETSIZE, 1000);
    history(history_.get(), &event, H_SETUNIQUE, 1);
    el_set(editor, EL_CLIENTDATA, this);
    el_set(editor, EL_GETCFN, &terminal_console::read_character);
    el_set(editor, EL_PROMPT, &terminal_console::prompt);
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_HIST, history, history_.get());
    el_set(editor, EL_BIND, "^W", "ed-delete-prev-word", nullptr);
    el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_source(editor, nullptr);  // ~/.editrc
    take_keys(true);
    bool more = true;
    while (more && !stopped_) {
        if (resumed_.exchange(false)) take_the_terminal_again();
        follow_the_window();
        show_what_waits();
        if (waker_.wait()) more = take_key();
    }
    clear_the_line();
    take_keys(false);
    editor_.reset();
    lines_.put(std::nullopt);
    while (!stopped_) {  // the server may still have something to say
        show_what_waits();
        waker_.wait_to_be_woken();
    }
}

// Lets the editor have what was typed; false at the end of the input.
bool terminal_console::take_key() {
    auto* const editor = editor_.get();
    int size = 0;
    auto const* const line = el_gets(editor, &size);
    std::string_view const whole(line, line == nullptr ? 0 : static_cast<std::size_t>(std::max(size, 0)));
    if (hung_up_ || whole == "\x04") return false;  // Ctrl-D on an empty line; elsewhere it deletes a character
    if (!whole.ends_with('\n')) return true;
    std::string typed(whole.substr(0, whole.size() - 1));
    HistEvent event;
    if (!typed.empty()) history(history_.get(), &event, H_ENTER, line);
    take_keys(false);
    bool const wanted = lines_.put(std::move(typed));
    take_keys(true);
    return wanted;
}

void terminal_console::take_keys(bool one_by_one) {
    el_set(editor_.get(), EL_UNBUFFERED, one_by_one ? 1 : 0);
    if (one_by_one) ::tcgetattr(STDIN_FILENO, &modes_);
}

// The shell had the terminal meanwhile, and gives it back as it likes it itself. The editor does not know, and would forget what
// is half typed if it were told to begin anew.
void terminal_console::take_the_terminal_again() {
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &modes_);
    el_set(editor_.get(), EL_REFRESH);
}

void terminal_console::show_what_waits() {
    std::deque<std::string> shown;
    {
        std::lock_guard const lock(mutex_);
        shown.swap(screen_);
        screen_bytes_ = 0;
    }
    if (shown.empty()) return;
    clear_the_line();
    for (auto const& each : shown) put(each);
    std::fflush(stdout);
    if (editor_) el_set(editor_.get(), EL_REFRESH);
    asio::post(room_.get_executor(), [this] { room_.cancel(); });
}

// Takes the prompt and what is being typed off the screen, however many rows they have.
void terminal_console::clear_the_line() {
    if (!editor_) return;
    auto const* const line = el_line(editor_.get());
    auto const before = width_of({line->buffer, static_cast<std::size_t>(line->cursor - line->buffer)});
    if (auto const rows = (2 + before) / columns_; rows != 0) put(fmt::format("\033[{}A", rows));
    put("\r\033[J");
    std::fflush(stdout);
}

void terminal_console::follow_the_window() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_col == columns_) return;
    columns_ = size.ws_col;
    el_resize(editor_.get());
}

// The editor wants one more: the rest of a character, or of what a key like an arrow sends. Somebody who pressed Escape and
// nothing else must not keep the program from ending.
int terminal_console::next_character(wchar_t& into) {
    std::mbstate_t state{};
    for (;;) {
        while (!waker_.wait())
            if (stopped_) return -1;
        char byte = 0;
        auto const count = ::read(STDIN_FILENO, &byte, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            hung_up_ = true;
            return static_cast<int>(count);
        }
        auto const size = std::mbrtowc(&into, &byte, 1, &state);
        if (size == static_cast<std::size_t>(-1)) state = {};  // no UTF-8: not to be sent
        if (size <= 1) return 1;
    }
}

int terminal_console::read_character(EditLine* editor, wchar_t* into) {
    void* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return static_cast<terminal_console*>(self)->next_character(*into);
}

char* terminal_console::prompt(EditLine*) {
    static char text[] = "> ";
    return text;
}

}  // namespace wsio::command
