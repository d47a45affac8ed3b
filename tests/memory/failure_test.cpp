#include "faults/conversation.hpp"
#include "io/listener.hpp"
#include "io/loop.hpp"
#include "memory/heap.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Each allocation of a whole conversation fails once: what the server takes, its handlers and OpenSSL, but not the clients.

using namespace wsio::test;
using wsio::protocol_version;

namespace {

std::size_t open_descriptors() {
    std::filesystem::directory_iterator const all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

constexpr std::string_view no_memory = "no memory was left for it";

bool is_prefix(const std::vector<std::string>& whole, const std::vector<std::string>& part) {
    return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

// Tells whether a server's frame begins at this byte.
bool begins_frame(std::string_view frames, std::size_t at) {
    std::size_t begin = 0;
    while (begin < at) {
        std::size_t size = static_cast<unsigned char>(frames[begin + 1]);
        std::size_t const length_size = size < 126 ? 0 : size == 126 ? 2 : 8;
        if (length_size != 0) size = 0;
        for (std::size_t i = 0; i < length_size; ++i)
            size = size << 8 | static_cast<unsigned char>(frames[begin + 2 + i]);
        begin += 2 + length_size + size;
    }
    return begin == at;
}

// What the client got is what was to come, up to where the connection broke: with a closing frame, or without. 1011 says that
// the server failed, 1000 that the handler did, whose exception asio::detached swallows. One that was not opened may get 500.
void check_heard(const stage& on, const language& spoken, std::string_view all) {
    auto const head = all.substr(0, all.find("\r\n\r\n"));
    bool const refused = head.starts_with("HTTP/1.1 500 ");
    BOOST_TEST((refused || std::string_view("HTTP/1.1 101").starts_with(head.substr(0, 12))), readable(head));
    if (refused || on.answers().starts_with(on.behind_head(all))) return;
    auto const got = on.behind_head(all);
    bool const hybi = is_hybi(spoken.version);
    auto const close = hybi ? got.rfind('\x88') : got.size() - 2;
    BOOST_REQUIRE(close < got.size());
    auto const last = readable(got.substr(close));
    if (hybi) {
        auto const code = got.substr(close + 2, 2);
        BOOST_TEST((code == "\x03\xF3" || code == "\x03\xE8"), last);
        BOOST_TEST(got.size() == close + 2 + static_cast<unsigned char>(got[close + 1]), last);
        BOOST_TEST(begins_frame(on.answers(), close), "a frame is torn before " << last);
    } else {
        BOOST_TEST(got.substr(close) == std::string_view("\xFF\0", 2), last);
        BOOST_TEST((close == 0 || got[close - 1] == '\xFF'), "a frame is torn before " << last);
    }
    BOOST_TEST(on.answers().starts_with(got.substr(0, close)), "the client got something else before " << last);
}

void fail_each_allocation(language spoken) {
    stage on(spoken);
    // As the loops of `serve` do: what was under way is lost, and the loop goes on.
    on.turn = [&on] {
        failing_allocation::counting const now;
        try {
            on.home().turn();
        } catch (const std::bad_alloc&) {
        }
    };
    auto const descriptors = open_descriptors();
    {
        auto first = on.enter();
        on.converse(first);  // what is set up once, in libraries that cannot say that they have no memory
    }
    BOOST_TEST(on.left(descriptors, open_descriptors) == "");
    std::size_t disturbed = 0;
    for (std::size_t at = 1;; ++at) {
        BOOST_TEST_CONTEXT(spoken.name() << ": allocation " << at) {
            auto const handlers = on.accounts().size();
            failing_allocation const failing(at);
            std::string all;
            try {
                auto visitor = on.enter();
                on.converse(visitor);
                all = visitor.got();
            } catch (const std::exception& error) {
                BOOST_ERROR(error.what());
            }
            BOOST_TEST(on.left(descriptors, open_descriptors) == "");
            if (!failing.reached()) break;
            on.check_bystander();
            if (on.behind_head(all) == on.answers()) continue;
            ++disturbed;
            check_heard(on, spoken, all);
            if (handlers == on.accounts().size()) continue;
            auto const& seen = *on.accounts().back();
            BOOST_TEST(is_prefix(on.script(), seen.messages), "the handler got something else");
            if (seen.how) BOOST_TEST(!seen.how->cause.empty());
            BOOST_TEST(!seen.more);
            BOOST_TEST(!seen.sent);
        }
    }
    BOOST_TEST_MESSAGE(spoken.name() << ": " << disturbed << " allocations ended the connection");
    BOOST_TEST(disturbed >= 10U);  // or nothing failed
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memory_failure)

BOOST_AUTO_TEST_CASE(an_allocation_that_fails_costs_one_connection_at_most) {
    fail_each_allocation({protocol_version::hybi_13});
}

BOOST_AUTO_TEST_CASE(an_allocation_that_fails_costs_one_connection_at_most_on_hixie_76) {
    fail_each_allocation({protocol_version::hixie_76});
}

BOOST_AUTO_TEST_CASE(an_allocation_that_fails_costs_one_connection_at_most_over_tls) {
    fail_each_allocation({protocol_version::hybi_13, true});
}

BOOST_AUTO_TEST_CASE(an_allocation_that_fails_while_a_connection_is_handed_over_costs_that_one_alone) {
    world w;
    asio::ip::tcp::acceptor acceptor(w.context, {asio::ip::address_v4::loopback(), 0});
    wsio::server server(w.executor());
    server.on_connection([](wsio::socket socket) { socket.end(); });
    auto const turn = [&w] {
        failing_allocation::counting const now;
        w.turn();
    };
    auto const descriptors = open_descriptors();
    std::size_t disturbed = 0;
    // None fails at first: OpenSSL sets itself up, and does not look whether it could.
    for (std::size_t at = 0;; ++at) {
        failing_allocation const failing(at);
        BOOST_TEST_CONTEXT("allocation " << at) {
            client guest(acceptor.local_endpoint().port(), turn);
            server.handle_upgrade(upgrade_request(), acceptor.accept(), frame(text_frame, "early"));
            guest.send(close_frame(1000));
            std::string got;
            BOOST_CHECK_NO_THROW(got = guest.read_all());
            if (!got.ends_with(server_close(1000))) ++disturbed;
        }
        BOOST_TEST(
            w.until([&] { return server.statistics().connections().open == 0 && open_descriptors() == descriptors; }));
        if (at != 0 && !failing.reached()) break;
    }
    BOOST_TEST(disturbed >= 5U);
}

BOOST_AUTO_TEST_CASE(a_listener_without_memory_to_wait_for_the_next_connection_goes_on_when_there_is_some) {
    struct far_away final : wsio::detail::deadline {
        void deadline_passed() override {}
    };
    world w;
    auto& loop = wsio::detail::loop::of(w.executor());
    far_away other;  // so that the clock of the loop goes
    loop.set_deadline(other, 1min);
    auto sockets = wsio::detail::open_listening_sockets({.host = "127.0.0.1"}, 1);
    std::size_t accepted = 0;
    std::optional<scarce_memory> scarce;
    auto const on_accepted = [&](int fd, const wsio::endpoint&) {
        ::close(fd);
        if (++accepted != 1) return;
        for (int i = 0; i < 10; ++i) asio::post(w.context, [] {});  // takes what Asio has kept of former operations
        scarce.emplace(0);
    };
    auto const listener = std::make_shared<wsio::detail::listener>(
        loop, std::move(sockets.at(0).at(0)), on_accepted, [](const wsio::endpoint&) {}, [](int) {});
    listener->start();
    client const first(w, listener->local_endpoint().port);
    BOOST_CHECK_NO_THROW(w.turn(1s));
    scarce.reset();
    BOOST_TEST(accepted == 1U);
    client const second(w, listener->local_endpoint().port);
    BOOST_TEST(w.until([&] { return accepted == 2; }));
    listener->close();
    loop.clear_deadline(other);
}

BOOST_AUTO_TEST_CASE(a_payload_that_finds_no_memory_ends_its_connection_and_tears_nothing) {
    connected_pair c({}, protocol_version::hybi_13, 65536);
    auto const large = letters(8 << 20);
    {
        scarce_memory const scarce(100'000);
        BOOST_CHECK_NO_THROW(c.socket.write(large));
        BOOST_TEST(!c.socket.is_open());
        BOOST_CHECK_NO_THROW(c.socket.write("behind it"));
    }
    BOOST_TEST(c.socket.status().cause == no_memory);
    BOOST_TEST(!c.client.read_all().ends_with("behind it"));
}

BOOST_AUTO_TEST_CASE(a_send_that_is_given_up_without_memory_for_its_rest_ends_its_connection) {
    connected_pair c({}, protocol_version::hybi_13, 65536);
    auto const large = letters(8 << 20);
    auto const sending = c.w.start(c.socket.send(large));
    c.w.turn_for(5ms);
    BOOST_TEST(!sending.done());
    {
        scarce_memory const scarce(100'000);
        sending.cancel();
        BOOST_TEST(c.w.until([&] { return sending.done(); }));
    }
    BOOST_CHECK_THROW(static_cast<void>(sending.get()), boost::system::system_error);
    BOOST_TEST(c.socket.status().cause == no_memory);
}

BOOST_AUTO_TEST_CASE(a_receive_that_finds_no_memory_ends_its_connection) {
    connected_pair c({.limits = {.read_ahead = 100}});
    auto const large = frame(text_frame, letters(30'000));
    c.client.send(frame(text_frame, letters(50)) + frame(text_frame, letters(50)) + large.substr(0, 20'000));
    c.w.turn_for(20ms);
    for (int i = 0; i < 2; ++i) BOOST_TEST(c.w.receive(c.socket)->size() == 50U);
    {
        scarce_memory const scarce(10'000);
        BOOST_CHECK_NO_THROW(BOOST_TEST(!c.w.receive(c.socket).has_value()));
    }
    BOOST_TEST(c.socket.status().cause == no_memory);
}

BOOST_AUTO_TEST_CASE(a_message_that_finds_no_memory_for_a_copy_stays_whole) {
    connected_pair c({.limits = {.read_ahead = 100}});
    auto const text = letters(5000);
    std::string all;
    for (int i = 0; i < 3; ++i) all += frame(text_frame, text);
    c.client.send(all);
    c.w.turn_for(20ms);
    auto take = [&]() -> awaitable<std::optional<std::string>> {
        for (int i = 0; i < 2; ++i) static_cast<void>(co_await c.socket.receive());
        auto const third = co_await c.socket.receive();
        c.client.send(frame(text_frame, "fourth"));
        scarce_memory const scarce(1000);
        auto const fourth = co_await c.socket.receive();
        BOOST_TEST(!fourth.has_value());
        for (int i = 0; i < 10; ++i) co_await asio::post(asio::use_awaitable);
        BOOST_TEST((third->text() == text));
        co_return std::nullopt;
    };
    c.w.run(take());
    BOOST_TEST(c.socket.status().cause == no_memory);
}

// A peer that is always a little behind.
BOOST_AUTO_TEST_CASE(what_has_left_takes_no_memory_while_something_waits) {
    connected_pair c({}, protocol_version::hybi_13, 8192);
    std::string const text = letters(5000);
    std::size_t taken = 0;
    std::size_t most = 0;
    auto const before = heap_now().in_use;
    for (bool ended = false; taken < 20'000'000 && !ended;) {
        while (c.socket.buffered_amount() < 200'000) c.socket.write(text);
        taken += c.client.take(20'000, ended).size();
        c.w.turn();
        most = std::max(most, heap_now().in_use - before);
    }
    BOOST_TEST(taken >= 20'000'000U);
    BOOST_TEST(most < 2'000'000U);
}

BOOST_AUTO_TEST_SUITE_END()
