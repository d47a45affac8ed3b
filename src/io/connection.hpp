#pragma once

#include <wsio/byte_buffer.hpp>
#include <wsio/close_code.hpp>
#include <wsio/endpoint.hpp>
#include <wsio/message.hpp>
#include <wsio/message_part.hpp>
#include <wsio/protocol/decoder.hpp>
#include <wsio/protocol/strategy.hpp>
#include <wsio/socket.hpp>
#include <wsio/status.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "io/compressor.hpp"
#include "io/connection_count.hpp"
#include "io/deadlines.hpp"
#include "io/delivery.hpp"
#include "io/loop.hpp"
#include "io/opening.hpp"
#include "io/outbox.hpp"
#include "io/poller.hpp"
#include "io/side.hpp"
#include "io/tls_stream.hpp"
#include "io/waiting_list.hpp"
#include "protocol/hybi_decoder.hpp"

namespace wsio::detail {

class client_state;
class server_state;

/// One TCP connection and the WebSocket on it: a state machine that the loop's events and the application's calls move.
///
/// Before `open` it is a plain byte stream that the session reads its HTTP from (`fill`, `input`, `write_raw`). From
/// then on the decoder of the chosen strategy takes the bytes. Nobody has to be reading: pings and closing frames are
/// serviced as they come, and messages wait in a bounded queue.
///
/// Lifetime: counted by handles (any thread), plus one reference of the loop until the connection has ended and its
/// operations are over.
class connection final : public awaited, polled, deadline {
public:
    enum class phase : std::uint8_t {
        handshake,  ///< A byte stream.
        open,       ///< Messages flow.
        closing,    ///< Our closing frame is out; the peer's is awaited.
        finishing,  ///< Nothing more will be received or sent but what the outbox holds; then the TCP connection ends.
        ended,      ///< The descriptor is closed.
    };

    /// Takes ownership of the non-blocking `fd`. The loop holds the first reference; `socket` handles add theirs.
    static connection& make(loop& l, int fd, endpoint remote);

    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    // References. `retain` and `release` are those of handles, safe on every thread.
    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept;
    void release_here() noexcept;
    [[nodiscard]] socket handle() noexcept { return socket(this); }
    [[nodiscard]] static connection* of(const socket& handle) noexcept { return handle.connection_; }
    void operations_over() noexcept;

    /// Speaks TLS from here on; input that nobody has consumed is taken for its beginning.
    void secure(std::shared_ptr<const tls_identities> identities);
    /// Speaks TLS from here on, as the client.
    void secure(std::shared_ptr<tls_expectation> expectation);
    /// Waits until the TLS handshake is over; false when it came to nothing.
    static boost::asio::awaitable<bool> secured(connection& c);
    /// Gives the TLS that is spoken; null when there is none.
    [[nodiscard]] const tls_stream* tls() const noexcept { return tls_.get(); }
    /// Says why TLS never came to be; empty when it did, or was never tried.
    [[nodiscard]] std::string_view tls_refusal() const noexcept {
        return tls_refused_ ? std::string_view(status_->cause) : std::string_view();
    }

    // The byte stream before `open`.
    /// Waits until there is more input; false when the stream has ended or failed.
    static boost::asio::awaitable<bool> fill(connection& c);
    [[nodiscard]] std::string_view input() const noexcept { return {unparsed_.data(), unparsed_.size()}; }
    void consume(std::size_t count) noexcept { unparsed_ = unparsed_.subspan(count); }
    void append_input(std::string_view bytes);
    void write_raw(std::string_view bytes) {
        if (phase_ == phase::handshake) append(bytes, {}, {});
    }
    /// Waits until the network has taken what was written.
    static boost::asio::awaitable<void> written(connection& c);
    /// Tells whether the session waits in `fill`.
    [[nodiscard]] bool awaits_input() const noexcept { return phase_ == phase::handshake && filling_; }
    /// Ends the session's wait for input, for good: the server stops.
    void interrupt();
    [[nodiscard]] bool interrupted() const noexcept { return interrupted_; }
    /// While the application decides about the handshake, its deadline sends `answer` and ends the connection; null again
    /// when the application has decided.
    void answer_at_deadline(const std::string* answer) noexcept { unopened_->late_answer = answer; }
    /// Writes what is queued, ends the sending half, and drops the connection when the peer has ended too or at the
    /// deadline. Input is ignored from here on.
    void finish();

