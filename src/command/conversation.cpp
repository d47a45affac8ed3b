#include "conversation.hpp"

#include "format.hpp"
#include "text.hpp"
#include "typed.hpp"

#include <wsio/fmt.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace wsio::command {

namespace asio = boost::asio;

conversation::conversation(socket to, console& with, const conversation_settings& settings)
    : socket_(std::move(to)), console_(with), settings_(settings), timer_(socket_.get_executor()) {}

asio::awaitable<exit_code> conversation::run() {
    using namespace asio::experimental::awaitable_operators;
    if (socket_.can_send_binary()) socket_.on_pong([this](std::string_view payload) { pong(payload); });
    co_await (guard(hear()) || speak());
    co_await socket_.close();
    if (thrown_) std::rethrow_exception(thrown_);
    co_return outcome();
}

void conversation::interrupt() {
    if (std::exchange(interrupted_, true))
        socket_.destroy();
    else
        socket_.end(close_code::going_away);
}

asio::awaitable<void> conversation::hear() {
    while (auto const message = co_await socket_.receive()) {
        shows_ = true;
        nobody_looks_ = !co_await console_.show(message->text(), message->is_binary());
        shows_ = false;
        heard_at_ = clock::now();
        if (nobody_looks_ || (settings_.count && ++heard_ >= *settings_.count)) break;
    }
    socket_.end();
}

// Ends the talk when either half of it fails.
asio::awaitable<void> conversation::guard(asio::awaitable<void> half) {
    try {
        co_await std::move(half);
    } catch (const boost::system::system_error&) {
        throw;  // cancelled, because the other half is over
    } catch (...) {
        thrown_ = std::current_exception();
        socket_.end(close_code::going_away);
    }
}

// Never returns: the talk is over when the other side has nothing more to say.
asio::awaitable<void> conversation::speak() {
    co_await guard(say_all());
    timer_.expires_at(clock::time_point::max());
    co_await timer_.async_wait(asio::use_awaitable);
}

asio::awaitable<void> conversation::say_all() {
    if (settings_.messages.empty()) {
        co_await say_what_is_read();
    } else {
        for (auto const& message : settings_.messages)
            if (!co_await say(message)) break;
    }
    co_await wait_for_silence();
}

asio::awaitable<void> conversation::say_what_is_read() {
    while (auto const line = co_await console_.next_line()) {
        bool goes_on = false;
        if (console_.is_interactive())
            goes_on = co_await say_typed(*line);
        else
            goes_on = co_await say(*line);
        if (!goes_on) co_return;
    }
    if (!console_.trouble().empty()) throw failure(exit_code::system, std::string(console_.trouble()));
}

// Gives false when nothing more can be said.
asio::awaitable<bool> conversation::say(std::string_view line) {
    if (!settings_.hex) {
        // RFC 6455 5.6: a text message is UTF-8.
        if (!bench::is_utf8(line)) throw failure(exit_code::usage, "a message is no UTF-8; with --hex bytes are sent");
        co_return co_await socket_.send(line);
    }
    if (line.ends_with('\r')) line.remove_suffix(1);  // of a file from Windows
    auto const bytes = from_hex(line);
    if (!bytes) throw failure(exit_code::usage, "with --hex each line is hexadecimal digits, such as 00 01 fe");
    co_return co_await socket_.send(wsio::bytes(*bytes));
}

asio::awaitable<bool> conversation::say_typed(std::string_view line) {
    if (!bench::is_utf8(line)) {
        console_.remark("that is no UTF-8");
        co_return true;
    }
    auto const meant = read_typed(line);
    if (auto const* const text = std::get_if<typed::text>(&meant)) {
        try {
            co_return co_await say(text->content);
        } catch (const failure& mistake) {  // which ends a script; somebody who types can do it better
            console_.remark(mistake.what());
        }
    } else if (auto const* const bytes = std::get_if<typed::bytes>(&meant)) {
        if (socket_.can_send_binary()) co_return co_await socket_.send(wsio::bytes(bytes->content));
        console_.remark(fmt::format("{} cannot carry binary messages", socket_.protocol_version()));
    } else if (auto const* const probe = std::get_if<typed::ping>(&meant)) {
        ping(probe->payload);
    } else if (auto const* const close = std::get_if<typed::close>(&meant)) {
        socket_.end(close->code, close->reason);
        co_return false;
    } else if (std::holds_alternative<typed::help>(meant)) {
        console_.remark(typed_help());
    } else {
        console_.remark(std::get<typed::mistake>(meant).why);
    }
    co_return true;
}

// Somebody who typed the end of the input wants to leave; a script may still get answers. While a message is being shown it
// is the reader of the output who is slow, not the server that is silent.
asio::awaitable<void> conversation::wait_for_silence() {
    heard_at_ = clock::now();
    while (!console_.is_interactive() && settings_.wait) {
        auto const now = clock::now();
        auto const until = (shows_ ? now : heard_at_) + *settings_.wait;
        if (now >= until) break;
        timer_.expires_at(until);
        co_await timer_.async_wait(asio::use_awaitable);
    }
    if (!console_.is_interactive() && !settings_.wait) co_return;
    socket_.end();
}

void conversation::ping(std::string_view payload) {
    if (!socket_.can_send_binary()) {
        console_.remark(fmt::format("{} has no pings", socket_.protocol_version()));
        return;
    }
    if (pings_.size() == most_pings) pings_.pop_front();
    pings_.push_back({std::string(payload), clock::now()});
    socket_.ping(payload);
}

void conversation::pong(std::string_view payload) {
    auto const answered = std::ranges::find(pings_, payload, &sent_ping::payload);
    if (answered == pings_.end()) return;  // nobody asked for it, or the library itself did
    auto const took = std::chrono::duration<double, std::nano>(clock::now() - answered->at);
    pings_.erase(pings_.begin(), std::next(answered));  // it may answer the earlier ones as well (RFC 6455 5.5.3)
    console_.remark(fmt::format("pong after {}", bench::as_time(took.count())));
}

exit_code conversation::outcome() const {
    auto const how = socket_.status();
    auto const told = describe_ending(how);
    console_.remark(told);
    if (interrupted_) return exit_code::interrupted;
    if (how.by == ended_by::application) return exit_code::success;
    bool const as_usual = how.code == close_code::normal || how.code == close_code::going_away ||
                          (how.code == close_code::no_status && how.clean);
    if (how.by == ended_by::peer && as_usual) return exit_code::success;
    auto const code = how.by == ended_by::library ? exit_code::wrong_answer : exit_code::connection_lost;
    if (console_.is_interactive()) return code;  // who sits there has been told
    throw failure(code, told);
}

}  // namespace wsio::command
