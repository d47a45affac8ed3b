#include "io/loop.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <new>
#include <stdexcept>
#include <utility>

#include "io/compressor.hpp"
#include "io/connection.hpp"
#include "io/mask_source.hpp"
#include "io/waiter.hpp"

namespace wsio::detail {

namespace asio = boost::asio;

const asio::execution_context::id loop::id;

loop::loop(asio::execution_context& context)
    : service(context), context_(static_cast<asio::io_context&>(context)), sockets_(context_), timer_(context_) {
    cork_.reserve(cork_size);
    reserve_.reserve(reserve_pieces);
    renew_reserve();
}

loop::~loop() {
    while (gone_ != nullptr) std::exchange(gone_, gone_->next_)->release();
}

compressors& loop::compressing() {
    if (!compressors_) compressors_ = std::make_unique<compressors>();
    return *compressors_;
}

mask_source& loop::masks() {
    if (!masks_) masks_ = std::make_unique<mask_source>();
    return *masks_;
}

loop& loop::of(const asio::any_io_executor& executor) {
    using plain = asio::io_context::executor_type;
    if (auto const* direct = executor.target<plain>()) return asio::use_service<loop>(direct->context());
    if (auto const* strand = executor.target<asio::strand<plain>>())
        return asio::use_service<loop>(strand->get_inner_executor().context());
    if (auto const* strand = executor.target<asio::strand<asio::any_io_executor>>())
        return of(strand->get_inner_executor());
    throw std::invalid_argument("wsio: the executor must be that of a boost::asio::io_context");
}

std::span<char> loop::block() {
    settle();
    settle_from(block_);
    if (block_.capacity() == 0) block_.reserve(block_size);
    return {block_.data(), block_.capacity()};
}

void loop::settle_lease() noexcept {
    try {
        lease_->keep();
    } catch (const std::bad_alloc&) {
        // It borrows on; see settle_from().
    }
}

void loop::settle_from(byte_buffer& memory) noexcept {
    auto const borrows = [&] {
        return lease_ != nullptr && lease_->data() >= memory.data() &&
               lease_->data() < memory.data() + memory.capacity();
    };
    if (borrows()) settle_lease();
    if (borrows()) std::exchange(lease_, nullptr)->take_over(std::move(memory));
}

loop::turn::turn(loop& l, connection& c) noexcept : loop_(l), held_(&c), outer_(l.current_) {
    if (outer_ != nullptr) {  // the application runs the loop: there is one cork, and one block
        outer_->flush_cork();
        outer_->survive([this] { outer_->settle_input(); });
    }
    l.current_ = &c;
    l.work_left_ = work_in_a_turn;
}

loop::turn::~turn() {
    static_cast<connection*>(held_.get())->flush_cork();
    loop_.current_ = outer_;
}

void loop::flush_later(connection& c) {
    if (c.dirty_) return;
    c.dirty_ = true;
    c.next_dirty_ = std::exchange(dirty_, &c);
    if (flush_posted_) return;
    asio::post(context_, [this] { flush_dirty(); });
    flush_posted_ = true;
}

void loop::flush_dirty() {
    flush_posted_ = false;
    auto* at = std::exchange(dirty_, nullptr);
    while (at != nullptr) {
        connection& c = *at;
        at = std::exchange(c.next_dirty_, nullptr);
        operation const held(&c);
        c.dirty_ = false;
        c.survive([&c] { c.flush(); });
    }
}

void loop::renew_reserve() noexcept {
    while (reserve_.size() != reserve_pieces) {
        std::unique_ptr<std::byte[]> piece(new (std::nothrow) std::byte[reserve_piece]);
        if (!piece) return;
        reserve_.push_back(std::move(piece));
    }
}

void loop::set_deadline(deadline& d, std::chrono::milliseconds from_now) {
    deadlines_.set(d, from_now);
    start_ticking();
}

void loop::start_ticking() {
    if (ticking_ || shut_down_ || stopped_at_) return;
    timer_.expires_after(deadlines::tick);
    timer_.async_wait([this](const boost::system::error_code& ec) {
        ticking_ = false;
        if (!ec) tick();
    });
    ticking_ = true;
}

loop::clock::time_point loop::now() const noexcept { return stopped_at_ ? *stopped_at_ : clock::now(); }

namespace {

// Waits for the clock of a loop whose clock is stopped.
class nap final : public deadline, public loop::resident {
public:
    nap(loop& l, std::chrono::milliseconds time) : resident(l), loop_(l) { l.set_deadline(*this, time); }
    ~nap() override { loop_.clear_deadline(*this); }
    waiter over;

private:
    void deadline_passed() override { over.wake_later(); }
    void leave_loop() override { over.drop(); }  // the nap lies in the coroutine, and goes with it