    /// Sets the one deadline of the present stage. When it passes, the connection fails with `cause`.
    void set_deadline(std::chrono::milliseconds from_now, const char* cause);
    void clear_deadline() noexcept { loop_.clear_deadline(*this); }
    /// Sets `timeouts::close` for as long as no server has the connection.
    void close_within(std::chrono::milliseconds time) noexcept {
        constexpr std::chrono::milliseconds most = std::chrono::hours(24 * 30);
        close_within_ = static_cast<std::uint32_t>(std::min(time, most).count());
    }

    /// Becomes a WebSocket: input, present and coming, goes to the strategy's decoder.
    void open(const protocol::strategy& strategy, opening agreed, std::shared_ptr<side> near);
    /// Compresses messages as was agreed on; to be called right after `open`.
    void compress(const protocol::deflate_parameters& agreed);
    [[nodiscard]] bool is_compressed() const noexcept {
        auto const* const hybi = std::get_if<protocol::hybi_decoder>(&decoder_);
        return hybi != nullptr && hybi->codec() != nullptr;
    }

    // The WebSocket; what `socket` offers.
    [[nodiscard]] bool message_ready();
    [[nodiscard]] std::optional<message> take_message();
    /// Tells whether there is a message that can wait for another turn.
    [[nodiscard]] bool message_waits() const noexcept;
    /// Wakes whoever waits for the message that is there, in a turn of its own.
    void hand_over_later();
    /// Waits for the next message, at most `timeout`.
    [[nodiscard]] static boost::asio::awaitable<std::optional<message>> receive_within(
        connection& c, std::chrono::milliseconds timeout, operation held);
    [[nodiscard]] waiter& message_waiter() noexcept { return receiver_; }
    /// Waits for the next part of a message, at most `timeout` if there is one.
    [[nodiscard]] static boost::asio::awaitable<std::optional<message_part>> receive_part(
        connection& c, std::optional<std::chrono::milliseconds> timeout, operation held);
    sent send(protocol::opcode type, std::string_view payload, send_options how);
    /// Begins a message in pieces; false when the connection is not open. Throws if there is one already.
    [[nodiscard]] bool start_stream(protocol::opcode type, send_options how);
    sent send_piece(std::string_view piece, bool last);
    void abandon_stream();
    [[nodiscard]] static boost::asio::awaitable<void> wait_for_room(connection& c, bool for_a_piece);
    void abandon_send() noexcept;
    void write(protocol::opcode type, std::string_view payload, send_options how);
    /// Waits until nothing waits for the network; false when the connection has ended.
    [[nodiscard]] static boost::asio::awaitable<bool> drained(connection& c, operation held);
    void ping(std::string_view payload);
    void end(close_code code, std::string_view reason, ended_by who = ended_by::application, std::string cause = {});
    [[nodiscard]] static boost::asio::awaitable<void> wait_until_ended(connection& c);
    void destroy(ended_by who = ended_by::application, std::string cause = "the application dropped the connection");
    /// As `destroy`, when there was no memory for what the connection had to do.
    void out_of_memory() noexcept;
    /// Takes a step that the loop asks for. When memory runs out in it, this connection ends, and the others go on.
    template <typename Step>
    void survive(Step step) {
        try {
            step();
        } catch (const std::bad_alloc&) {
            out_of_memory();
        }
    }
    /// Reports an exception of the application to the server and closes with 1011.
    void application_failed(std::exception_ptr exception);
    /// As above; an exception before `open` is the library's own (out of memory, say) and drops the connection.
    void session_failed(std::exception_ptr exception);

    struct callbacks {
        std::function<void(const message&)> message;
        std::function<void(const wsio::status&)> close;
        std::function<void(const wsio::status&)> error;
        std::function<void(std::string_view)> pong;
        std::optional<std::string> last_pong;  ///< On its way to `pong`.
        bool message_was_set = false;          ///< While `message` runs: it is replaced, perhaps by nothing.

