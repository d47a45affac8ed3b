#include "faults/conversation.hpp"
#include "memory/heap.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <new>
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

bool is_prefix(const std::vector<std::string>& whole, const std::vector<std::string>& part) {
    return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
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
            std::string got;
            try {
                auto visitor = on.enter();
                on.converse(visitor);
                got = on.behind_head(visitor.got());
            } catch (const std::exception& error) {
                BOOST_ERROR(error.what());
            }
            BOOST_TEST(on.left(descriptors, open_descriptors) == "");
            if (!failing.reached()) break;
            on.check_bystander();
            if (got == on.answers()) continue;
            ++disturbed;
            // An answer that says why may take the place of the rest: 500, or the closing frame with 1011.
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

BOOST_AUTO_TEST_SUITE_END()
