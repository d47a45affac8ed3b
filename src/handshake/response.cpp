#include "handshake/response.hpp"

#include <fmt/format.h>

#include <ctime>
#include <iterator>

#include "handshake/http_grammar.hpp"
#include "handshake/negotiation.hpp"

namespace wsio::handshake {

std::string http_date() {
    std::time_t const now = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[utc.tm_wday], utc.tm_mday, months[utc.tm_mon],
                       utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

namespace {

// RFC 9110 6.4.1, 15.3.5, 15.4.5
bool has_body(unsigned status) { return status >= 200 && status != 204 && status != 304; }

}  // namespace

std::string response(const http_response& response, bool head_only, bool keep_alive) {
    std::string out;
    auto const to = std::back_inserter(out);
    fmt::format_to(to, "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, reason_phrase(response.status), http_date());
    if (has_body(response.status)) {
        headers checked;  // the application's text must not split the response
        checked.add("Content-Type", response.content_type);
        fmt::format_to(to, "Content-Type: {}\r\nContent-Length: {}\r\n", checked["Content-Type"], response.body.size());
    }
    fmt::format_to(to, "Connection: {}\r\n", keep_alive ? "keep-alive" : "close");
    for (auto const& [name, value] : response.fields)
        if (!is_framing(name) && !equal_without_case(name, "Content-Type"))
            fmt::format_to(to, "{}: {}\r\n", name, value);
    out += "\r\n";
    if (has_body(response.status) && !head_only) out += response.body;
    return out;
}

}  // namespace wsio::handshake
