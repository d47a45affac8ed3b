#pragma once

#include <wsio/byte_buffer.hpp>
#include <wsio/detail/awaiting.hpp>
#include <wsio/message.hpp>
#include <wsio/protocol/decoder.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "io/deadlines.hpp"
#include "io/poller.hpp"

namespace wsio::detail {

class compressors;
class connection;
class mask_source;

/// What all connections of one `io_context` share: the receive block, the cork, the deadlines, the list of connections.
/// A service of the context, so it is there once for each and goes away with it. Used by the context's one thread only.
class loop final : public boost::asio::execution_context::service {
public:
    static const boost::asio::execution_context::id id;

    /// 64 KiB is too small for pipelined messages and 512 KiB spoils the cache (docs/performance.md).
    static constexpr std::size_t block_size = 256 * 1024;
    static constexpr std::size_t cork_size = 128 * 1024;

    explicit loop(boost::asio::execution_context& context);
    ~loop() override;

    /// Finds the loop of an executor, which must be that of an `io_context` or a strand on one; throws
    /// `std::invalid_argument` for any other.
    [[nodiscard]] static loop& of(const boost::asio::any_io_executor& executor);

    [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }
    [[nodiscard]] poller& sockets() noexcept { return sockets_; }

    /// Gives the block that received bytes go into. What lies there stays until the next call.
    [[nodiscard]] std::span<char> block();
    [[nodiscard]] bool in_block(const char* at) const noexcept {
        return at >= block_.data() && at < block_.data() + block_.capacity();
    }

    /// Lends bytes of the block, or of a connection's input, to a message. At most one message borrows at a time. Throws
    /// `std::bad_alloc` when there is no memory for a copy of what the last one borrows.
    [[nodiscard]] lent_payload lend(std::string_view payload, bool binary) {
        settle();
        if (lease_ != nullptr) throw std::bad_alloc();
        return {payload, binary, &lease_};
    }

    /// Lets the message that still borrows take memory of its own.
    void settle() noexcept {
        if (lease_ != nullptr) settle_lease();
    }

    /// The same, when `memory` is what it borrows from: without memory for a copy it keeps the whole of it.
    void settle_from(byte_buffer& memory) noexcept;

    /// Tells whether the message that still borrows has this byte: a payload there will not stay where it is.
    [[nodiscard]] bool lends(const char* at) const noexcept {
        return lease_ != nullptr && at >= lease_->data() && at < lease_->data() + lease_->size();
    }

    /// The event that a decoder found last. Whoever fills it uses it up before another connection has its turn.
    [[nodiscard]] protocol::event& event() noexcept { return event_; }

    /// One turn: a connection does what one event of the network asks for. What it sends meanwhile is corked and leaves
    /// in one system call at the end.
    class turn {
    public:
        turn(loop& l, connection& c) noexcept;
        turn(const turn&) = delete;
        turn& operator=(const turn&) = delete;
        ~turn();

    private:
        loop& loop_;
        operation held_;
        connection* outer_;  ///< Whose turn this one interrupts: the application has run the loop in a callback.
    };

    /// A turn comes to an end when it has had so much of messages and their payload, so that no peer keeps the others waiting
    /// for long. What is left has its next turn when they had theirs.
    static constexpr std::ptrdiff_t work_in_a_turn = 4 * 1024 * 1024;
    static constexpr std::ptrdiff_t work_of_an_event = 256;
    [[nodiscard]] bool turn_is_spent() const noexcept { return work_left_ <= 0; }
    void spend_all() noexcept { work_left_ = 0; }
    void spend(std::size_t payload) noexcept { work_left_ -= work_of_an_event + static_cast<std::ptrdiff_t>(payload); }

    /// Gives the connection whose turn it is.
    [[nodiscard]] connection* current() const noexcept { return current_; }
    [[nodiscard]] byte_buffer& cork() noexcept { return cork_; }

    /// Gives what the connections share to compress; made when the first needs it.
    [[nodiscard]] compressors& compressing();

