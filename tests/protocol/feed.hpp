#pragma once

#include <wsio/protocol/decoder.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wsio::protocol::test {

/// An event with a copy of its bytes. What the decoder did to get there (`assembled`) is left out.
struct seen {
    event_kind kind;
    opcode type = opcode::text;
    close_code code = close_code::no_status;
    std::string data = {};

    friend bool operator==(const seen&, const seen&) = default;
    friend std::ostream& operator<<(std::ostream& out, const seen& event) {
        constexpr const char* names[] = {"need_more", "message", "ping", "pong", "closing", "failed"};
        out << names[static_cast<int>(event.kind)] << "(type " << static_cast<int>(event.type) << ", code "
            << to_number(event.code) << ", " << event.data.size() << " bytes \"";
        for (unsigned char const byte : event.data.substr(0, 80)) {
            if (byte >= 0x20 && byte < 0x7F)
                out << byte;
            else
                out << "\\x"
                    << "0123456789abcdef"[byte >> 4] << "0123456789abcdef"[byte & 15];
        }
        return out << "\")";
    }
};

using seen_list = std::vector<seen>;
using decoder_factory = std::function<std::unique_ptr<decoder>()>;

inline seen text(std::string_view data) {
    return {event_kind::message, opcode::text, close_code::no_status, std::string(data)};
}
inline seen binary(std::string_view data) {
    return {event_kind::message, opcode::binary, close_code::no_status, std::string(data)};
}
inline seen ping(std::string_view data) {
    return {event_kind::ping, opcode::text, close_code::no_status, std::string(data)};
}
inline seen pong(std::string_view data) {
    return {event_kind::pong, opcode::text, close_code::no_status, std::string(data)};
}
inline seen closing(int code, std::string_view reason = {}) {
    return {event_kind::closing, opcode::text, static_cast<close_code>(code), std::string(reason)};
}
/// A failure; an empty `why` matches every text.
inline seen failed(int code, std::string_view why = {}) {
    return {event_kind::failed, opcode::text, static_cast<close_code>(code), std::string(why)};
}

inline seen copy(const event& found) { return {found.kind, found.type, found.code, std::string(found.data)}; }

/// Makes bytes of hexadecimal digits; spaces do not count.
inline std::string hex(std::string_view digits) {
    std::string bytes;
    int high = -1;
    for (char const digit : digits) {
        if (digit == ' ') continue;
        int const value = digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
        if (high < 0)
            high = value;
        else {
            bytes.push_back(static_cast<char>(high * 16 + value));
            high = -1;
        }
    }
    return bytes;
}

/// Feeds one piece and records what it gives. The piece is a block of its own, so that a sanitizer sees every access
/// outside of it, and it is gone afterwards, so that a view kept into it is seen too.
inline void feed_piece(decoder& decoder, std::string_view bytes, seen_list& events) {
    std::vector<char> piece(bytes.begin(), bytes.end());
    std::span<char> input(piece);
    while (!input.empty()) {
        auto const left = input.size();
        auto const found = after_steps(decoder, decoder.next(input), input);
        BOOST_REQUIRE(input.size() < left);
        if (found.kind == event_kind::need_more)
            BOOST_REQUIRE(input.empty());
        else
            events.push_back(copy(found));
    }
}

/// Feeds `bytes` cut at the places given, in ascending order.
inline seen_list feed_cut(const decoder_factory& make, std::string_view bytes,
                          std::initializer_list<std::size_t> cuts) {
    auto const decoder = make();
    seen_list events;
    std::size_t from = 0;
    for (auto const cut : cuts) {
        feed_piece(*decoder, bytes.substr(from, cut - from), events);
        from = cut;
    }
    feed_piece(*decoder, bytes.substr(from), events);
    return events;
}

/// Feeds pieces of `size` bytes.
inline seen_list feed_pieces(const decoder_factory& make, std::string_view bytes, std::size_t size) {
    auto const decoder = make();
    seen_list events;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size())))
        feed_piece(*decoder, bytes.substr(0, size), events);
    return events;
}

/// Feeds as a connection does: into the decoder's window where it gives one, at most `size` bytes at a time.
inline seen_list feed_windows(const decoder_factory& make, std::string_view bytes, std::size_t size,
                              int* windows = nullptr) {
    auto const decoder = make();
    seen_list events;
    while (!bytes.empty()) {
        auto const window = decoder->window();
        if (window.empty()) {
            feed_piece(*decoder, bytes.substr(0, size), events);
            bytes.remove_prefix(std::min(size, bytes.size()));
            continue;
        }
        if (windows != nullptr) ++*windows;
        auto const count = std::min({window.size(), bytes.size(), size});
        std::memcpy(window.data(), bytes.data(), count);
        bytes.remove_prefix(count);
        std::span<char> nothing;
        auto const found = after_steps(*decoder, decoder->commit(count), nothing);
        if (found.kind != event_kind::need_more) events.push_back(copy(found));
    }
    return events;
}

/// Requires that `bytes` give `expected` whole, cut in two at every place (200 in long ones, 40 in very long ones), byte by
/// byte, and through windows; and that all of these give exactly the same. Gives what was seen.
inline seen_list check(const decoder_factory& make, std::string_view bytes, seen_list expected) {
    auto const whole = feed_cut(make, bytes, {});
    for (std::size_t i = 0; i < std::min(expected.size(), whole.size()); ++i)
        if (expected[i].kind == event_kind::failed && expected[i].data.empty()) expected[i].data = whole[i].data;
    BOOST_TEST(whole == expected, boost::test_tools::per_element());
    BOOST_REQUIRE(whole == expected);

    std::size_t const step = bytes.size() <= 2048 ? 1 : 1 + bytes.size() / (bytes.size() <= 65536 ? 200 : 40);
    for (std::size_t cut = 1; cut < bytes.size(); cut += step)
        BOOST_REQUIRE_MESSAGE(feed_cut(make, bytes, {cut}) == expected, "other events when cut at " << cut);
    if (bytes.size() <= 48)
        for (std::size_t first = 1; first < bytes.size(); ++first)
            for (std::size_t second = first + 1; second < bytes.size(); ++second)
                BOOST_REQUIRE_MESSAGE(feed_cut(make, bytes, {first, second}) == expected,
                                      "other events when cut at " << first << " and " << second);
    if (bytes.size() <= std::size_t{1} << 20)
        BOOST_REQUIRE_MESSAGE(feed_pieces(make, bytes, 1) == expected, "byte by byte");
    for (std::size_t const size : {4096, 20001, 300000})
        if (bytes.size() > size / 16)
            BOOST_REQUIRE_MESSAGE(feed_windows(make, bytes, size) == expected, "windows of " << size);
    return whole;
}

/// Gives the number of bytes after which the decoder fails; 0 if it does not. Feeds byte by byte.
inline std::size_t fails_after(const decoder_factory& make, std::string_view bytes) {
    auto const decoder = make();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        seen_list events;
        feed_piece(*decoder, bytes.substr(i, 1), events);
        if (!events.empty() && events.back().kind == event_kind::failed) return i + 1;
    }
    return 0;
}

}  // namespace wsio::protocol::test
