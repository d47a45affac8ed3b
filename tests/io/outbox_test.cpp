#include "io/outbox.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <string_view>

using wsio::detail::outbox;

namespace {

/// A network that takes `at_once` bytes with each call.
struct network {
    std::size_t at_once;
    std::string sent;

    outbox::result take(outbox& out) {
        return out.write_with([this](std::string_view a, std::string_view b, std::string_view c) {
            auto const all = std::string(a).append(b).append(c);
            auto const taken = std::min(all.size(), at_once);
            sent += all.substr(0, taken);
            return static_cast<std::ptrdiff_t>(taken);
        });
    }
};

constexpr std::size_t most = 40;  // more than anything here

}  // namespace

BOOST_AUTO_TEST_SUITE(io_outbox)

BOOST_AUTO_TEST_CASE(what_was_appended_leaves_in_order_however_little_the_network_takes) {
    for (std::size_t at_once = 1; at_once <= most; ++at_once) {
        outbox out;
        out.append("head ");
        out.borrow("borrowed payload");
        out.append(" tail", " and", " more");
        network peer{at_once, {}};
        BOOST_TEST((peer.take(out) == outbox::result::empty));
        BOOST_TEST(peer.sent == "head borrowed payload tail and more");
        BOOST_TEST(out.empty());
        BOOST_TEST(out.size() == 0U);
    }
}

// A text message of the hixie drafts: its last byte stands behind the borrowed payload. When the network takes the rest in one
// call, nothing may be left behind that waits for it, or nobody would ever be told that there is room.
BOOST_AUTO_TEST_CASE(a_tail_that_leaves_together_with_the_borrowed_payload_leaves_nothing_behind) {
    outbox out;
    out.borrow("borrowed");
    out.append("\xFF");
    network peer{most, {}};
    BOOST_TEST((peer.take(out) == outbox::result::empty));
    BOOST_TEST(out.empty());

    out.append("next");
    BOOST_TEST((peer.take(out) == outbox::result::empty));
    BOOST_TEST(peer.sent == "borrowed\xFFnext");
}

BOOST_AUTO_TEST_CASE(frames_that_wait_behind_a_borrowed_payload_leave_too) {
    for (std::size_t at_once = 1; at_once <= most; ++at_once) {
        outbox out;
        out.borrow("borrowed");
        out.append("|");
        out.append_droppable("one", "", "|");
        out.append_droppable("two", "", "|");
        network peer{at_once, {}};
        BOOST_TEST((peer.take(out) == outbox::result::empty));
        BOOST_TEST(peer.sent == "borrowed|one|two|");
        BOOST_TEST(out.empty());
    }
}

BOOST_AUTO_TEST_CASE(what_a_full_network_does_not_take_stays) {
    outbox out;
    out.append("front ");
    out.borrow("borrowed");
    out.append(" back");
    BOOST_TEST((network{0, {}}.take(out) == outbox::result::blocked));
    BOOST_TEST(out.size() == 19U);
    BOOST_TEST(out.borrows());
    out.own_borrowed();
    BOOST_TEST(!out.borrows());
    network peer{most, {}};
    BOOST_TEST((peer.take(out) == outbox::result::empty));
    BOOST_TEST(peer.sent == "front borrowed back");
}

BOOST_AUTO_TEST_SUITE_END()
