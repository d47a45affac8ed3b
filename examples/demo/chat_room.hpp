#pragma once

#include <wsio/wsio.hpp>

#include <boost/json/object.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace demo {

/// One chat room; main.cpp says what is spoken in it. Everything that it keeps is bounded.
/// Thread safety: everything belongs on the executor of the sockets, which all live on one.
class chat_room {
public:
    static constexpr std::size_t capacity = 200;       ///< Guests at one time.
    static constexpr std::size_t name_length = 24;     ///< Characters.
    static constexpr std::size_t line_length = 500;    ///< Characters.
    static constexpr std::size_t history_length = 50;  ///< Lines that a newcomer is shown.
    static constexpr std::string_view subprotocol =
        "json";  ///< Who agreed on it gets JSON, everybody else plain lines.

    /// Lets a connection take part until it ends. The room must outlive it.
    void join(wsio::socket socket);

    /// Counts the guests.
    [[nodiscard]] std::size_t size() const noexcept { return guests_.size(); }

private:
    using clock = std::chrono::steady_clock;

    struct guest {
        unsigned id;
        std::string name;
        wsio::socket socket;
        double allowance;  ///< Lines that may be said now; time refills it.
        clock::time_point heard;

        [[nodiscard]] boost::json::object as_json() const;
    };

    /// The same news in both languages.
    struct news {
        boost::json::object page;
        std::string terminal;
    };

    boost::asio::awaitable<void> listen_to(guest& from);
    void welcome(guest& newcomer);
    void leave(unsigned id);
    void hear(guest& from, std::string_view text);
    void say(const guest& from, const std::string& text);
    void obey(guest& from, std::string_view command, std::string_view argument);
    void rename(guest& who, std::string_view wanted);
    [[nodiscard]] std::string free_name(std::string_view wanted, unsigned id) const;
    [[nodiscard]] std::string who_is_here() const;
    void tell_all(const news& what, const guest* not_on_terminal_of = nullptr);

    std::map<unsigned, guest> guests_;
    std::deque<news> history_;
    unsigned last_guest_ = 0;
    unsigned last_line_ = 0;
};

}  // namespace demo