        [[nodiscard]] bool are_set() const noexcept { return message || close || error || pong; }
    };
    /// Gives the callbacks, to be set at once. From now on the connection lives without handles.
    [[nodiscard]] callbacks& listen();

    [[nodiscard]] phase current_phase() const noexcept { return phase_; }
    [[nodiscard]] wsio::ready_state ready_state() const noexcept;
    [[nodiscard]] const protocol::strategy* strategy() const noexcept { return strategy_; }
    [[nodiscard]] const opening& agreed() const noexcept { return opening_; }
    [[nodiscard]] wsio::status status() const { return status_ ? *status_ : wsio::status{}; }
    /// Gives how it ended; null before.
    [[nodiscard]] const wsio::status* ending() const noexcept { return status_.get(); }
    [[nodiscard]] endpoint local_endpoint() const;
    [[nodiscard]] std::size_t buffered_amount() const noexcept;
    [[nodiscard]] loop& home() noexcept { return loop_; }
    /// Tells whether the loop is gone; on every thread.
    [[nodiscard]] bool outlived_loop() const noexcept { return loop_gone_; }
    /// Gives the server that it belongs to; null before `open`, for a client's, and when all is over.
    [[nodiscard]] server_state* server() const noexcept;
    [[nodiscard]] const endpoint& remote() const {
        return unopened_ ? unopened_->remote : opening_.request().remote_endpoint();
    }
    [[nodiscard]] bool timed_out() const noexcept { return timed_out_; }

    /// Lets go of everything because the loop goes away.
    void loop_is_gone();

private:
    friend class loop;

    connection(loop& l, int fd, endpoint remote);
    ~connection() override;

    // polled, deadline
    void ready(bool readable, bool writable) override;
    void deadline_passed() override;
    void stage_is_over();

    // Receiving.
    void readable();
    void receive_some();
    void receive_once();
    void receive_secure(std::span<char> room, bool in_window);
    void received(std::span<char> bytes, bool in_window);
    void tls_failed();
    void end_of_stream(int error);
    [[nodiscard]] protocol::hybi_decoder* hybi() noexcept { return std::get_if<protocol::hybi_decoder>(&decoder_); }
    [[nodiscard]] protocol::decoder& decoder() noexcept {
        auto* const own = hybi();
        return own != nullptr ? *own : *std::get<std::unique_ptr<protocol::decoder>>(decoder_);
    }
    [[nodiscard]] const protocol::decoder& decoder() const noexcept { return const_cast<connection&>(*this).decoder(); }
    void take_event();
    bool next_event();
    void drop_event();
    [[nodiscard]] bool nobody_takes() const noexcept;
    void deliver_last();
    void peer_closed(const protocol::event& event);
    void process();
    void require_nobody_waits() const;
    void process_now();
    void process_later();
    void settle_input();
    [[nodiscard]] bool input_is_left() const noexcept {
        return (!unparsed_.empty() || holds_more()) && (phase_ == phase::open || phase_ == phase::closing);
    }
    void read_on();
    [[nodiscard]] bool can_read() const noexcept;
    [[nodiscard]] std::optional<message> take_next();
    void take_event_into(std::optional<message>& taken);
    [[nodiscard]] bool nothing_will_come();
    void queue_message();
    void queue_is_nobodys() noexcept;
    [[nodiscard]] std::optional<message> take_queued();
    void call_back(const message& received);
    void answer_ping(std::string_view payload);
    void peer_ponged(std::string_view payload);

    // Receiving in parts.
    struct large_messages;
    large_messages& need_large();
    [[nodiscard]] bool hold(const protocol::event& event);
    [[nodiscard]] bool is_held() const noexcept;
    [[nodiscard]] bool holds_more() const noexcept {
        auto const* const own = std::get_if<protocol::hybi_decoder>(&decoder_);
        return own != nullptr && own->holds_more();
    }
    void process_large();
    void want_parts();
    [[nodiscard]] bool whole_message_ready();
    [[nodiscard]] std::optional<message> take_whole_message();
    [[nodiscard]] bool join_parts();
    void refuse_large();
    [[nodiscard]] bool part_ready();
    [[nodiscard]] bool part_available();
    [[nodiscard]] std::optional<message_part> take_part();

