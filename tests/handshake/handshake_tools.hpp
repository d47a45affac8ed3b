#pragma once

#include "handshake/negotiation.hpp"
#include "handshake/request_parser.hpp"

#include <boost/test/unit_test.hpp>

#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// What several handshake tests share: a parser fed in every possible way, and requests of each version.
namespace wsio::handshake::test {

using state = request_parser::state;

/// Everything that can be seen of a parsed request, so that two ways of feeding can be compared.
struct outcome {
    state status = state::head;
    unsigned error = 0;
    std::string reason;
    std::string method;
    std::string target;
    unsigned minor = 0;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;
    bool keep_alive = false;
    std::string rest;  // what was left behind a complete request

    friend bool operator==(const outcome&, const outcome&) = default;
};

/// Feeds a parser as a connection does: bytes that were not used are given again with more behind them.
class feeder {
public:
    explicit feeder(request_limits limits = {}) : parser(limits) {}

    void put(std::string_view bytes) {
        pending_ += bytes;
        pending_.erase(0, parser.put(pending_));
    }

    outcome finish() {
        outcome out;
        out.status = parser.status();
        if (out.status == state::failed) {
            out.error = parser.error().status;
            out.reason = parser.error().reason;
        }
        if (out.status != state::complete) return out;
        out.keep_alive = parser.keep_alive();
        auto const request = parser.take();
        out.method = request.method();
        out.target = request.target();
        out.minor = request.http_minor();
        for (auto const& [name, value] : request.headers()) out.fields.emplace_back(name, value);
        out.body = request.body();
        out.rest = pending_;
        return out;
    }

    request_parser parser;

private:
    std::string pending_;
};

inline outcome parse(std::string_view bytes, request_limits limits = {}) {
    feeder whole(limits);
    whole.put(bytes);
    auto expected = whole.finish();

    feeder single(limits);
    for (char const c : bytes) single.put({&c, 1});
    BOOST_TEST((single.finish() == expected), "byte by byte differs: " << bytes.substr(0, 200));
    if (bytes.size() > 4096) return expected;

    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        feeder halves(limits);
        halves.put(bytes.substr(0, cut));
        halves.put(bytes.substr(cut));
        BOOST_TEST((halves.finish() == expected), "a cut at " << cut << " differs: " << bytes.substr(0, 200));
    }
    return expected;
}

/// Checks that bytes are refused with a status and a one-line reason that names the problem.
inline void check_refused(std::string_view bytes, unsigned status, std::string_view part, request_limits limits = {}) {
    auto const result = parse(bytes, limits);
    BOOST_TEST((result.status == state::failed), "was not refused: " << bytes.substr(0, 200));
    BOOST_TEST(result.error == status, bytes.substr(0, 200) << ": " << result.error << ' ' << result.reason);
    BOOST_TEST((result.reason.find(part) != std::string::npos), result.reason << " does not say: " << part);
    BOOST_TEST((result.reason.find('\n') == std::string::npos));
}

/// Writes a GET request with further header lines, each of which ends with CR LF.
inline std::string get_with(std::string_view lines) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}

/// Takes the Date field, which changes, out of a response.
inline std::string without_date(std::string text) {
    static const std::regex date(
        "Date: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] "
        "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) 20[0-9][0-9] "
        "[0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT\r\n");
    BOOST_TEST(std::regex_search(text, date), text);
    return std::regex_replace(text, date, "");
}

using field_list = std::vector<headers::field>;

/// Makes a GET request for /chat.
inline request get(const field_list& fields, std::string target = "/chat") {
    headers all;
    for (auto const& [name, value] : fields) all.add(name, value);
    return {"GET", std::move(target), std::move(all)};
}

inline field_list hybi_fields(std::string_view version = "13") {
    return {{"Host", "example.com"},
            {"Upgrade", "websocket"},
            {"Connection", "keep-alive, Upgrade"},
            {"Sec-WebSocket-Version", version},
            {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
}

inline field_list hixie_76_fields() {
    return {{"Host", "example.com"},
            {"Connection", "Upgrade"},
            {"Sec-WebSocket-Key2", "12998 5 Y3 1  .P00"},
            {"Upgrade", "WebSocket"},
            {"Sec-WebSocket-Key1", "4 @1  46546xW%0l 1 5"},
            {"Origin", "http://example.com"}};
}

inline field_list hixie_75_fields() {
    return {
        {"Upgrade", "WebSocket"}, {"Connection", "Upgrade"}, {"Host", "example.com"}, {"Origin", "http://example.com"}};
}

inline field_list with(field_list fields, std::string_view name, std::string_view value) {
    fields.push_back({name, value});
    return fields;
}

inline field_list without(field_list fields, std::string_view name) {
    std::erase_if(fields, [&](const headers::field& field) { return field.name == name; });
    return fields;
}

inline field_list replaced(field_list fields, std::string_view name, std::string_view value) {
    for (auto& field : fields)
        if (field.name == name) field.value = value;
    return fields;
}

/// The request has to outlive the offer, whose views lie in it.
inline offer accepted(const request& request, protocol_set enabled = {}) {
    auto const result = recognise(request, enabled);
    if (auto const* refused = std::get_if<rejection>(&result))
        BOOST_FAIL("was refused: " << refused->status << ' ' << refused->reason);
    return std::get<offer>(result);
}

inline rejection refused(const request& request, protocol_set enabled = {}) {
    auto const result = recognise(request, enabled);
    if (!std::holds_alternative<rejection>(result)) BOOST_FAIL("was not refused");
    return std::get<rejection>(result);
}

inline void check_refused(const request& request, unsigned status, std::string_view part, protocol_set enabled = {}) {
    auto const result = refused(request, enabled);
    BOOST_TEST(result.status == status, result.status << ' ' << result.reason);
    BOOST_TEST((result.reason.find(part) != std::string::npos), result.reason << " does not say: " << part);
    BOOST_TEST((result.reason.find('\n') == std::string::npos));
}

}  // namespace wsio::handshake::test
