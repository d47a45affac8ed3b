#include "chat_room.hpp"

#include "text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace demo {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr auto burst = 10.0;            // lines that a guest may say at once,
constexpr auto lines_per_second = 2.0;  // and in the long run

std::int64_t milliseconds_since_1970() {
    auto const now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// A page that comes back sees by this whether the room is still the one that it knew.
std::int64_t opened_at() {
    static auto const time = milliseconds_since_1970();
    return time;
}

bool on_page(const wsio::socket& socket) { return socket.subprotocol() == chat_room::subprotocol; }

void tell(wsio::socket socket, json::object page, std::string_view terminal) {
    socket.write(on_page(socket) ? json::serialize(page) : terminal);
}

void notify(const wsio::socket& socket, std::string_view text) {
    tell(socket, {{"type", "notice"}, {"text", text}}, fmt::format("* {}", text));
}

}  // namespace

json::object chat_room::guest::as_json() const {
    return {{"id", id}, {"name", name}, {"protocol", to_string(socket.protocol_version())}};
}

void chat_room::join(wsio::socket socket) {
    auto const id = ++last_guest_;
    auto const name = free_name(socket.request().query("name"), id);
    auto& newcomer = guests_.emplace(id, guest{id, name, socket, burst, clock::now()}).first->second;

    fmt::print("+ {} over {} from {}, {} here\n", name, socket.protocol_version(), socket.client_endpoint(), size());
    welcome(newcomer);
    tell_all({{{"type", "joined"}, {"person", newcomer.as_json()}},
              fmt::format("* {} joined over {}", name, socket.protocol_version())},
             &newcomer);
    asio::co_spawn(socket.get_executor(), listen_to(newcomer), [this, id](std::exception_ptr) { leave(id); });
}

void chat_room::welcome(guest& newcomer) {
    auto people = json::array();
    for (auto const& [id, present] : guests_) people.push_back(present.as_json());
    auto lines = json::array();
    auto text = fmt::format("* Welcome, {}. {} /help says what you can do.", newcomer.name, who_is_here());
    for (auto const& line : history_) {
        lines.push_back(line.page);
        text += '\n' + line.terminal;
    }
    tell(newcomer.socket,
         {{"type", "welcome"}, {"room", opened_at()}, {"id", newcomer.id}, {"people", people}, {"lines", lines}}, text);
}

void chat_room::leave(unsigned id) {
    auto const place = guests_.extract(id);
    auto const& gone = place.mapped();
    fmt::print("- {}: {}, {} here\n", gone.name, gone.socket.status(), size());
    tell_all({{{"type", "left"}, {"person", gone.as_json()}}, fmt::format("* {} left", gone.name)});
}

asio::awaitable<void> chat_room::listen_to(guest& from) {
    while (auto message = co_await from.socket.receive()) {
        if (message->is_text())
            hear(from, message->text());
        else
            from.socket.end(wsio::close_code::unsupported_data, "the room speaks text");
    }
}

void chat_room::hear(guest& from, std::string_view text) {
    auto const line = clean(text, line_length);
    if (line.empty()) return;

    auto const now = clock::now();
    auto const seconds = std::chrono::duration<double>(now - std::exchange(from.heard, now)).count();
    from.allowance = std::min(burst, from.allowance + seconds * lines_per_second);
    if (from.allowance < 1) return notify(from.socket, "Not so fast, please. Your line was left out.");
    from.allowance -= 1;

    if (line.front() != '/') return say(from, line);
    auto const blank = std::min(line.find(' '), line.size());
    obey(from, std::string_view(line).substr(1, blank - 1), std::string_view(line).substr(blank));
}

void chat_room::say(const guest& from, const std::string& text) {
    history_.push_back({{{"type", "line"},
                         {"id", ++last_line_},
                         {"person", from.as_json()},
                         {"text", text},
                         {"at", milliseconds_since_1970()}},
                        fmt::format("{}: {}", from.name, text)});
    tell_all(history_.back(), &from);
    if (history_.size() > history_length) history_.pop_front();
}

void chat_room::obey(guest& from, std::string_view command, std::string_view argument) {
    if (command == "name")
        rename(from, argument);
    else if (command == "who")
        notify(from.socket, who_is_here());
    else if (command == "quit")
        from.socket.end(wsio::close_code::normal, "see you");
    else
        notify(from.socket, "What you type is said to all. Commands: /name NAME, /who, /quit.");
}

void chat_room::rename(guest& who, std::string_view wanted) {
    auto const before = std::exchange(who.name, free_name(wanted, who.id));
    if (before == who.name) return;
    tell_all({{{"type", "renamed"}, {"person", who.as_json()}, {"before", before}},
              fmt::format("* {} is {} now", before, who.name)});
}

std::string chat_room::free_name(std::string_view wanted, unsigned id) const {
    auto const name = clean(wanted, name_length);
    auto const taken = [&](const std::string& candidate) {
        return std::ranges::any_of(
            guests_, [&](auto const& other) { return other.first != id && other.second.name == candidate; });
    };
    if (name.empty()) return fmt::format("guest {}", id);
    auto candidate = name;
    for (auto number = 2; taken(candidate); ++number) candidate = fmt::format("{} {}", name, number);
    return candidate;
}

std::string chat_room::who_is_here() const {
    auto text = std::string();
    for (auto const& [id, present] : guests_)
        text +=
            fmt::format("{}{} ({})", text.empty() ? "Here: " : ", ", present.name, present.socket.protocol_version());
    return text + '.';
}

void chat_room::tell_all(const news& what, const guest* not_on_terminal_of) {
    auto const page = json::serialize(what.page);
    for (auto& [id, present] : guests_) {
        if (on_page(present.socket))
            present.socket.write(page);
        else if (&present != not_on_terminal_of)  // who typed a line on a terminal sees it already
            present.socket.write(what.terminal);
    }
}

}  // namespace demo
