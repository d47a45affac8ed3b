#pragma once

#include "fuzz.hpp"
#include "handshake/request_parser.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Reads requests in all the ways that their bytes can come, and compares what comes out.

namespace wsio::fuzz {

using state = handshake::request_parser::state;

/// All that can be seen of a request.
struct outcome {
    state status = state::head;
    unsigned error = 0;
    std::string reason = {};
    std::string method = {};
    std::string target = {};
    unsigned minor = 0;
    std::vector<std::pair<std::string, std::string>> fields = {};
    std::string body = {};
    bool keep_alive = false;
    std::string rest = {};  ///< What was left behind a complete request.

    friend bool operator==(const outcome&, const outcome&) = default;
};

/// Feeds pieces of the sizes that `cut` gives, as a connection does: what was not used is given again, with more behind it.
template <typename Cut>
outcome read(std::string_view bytes, const handshake::request_limits& limits, Cut cut, request* whole = nullptr) {
    handshake::request_parser parser(limits);
    std::string pending;
    while (!bytes.empty()) {
        auto const piece = bytes.substr(0, cut());
        bytes.remove_prefix(piece.size());
        pending += piece;
        // A block of its own, so that the sanitizer sees what reads beyond its end.
        auto const used = parser.put(std::string(pending));
        expect(used <= pending.size(), "no more is used than there is");
        pending.erase(0, used);
        expect(parser.status() != state::head || pending.size() <= limits.head_size,
               "a head is not waited for beyond its limit");
    }
    outcome out{.status = parser.status()};
    if (out.status == state::failed) {
        out.error = parser.error().status;
        out.reason = parser.error().reason;
        expect(!parser.keep_alive(), "nothing is read behind a failure");
    }
    if (out.status != state::complete) return out;
    out.keep_alive = parser.keep_alive();
    auto request = parser.take();
    out.method = request.method();
    out.target = request.target();
    out.minor = request.http_minor();
    for (auto const& [name, value] : request.headers()) out.fields.emplace_back(name, value);
    out.body = request.body();
    out.rest = pending;
    if (whole != nullptr) *whole = std::move(request);
    return out;
}

inline outcome read_all_ways(std::string_view bytes, const handshake::request_limits& limits, unsigned seed,
                             request* whole = nullptr) {
    auto const result = read(
        bytes, limits, [&] { return bytes.size(); }, whole);
    std::size_t const small = 1 + bytes.size() / 1024;
    expect(read(bytes, limits, [&] { return small; }) == result, "small pieces give the same");
    expect(read(bytes, limits, cutter(seed)) == result, "pieces of many sizes give the same");
    return result;
}

}  // namespace wsio::fuzz
