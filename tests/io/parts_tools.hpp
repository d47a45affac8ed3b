#pragma once

#include "io/fixture.hpp"

#include "protocol/utf8.hpp"

#include <optional>
#include <string>

// What the tests of messages in parts share.

namespace wsio::test {

/// One message as its parts make it.
struct gathered {
    std::string bytes;
    std::size_t parts = 0;
    bool text = false;
    bool complete = false;
};

/// Receives one message in parts and checks what is promised of each.
inline awaitable<gathered> gather(wsio::socket socket) {
    gathered all;
    while (auto const part = co_await socket.receive_part()) {
        BOOST_REQUIRE(part->is_first() == (all.parts == 0));
        BOOST_REQUIRE(part->size() <= message_part::max_size);
        BOOST_REQUIRE(!part->empty() || part->is_last());
        if (part->is_text()) BOOST_REQUIRE(protocol::valid_utf8(part->text()));
        if (all.parts != 0) BOOST_REQUIRE(part->is_text() == all.text);
        all.text = part->is_text();
        all.bytes += part->text();
        ++all.parts;
        all.complete = part->is_last();
        if (all.complete) break;
    }
    co_return all;
}

inline std::string text_of(std::size_t size) {
    std::string text;
    while (text.size() + 3 <= size) text += text.size() % 7 == 0 ? "\xE2\x82\xAC" : "abc";
    return text + letters(size - text.size());
}

/// Both ends of a connection, of which the server's receives in parts.
struct parts_pair : connected_pair {
    explicit parts_pair(wsio::limits limits = {}, protocol_version version = protocol_version::hybi_13)
        : connected_pair({.limits = limits}, version) {}

    gathered next() { return w.run(gather(socket)); }
    std::optional<message_part> part() { return w.run(socket.receive_part()); }
};

}  // namespace wsio::test