    /// Gives what the clients of the loop mask with; made when the first needs it.
    [[nodiscard]] mask_source& masks();

    /// Writes the connection's outbox before the loop waits for the network again.
    void flush_later(connection& c);

    using clock = std::chrono::steady_clock;
    /// Gives the time, and waits until it has come; for what needs no deadline of a connection.
    [[nodiscard]] clock::time_point now() const noexcept;
    [[nodiscard]] static boost::asio::awaitable<void> sleep_until(loop& l, clock::time_point end);

    /// Stops the clock for good: from here on time passes by `pass_tick` alone, `deadlines::tick` at a time.
    void stop_clock();
    void pass_tick();

    /// Counts the ticks of the clock, but those that a busy loop missed. Stands still while nobody waits for a deadline.
    [[nodiscard]] std::uint32_t beat() const noexcept { return beat_; }
    /// Gives after how many beats a time has passed for certain.
    [[nodiscard]] static std::uint32_t beats_in(std::chrono::milliseconds time) noexcept;

    /// Gives some memory back, for a connection that ends because there is none; and takes it again, if it is to be had. In
    /// pieces, because many may end before any of their memory is free, and each has to be able to tell who waits for it.
    void spend_reserve() noexcept {
        if (!reserve_.empty()) reserve_.pop_back();
    }
    void renew_reserve() noexcept;

    void set_deadline(deadline& d, std::chrono::milliseconds from_now);
    void clear_deadline(deadline& d) noexcept { deadlines_.clear(d); }
    [[nodiscard]] std::chrono::milliseconds late_by(const deadline& d) const noexcept { return deadlines_.late_by(d); }

    /// Something that holds objects of the `io_context` and may outlive it.
    class resident {
    public:
        explicit resident(loop& l) : loop_(&l) { l.residents_.push_back(this); }
        resident(const resident&) = delete;
        resident& operator=(const resident&) = delete;
        [[nodiscard]] bool loop_is_gone() const noexcept { return loop_ == nullptr; }

    protected:
        virtual ~resident() {
            if (loop_ != nullptr) std::erase(loop_->residents_, this);
        }

    private:
        friend class loop;
        /// Lets go of all objects of the `io_context`; it may destroy the resident itself, and others.
        virtual void leave_loop() = 0;

        loop* loop_;
    };

    void add(connection& c) noexcept;
    void remove(connection& c) noexcept;
    /// Calls `visit` for each connection; it may end the one it is called for.
    void for_each_connection(const std::function<void(connection&)>& visit);
    [[nodiscard]] bool any_connection(const std::function<bool(const connection&)>& condition) const;

private:
    void shutdown() override;
    void settle_lease() noexcept;
    void flush_dirty();
    void start_ticking();
    void tick();
    void go_on_ticking();

    static constexpr std::size_t reserve_pieces = 64;
    static constexpr std::size_t reserve_piece = 8 * 1024;

    boost::asio::io_context& context_;
    poller sockets_;
    byte_buffer block_;
    message* lease_ = nullptr;
    std::ptrdiff_t work_left_ = work_in_a_turn;
    protocol::event event_;
    byte_buffer cork_;
    std::vector<std::unique_ptr<std::byte[]>> reserve_;
    std::unique_ptr<compressors> compressors_;
    std::unique_ptr<mask_source> masks_;
    connection* current_ = nullptr;
    connection* dirty_ = nullptr;  ///< Those with something to flush, linked by `connection::next_dirty_`.
    connection* connections_ = nullptr;
    connection* gone_ = nullptr;  ///< Those that were here when the io_context was shut down.
    std::vector<resident*> residents_;
    deadlines deadlines_;
    boost::asio::steady_timer timer_;
    std::optional<clock::time_point> stopped_at_;  ///< The time, when the clock is stopped.
    std::uint32_t beat_ = 0;
    bool ticking_ = false;
    bool flush_posted_ = false;
    bool shut_down_ = false;
};

}  // namespace wsio::detail
