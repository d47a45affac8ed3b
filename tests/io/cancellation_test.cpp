#include "io/fixture.hpp"

#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

// One conversation is held again and again, and cancelled at another moment each time: whenever the loop gives control back
// while the application waits. However it was cancelled, every byte must come once, in order, in both directions.

using namespace wsio::test;
using namespace boost::asio::experimental::awaitable_operators;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;

namespace {

/// How an operation is cancelled.
enum class way {
    whole,        ///< The slot of the coroutine that awaits it.
    whole_total,  ///< The same, with the total cancellation that a coroutine must ask for.
    own_slot,     ///< A slot of its own.
    race,         ///< `||`: something else ends first.
    whole_race,   ///< The slot of a coroutine that awaits a race.
};
constexpr std::array all_ways{way::whole, way::whole_total, way::own_slot, way::race, way::whole_race};

enum kind : std::size_t { accepting, receiving, receiving_in_time, receiving_part, sending, draining, closing, kinds };

awaitable<bool> closed(wsio::socket socket) {
    co_await socket.close();
    co_return true;
}

/// The two sides of a conversation and the loop between them. The peer sends in small pieces and reads in small pieces,
/// one of each whenever the loop has nothing to do.
class conversation {
public:
    conversation(protocol_version version, way how, bool in_parts, std::size_t cancel_at)
        : version_(version), how_(how), in_parts_(in_parts), cancel_at_(cancel_at) {
        auto const binary_head =
            is_hybi(version) ? frame(0x01, "in two ") + frame(0x80, "pieces") : client_text(version, "in two pieces");
        early_ =
            handshake(version) + client_text(version, "short") + binary_head + client_text(version, letters(40'000));
        late_ = client_text(version, "last");
    }

    /// Holds it. Gives false when it ended before the moment to cancel came.
    bool hold() {
        auto const script = w_.start(application());
        auto last = std::chrono::steady_clock::now();
        while (!script.done() || (!peer_has_ended_ && !script.shared->error)) {
            w_.context.restart();
            if (w_.context.poll_one() != 0 || peer_does_something()) {
                last = std::chrono::steady_clock::now();
            } else {
                w_.turn();
                BOOST_REQUIRE_MESSAGE(
                    std::chrono::steady_clock::now() < last + limit,
                    "it stands still behind " << received_.size() << " messages and " << readable(got_));
            }
            if (waiting_ && moment_++ == cancel_at_) cancel(script);
        }
        script.get();
        check();
        return moment_ > cancel_at_;
    }

    [[nodiscard]] const std::array<int, kinds>& cancelled() const { return cancelled_; }

private:
    // The application.

    awaitable<void> application() {
        co_await asio::this_coro::reset_cancellation_state(heeded());
        auto socket = wsio::socket();
        while (!socket) {
            if (auto next = co_await tried(accepting, server_.accept())) socket = std::move(**next);
        }
        for (int i = 0; i < 3; ++i) {
            received_.push_back(co_await next_message(socket));
            co_await say(socket, received_.back());
        }
        co_await say(socket, letters(400'000));
        co_await say(socket, "behind it");
        co_await drain(socket);
        auto const more = letters(300'000);
        socket.write(more);
        expected_ += server_text(version_, more);
        co_await drain(socket);
        co_await say(socket, std::string(all));
        std::optional<std::optional<wsio::message>> last;
        while (!last) last = co_await tried(receiving_in_time, socket.receive(limit));
        received_.emplace_back((*last)->text());
        std::optional<bool> ended;
        while (!ended) ended = co_await tried(closing, closed(socket));
        status_ = socket.status();
    }

    awaitable<std::string> next_message(wsio::socket socket) {
        std::string text;
        while (in_parts_) {
            auto const part = co_await tried(receiving_part, socket.receive_part());
            if (!part) continue;
            text += (*part)->text();
            if ((*part)->is_last()) co_return text;
        }
        for (;;) {
            if (auto message = co_await tried(receiving, socket.receive())) co_return std::string((*message)->text());
        }
    }

    awaitable<void> drain(wsio::socket socket) {
        std::optional<bool> drained;
        while (!drained) drained = co_await tried(draining, socket.drained());
        BOOST_TEST(*drained);
        BOOST_TEST(socket.buffered_amount() == 0u);
    }

    // Sends from memory that is good for nothing afterwards.
    awaitable<void> say(wsio::socket socket, std::string text) {
        expected_ += server_text(version_, text);
        auto const accepted = co_await tried(sending, socket.send(text));
        BOOST_TEST((!accepted || accepted->accepted));
        std::ranges::fill(text, '!');
    }

    // Awaits an operation; gives nothing when it was cancelled.
    template <typename T>
    awaitable<std::optional<T>> tried(kind what, awaitable<T> operation) {
        std::optional<T> result;
        bool aborted = false;
        waiting_ = true;
        try {
            switch (how_) {
                case way::whole:
                case way::whole_total: result.emplace(co_await std::move(operation)); break;
                case way::own_slot:
                    result = co_await asio::co_spawn(w_.context, as_coroutine(std::move(operation)),
                                                     asio::bind_cancellation_slot(signal_.slot(), asio::use_awaitable));
                    break;
                case way::race:
                case way::whole_race: {
                    auto first = co_await (std::move(operation) || bell());
                    if (first.index() == 0) result.emplace(std::move(std::get<0>(first)));
                    break;
                }
            }
        } catch (const boost::system::system_error& error) {
            aborted = error.code() == asio::error::operation_aborted;
        } catch (const asio::multiple_exceptions&) {
            aborted = true;
        }
        waiting_ = false;
        if (!result) {
            BOOST_TEST((aborted || how_ == way::race));
            ++cancelled_[what];
        }
        co_await asio::this_coro::reset_cancellation_state(heeded());  // it may have been cancelled
        co_return result;
    }

    // What `co_spawn` can give to a coroutine.
    template <typename T>
    static awaitable<std::optional<T>> as_coroutine(awaitable<T> operation) {
        co_return co_await std::move(operation);
    }

    // Which cancellations reach the operations of the application.
    struct filter {
        asio::cancellation_type heeded;
        asio::cancellation_type operator()(asio::cancellation_type asked) const noexcept { return asked & heeded; }
    };
    [[nodiscard]] filter heeded() const {
        return {how_ == way::whole_total ? asio::cancellation_type::total : asio::cancellation_type::terminal};
    }

    awaitable<void> bell() {
        if (how_ == way::race)
            co_await bell_.async_wait(asio::experimental::as_tuple(asio::use_awaitable));
        else
            co_await bell_.async_wait(asio::use_awaitable);
    }

    void cancel(const task<bool>& script) {
        switch (how_) {
            case way::whole:
            case way::whole_race: script.signal->emit(asio::cancellation_type::terminal); break;
            case way::whole_total: script.signal->emit(asio::cancellation_type::total); break;
            case way::own_slot: signal_.emit(asio::cancellation_type::terminal); break;
            case way::race: bell_.cancel(); break;
        }
    }

    // The peer.

    bool peer_does_something() {
        if (peer_has_ended_) return false;
        auto const piece = 1 + (pieces_++ * 7919) % 20'011;
        auto const sent = peer_.offer(std::string_view(early_).substr(0, piece));
        early_.erase(0, sent);
        auto const got = peer_.take(60'000, peer_has_ended_);
        got_ += got;
        if (!late_.empty() && std::string_view(got_).ends_with(server_text(version_, all))) {
            BOOST_TEST(early_.empty());
            early_ = std::exchange(late_, {});
        }
        if (!std::exchange(peer_has_closed_, peer_has_closed_ || ends_with_close())) {
            if (peer_has_closed_ && has_closing_handshake())
                early_ += is_hybi(version_) ? close_frame(1000) : hixie_close;
        }
        if (peer_has_ended_) peer_.close();
        return sent != 0 || !got.empty() || peer_has_ended_;
    }

    [[nodiscard]] bool has_closing_handshake() const { return version_ != protocol_version::hixie_75; }
    [[nodiscard]] std::string last_frame() const {
        if (!has_closing_handshake()) return {};
        return is_hybi(version_) ? server_close(1000) : hixie_close;
    }
    [[nodiscard]] bool ends_with_close() const {
        return has_closing_handshake() && late_.empty() && std::string_view(got_).ends_with(last_frame());
    }

    void check() {
        auto const end_of_head = got_.find("\r\n\r\n");
        BOOST_REQUIRE(end_of_head != std::string::npos);
        auto const head = end_of_head + 4 + (version_ == protocol_version::hixie_76 ? 16 : 0);
        BOOST_TEST(contains(got_.substr(0, head), proof(version_)));
        BOOST_TEST((got_.substr(head) == expected_ + last_frame()));
        BOOST_TEST((received_ == std::vector<std::string>{"short", "in two pieces", letters(40'000), "last"}));
        check_status(status_, ended_by::application, is_hybi(version_) ? close_code::normal : close_code::no_status,
                     true);
    }

    static constexpr std::string_view all = "that was all";
    static inline std::string const hixie_close{"\xFF\0", 2};

    world w_;
    wsio::server server_ = w_.listen_where_told(
        {.host = "unix:@wsio-cancellation-test-" + std::to_string(::getpid()), .limits = {.outbox = 10'000}});
    client peer_{w_, server_.local_endpoint()};
    asio::cancellation_signal signal_;
    asio::steady_timer bell_{w_.context, asio::steady_timer::time_point::max()};

    protocol_version version_;
    way how_;
    bool in_parts_;  ///< The first messages are received in parts.
    std::size_t cancel_at_;
    std::size_t moment_ = 0;
    bool waiting_ = false;  ///< The application awaits an operation.
    std::array<int, kinds> cancelled_{};
    std::vector<std::string> received_;
    wsio::status status_;

    std::string early_;     ///< What the peer has to send.
    std::string late_;      ///< What it sends when it has got everything.
    std::string got_;       ///< What it has received.
    std::string expected_;  ///< What it should have.
    std::size_t pieces_ = 0;
    bool peer_has_closed_ = false;
    bool peer_has_ended_ = false;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(cancellation)

void cancel_everywhere(protocol_version version, way how, bool in_parts) {
    std::array<int, kinds> cancelled{};
    bool reached = true;
    for (std::size_t n = 0; reached; ++n) {
        BOOST_TEST_CONTEXT(version << ", way " << static_cast<int>(how) << ", cancelled at moment " << n) {
            conversation talk(version, how, in_parts, n);
            reached = talk.hold();
            for (std::size_t i = 0; i < kinds; ++i) cancelled[i] += talk.cancelled()[i];
        }
    }
    for (std::size_t i = 0; i < kinds; ++i)
        BOOST_TEST((cancelled[i] > 0 || i == (in_parts ? receiving : receiving_part)),
                   version << ", way " << static_cast<int>(how) << ": operation " << i
                           << " never waited when it was cancelled");
}

BOOST_AUTO_TEST_CASE(wherever_a_conversation_is_cancelled_it_goes_on_and_loses_nothing) {
    for (auto version : wsio::all_protocol_versions)
        for (auto how : all_ways) cancel_everywhere(version, how, false);
}

BOOST_AUTO_TEST_CASE(wherever_a_conversation_in_parts_is_cancelled_it_goes_on_and_loses_nothing) {
    for (auto version : {protocol_version::hybi_13, protocol_version::hixie_76})
        for (auto how : all_ways) cancel_everywhere(version, how, true);
}

BOOST_AUTO_TEST_CASE(an_accept_that_loses_a_race_loses_no_connection) {
    world w;
    auto first = w.listen();
    auto second = w.listen();
    auto const to_first = connect(w, first.port());
    auto const to_second = connect(w, second.port());
    // Both are there at once, but only one can win.
    auto race = [&]() -> awaitable<std::size_t> {
        auto winner = co_await (first.accept() || second.accept());
        co_return winner.index();
    };
    auto const winner = w.run(race());
    auto& other = winner == 0 ? second : first;
    BOOST_TEST(w.accept(other).is_open());
}

BOOST_AUTO_TEST_CASE(a_receive_that_loses_a_race_loses_no_message) {
    world w;
    auto server = w.listen();
    enum { plain, in_time, in_parts };
    for (auto how : {plain, in_time, in_parts}) {
        auto one = connect(w, server.port());
        auto first = w.accept(server);
        auto two = connect(w, server.port());
        auto second = w.accept(server);
        one.send(frame(text_frame, "from one"));
        two.send(frame(text_frame, "from two"));
        w.turn_for(5ms);
        auto race = [&]() -> awaitable<std::string> {
            auto const text_of = [](const auto& winner) {
                return std::string(winner.index() == 0 ? std::get<0>(winner)->text() : std::get<1>(winner)->text());
            };
            switch (how) {
                case plain: co_return text_of(co_await (first.receive() || second.receive()));
                case in_time: co_return text_of(co_await (first.receive(10s) || second.receive(10s)));
                case in_parts: co_return text_of(co_await (first.receive_part() || second.receive_part()));
            }
        };
        auto const won = w.run(race());
        auto& other = won == "from one" ? second : first;
        auto left = w.run(other.receive(1s));
        BOOST_REQUIRE(left.has_value());
        BOOST_TEST(left->text() == (won == "from one" ? "from two" : "from one"));
    }
}

// A first receive gets what is there in the next turn. Should the peer end TCP meanwhile, it may still be answered.
BOOST_AUTO_TEST_CASE(a_peer_that_stops_sending_before_the_first_receive_has_its_message_is_answered) {
    for (int turns = 0; turns < 4; ++turns) {
        world w;
        auto server = w.listen({.timeouts = {.close = 200ms}});
        auto peer = connect(w, server.port());
        auto here = w.accept(server);
        peer.send(frame(text_frame, "one") + frame(text_frame, "two"));
        w.turn_for(5ms);
        auto const echoing = w.start(world::echo_back(here));
        for (int i = 0; i < turns; ++i) {
            w.context.restart();
            w.context.poll_one();
        }
        peer.finish();
        peer.expect_last(server_frame(text_frame, "one") + server_frame(text_frame, "two"));
        BOOST_TEST(w.until([&] { return echoing.done(); }));
    }
}

BOOST_AUTO_TEST_SUITE_END()