    // Whether the peer is still there.
    void look_after();
    [[nodiscard]] delivery delivered() const noexcept;
    void note_delivery() noexcept;
    [[nodiscard]] bool takes_nothing() const noexcept;
    void leave_nothing_behind() const noexcept;
    void limit_ending(const char* cause);

    // Sending.
    void writable();
    static constexpr std::size_t longest_short = 125;
    bool cork_short(protocol::opcode type, std::string_view payload);
    void append_frame(protocol::opcode type, std::string_view payload);
    void append_close(close_code code, std::string_view reason);
    [[nodiscard]] bool masks() const noexcept {
        return client_ && std::holds_alternative<protocol::hybi_decoder>(decoder_);
    }
    [[nodiscard]] protocol::envelope wrap(protocol::opcode type, std::size_t size);
    void mask(const protocol::envelope& frame, char* payload, std::size_t size) const noexcept;
    char* append(std::string_view head, std::string_view payload, std::string_view tail);
    std::ptrdiff_t transmit(std::string_view a, std::string_view b = {}, std::string_view c = {},
                            std::string_view d = {});
    void transmission_failed();
    outbox::result transmit_outbox();
    void append_message(protocol::opcode type, std::string_view payload, send_options how, bool may_borrow);
    void write_behind(protocol::opcode type, std::string_view payload, send_options how);
    void append_payload(const protocol::envelope& frame, std::string_view payload, bool may_borrow);
    void write_large(const protocol::envelope& frame, std::string_view payload, bool may_borrow);
    void write_large_masked(const protocol::envelope& frame, std::string_view payload, bool may_borrow);
    std::ptrdiff_t transmit_masked(std::string_view front, std::string_view payload, std::string_view back);
    [[nodiscard]] client_state& client() const noexcept;
    void wait_for_the_network();
    void flush_cork() noexcept;
    void flush();
    [[nodiscard]] bool sender_has_to_wait(bool for_a_piece) const noexcept;
    void wake_senders();
    void after_flush(outbox::result result);
    [[nodiscard]] bool has_room() const noexcept;
    /// Counts, at its end, by how much the outbox has grown or shrunk; also when memory ran out halfway.
    class outbox_change {
    public:
        explicit outbox_change(connection& c) noexcept : connection_(c), before_(c.outbox_.size()) {}
        outbox_change(const outbox_change&) = delete;
        outbox_change& operator=(const outbox_change&) = delete;
        ~outbox_change();

    private:
        connection& connection_;
        std::size_t before_;
    };
    void note_sent() noexcept;

    // Sending in pieces.
    [[nodiscard]] bool has_room_for_a_piece() const noexcept;
    void append_piece(std::string_view piece, bool last);
    void finish_stream();
    sent hold_back(protocol::opcode type, std::string_view payload, send_options how, bool droppable);
    [[nodiscard]] bool drop_oldest_held_back();
    void drop_held_back() noexcept;
    [[nodiscard]] std::size_t held_back_bytes() const noexcept;
    [[nodiscard]] std::size_t held_back_cost() const noexcept;
    [[nodiscard]] bool frame_is_open() const noexcept;
    void choose_corking() noexcept;

    // Ending.
    void fail(close_code code, std::string_view cause);
    void note_end(ended_by who, close_code code, std::string_view reason, std::string cause, bool clean);
    void half_close();
    [[nodiscard]] bool leaves_the_end_to_the_peer() const noexcept;
    void network_failed(std::string cause);
    void drop_output() noexcept;
    void end_now();
    void tell_ended();
    void tell_ended_later();
    void tell(const std::function<void(const wsio::status&)>& callback);
    void abandoned();
    [[nodiscard]] bool calls_back() const noexcept { return callbacks_ && callbacks_->message; }
    void maybe_let_go() noexcept;
    [[nodiscard]] std::chrono::milliseconds close_timeout() const noexcept;