    loop& loop_;
};

}  // namespace

asio::awaitable<void> loop::sleep_until(loop& l, clock::time_point end) {
    if (!l.stopped_at_) {
        asio::steady_timer timer(l.context_, end);
        co_await timer.async_wait(asio::use_awaitable);
        co_return;
    }
    auto const time = std::chrono::ceil<std::chrono::milliseconds>(end - *l.stopped_at_);
    if (time.count() <= 0) co_return;
    nap until(l, time);
    co_await until.over.wait();
}

void loop::stop_clock() {
    if (stopped_at_) return;
    stopped_at_ = clock::now();
    deadlines_.stop_clock();
    timer_.cancel();
}

void loop::pass_tick() {
    *stopped_at_ += deadlines::tick;
    deadlines_.pass_tick();
    tick();
}

std::uint32_t loop::beats_in(std::chrono::milliseconds time) noexcept {
    // The present beat has partly passed. Times of years are not told from each other: the count goes round.
    return static_cast<std::uint32_t>((bounded(time) + deadlines::tick - std::chrono::milliseconds(1)) /
                                      deadlines::tick) +
           1;
}

void loop::tick() {
    ++beat_;
    renew_reserve();
    try {
        deadlines_.advance();
    } catch (...) {
        go_on_ticking();
        throw;
    }
    go_on_ticking();
}

void loop::go_on_ticking() {
    if (deadlines_.empty()) return;
    try {
        start_ticking();
    } catch (const std::bad_alloc&) {  // those whose deadlines they are may have all the memory
        spend_reserve();
        start_ticking();
    }
}

void loop::add(connection& c) noexcept {
    c.next_ = std::exchange(connections_, &c);
    if (c.next_ != nullptr) c.next_->previous_ = &c;
}

void loop::remove(connection& c) noexcept {
    (c.previous_ != nullptr ? c.previous_->next_ : connections_) = c.next_;
    if (c.next_ != nullptr) c.next_->previous_ = c.previous_;
    c.next_ = c.previous_ = nullptr;
}

void loop::for_each_connection(const std::function<void(connection&)>& visit) {
    for (connection* at = connections_; at != nullptr;) {
        connection& c = *at;
        operation const held(&c);  // keeps it in the list while it is visited
        visit(c);
        at = c.next_;
    }
}

bool loop::any_connection(const std::function<bool(const connection&)>& condition) const {
    for (auto const* at = connections_; at != nullptr; at = at->next_)
        if (condition(*at)) return true;
    return false;
}

void loop::shutdown() {
    shut_down_ = true;
    settle();
    settle_from(block_);
    while (!residents_.empty()) {  // one may take others with it
        resident& first = *residents_.front();
        residents_.erase(residents_.begin());
        first.loop_ = nullptr;
        first.leave_loop();
    }
    while (connections_ != nullptr) {
        connection& c = *connections_;
        remove(c);
        deadlines_.clear(c);
        c.retain();  // until the io_context has shut down whole: it may hold an event of the connection
        c.loop_is_gone();
        c.next_ = std::exchange(gone_, &c);
    }
    sockets_.shut_down();
    timer_.cancel();
}

}  // namespace wsio::detail