    struct queued;
    [[nodiscard]] std::size_t queued_bytes() const noexcept;
    /// What a connection needs before it is open.
    struct unopened {
        endpoint remote;  ///< From `open` on the request has it.
        const std::string* late_answer = nullptr;
    };
    // What each message touches stands together: with a thousand busy connections, cache lines are what costs.
    phase phase_ = phase::handshake;
    bool stream_ended_ : 1 = false;     ///< The peer has sent all that it will.
    bool end_sent_ : 1 = false;         ///< Our sending half is shut down.
    bool filling_ : 1 = false;          ///< The session waits for input.
    bool interrupted_ : 1 = false;      ///< The session must not wait for input any more.
    bool timed_out_ : 1 = false;        ///< The handshake's deadline has passed.
    bool event_pending_ : 1 = false;    ///< `event_` holds a message that nobody has taken yet.
    bool more_to_read_ : 1 = false;     ///< The last receive was full: the socket may hold more.
    bool reading_posted_ : 1 = false;   ///< Another turn of reading is on its way.
    bool blocked_ : 1 = false;          ///< The socket is full; its writability is awaited.
    bool dirty_ : 1 = false;            ///< In the loop's list of those to flush.
    bool let_go_ : 1 = false;           ///< The loop's reference is given back.
    bool write_first_ : 1 = false;      ///< TLS has to write before it can receive.
    bool tls_refused_ : 1 = false;      ///< The TLS handshake has failed.
    bool client_ : 1 = false;           ///< This end is the client.
    bool corks_short_ : 1 = false;      ///< Small messages go the short way: on hybi, if none is to be compressed.
    bool was_behind_ : 1 = false;       ///< Some of what was sent it had not taken then.
    bool second_half_ : 1 = false;      ///< Of the time that the ending may take.
    bool pong_over_limit_ : 1 = false;  ///< A pong waits behind as much as the outbox may hold.
    bool streaming_ : 1 = false;        ///< A message is being sent in pieces: others wait for its end.
    bool process_posted_ : 1 = false;   ///< A turn for what is left of the input is on its way.
    bool close_awaited_ : 1 = false;    ///< The application waits for the end.
    bool taken_since_end_ : 1 = false;  ///< The application takes messages behind its own closing frame.
    bool dropping_ : 1 = false;         ///< It does not: one that it would have had is lost, so no later one is given.
    std::atomic<bool> loop_gone_ = false;
    loop& loop_;
    // In beats of the loop:
    std::uint32_t heard_at_ = 0;   ///< When the peer last gave a sign of life.
    std::uint32_t active_at_ = 0;  ///< When a message last came or went.
    std::uint32_t pinged_at_ = 0;  ///< When it was last asked for a sign.
    std::uint32_t taken_ = 0;      ///< What it had taken then, or amid its ending: as delivery::taken.
    std::uint32_t close_within_ = 5000;
    std::shared_ptr<side> side_;
    std::unique_ptr<tls_stream> tls_;
    std::unique_ptr<callbacks> callbacks_;
    std::unique_ptr<large_messages> large_;  ///< Null but on connections with messages in parts or pieces.
    queued* last_queued_ = nullptr;          ///< Linked in a ring: the first is behind the last.
    std::span<char> unparsed_;  ///< Received and not yet decoded: in the loop's block during a turn, else in `input_`.
    byte_buffer input_;
    waiter receiver_;
    /// One of the hybi family, as nearly all are, is a part of this object.
    std::variant<std::monostate, protocol::hybi_decoder, std::unique_ptr<protocol::decoder>> decoder_;
    outbox outbox_;

    const protocol::strategy* strategy_ = nullptr;
    waiting_list waiting_;  ///< Those who wait for room, for the network to have taken all, or for the end.
    std::atomic<std::uint32_t> references_{1};

public:
    /// The server's: where this connection stands in its table of clients, once it was counted.
    std::uint32_t place = nowhere;
    static constexpr std::uint32_t nowhere = UINT32_MAX;
    static constexpr std::uint32_t untracked = nowhere - 1;

private:
    opening opening_;
    std::unique_ptr<wsio::status> status_;
    const char* deadline_cause_ = "";
    std::unique_ptr<unopened> unopened_;  ///< Until `open`.
    connection* next_ = nullptr;
    connection* previous_ = nullptr;
    connection* next_dirty_ = nullptr;

public:
    /// The front that accepted this connection, for its own use; null when there is none.
    const void* owner = nullptr;
    /// The connection's place among those that the front counts, until it has ended.
    connection_count::place counted;
};

}  // namespace wsio::detail
