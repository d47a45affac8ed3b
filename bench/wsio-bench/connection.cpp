#include "connection.hpp"

#include "protocol/hybi.hpp"

#include <wsio/protocols.hpp>

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

namespace wsio::bench {
namespace {

[[noreturn]] void fail_by_system(std::string_view what) {
    throw failure(exit_code::system, fmt::format("{}: {}", what, std::strerror(errno)));
}

bool would_block() noexcept { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

void connection::connect(std::uint32_t source) {
    prepare();
    socket_ = ::socket(bench_->target.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0) fail_by_system("a socket could not be made");
    int const on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (source != 0) {
        // The port is chosen at connect, where the same one serves towards different servers.
        ::setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        sockaddr_in local{};
        local.sin_family = AF_INET;
        local.sin_addr.s_addr = htonl(source);
        if (::bind(socket_, reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0)
            fail_by_system("no local address to connect from");
    }
    stage_ = stage::connecting;
    connecting_since_ = now();
    // On the same machine the connection is there at once, and the request can leave without a turn of the loop.
    if (::connect(socket_, bench_->target.data(), bench_->target.size) == 0) return finish_connect();
    if (errno == EADDRNOTAVAIL) fail_by_system("this machine has no port left to connect from");
    if (errno != EINPROGRESS) fail(exit_code::no_connection, std::strerror(errno));
    watch(EPOLLOUT);
}

/// Makes this object fit for a new connection.
void connection::prepare() {
    begun_ = sent_ = echoed_ = due_ = 0;
    frame_position_ = 0;
    watched_ = 0;
    check_ = {};
    control_.clear();
    if (begun_at_ || bench_->wanted.mode != measurement::echo) return;
    begun_at_size_ = std::bit_ceil(bench_->wanted.depth);
    begun_at_ = std::make_unique<nanoseconds[]>(begun_at_size_);
}

void connection::finish_connect() {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) fail(exit_code::no_connection, std::strerror(error));
    stage_ = stage::handshaking;
    handshake_ = std::make_unique<client_handshake>(bench_->wanted, bench_->random);
    control_.append(handshake_->request());
    flush();
}

void connection::on_event(std::uint32_t events) {
    if (stage_ == stage::connecting) return finish_connect();
    // An error or the end of the connection shows in receiving.
    if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) receive();
    if ((events & EPOLLOUT) != 0 && stage_ != stage::closed) flush();
}

void connection::receive() {
    auto* const block = bench_->receive_block.get();
    auto const size = ::recv(socket_, block, workbench::block_size, 0);
    if (size < 0) {
        if (would_block()) return;
        return take_end(std::strerror(errno));
    }
    if (size == 0) return take_end("the end of the TCP connection");
    std::span<char> const input(block, static_cast<std::size_t>(size));
    if (stage_ == stage::handshaking)
        receive_handshake(input);
    else
        receive_frames(input);
}

void connection::receive_handshake(std::span<char> input) {
    auto const end = handshake_->receive({input.data(), input.size()});
    if (!end) return;
    handshake_.reset();
    stage_ = stage::open;
    if (bench_->wanted.mode == measurement::connect) {
        ++bench_->completed;
        bench_->latencies.record(now() - connecting_since_);
    }
    if (*end != input.size()) receive_frames(input.subspan(*end));
}

void connection::receive_frames(std::span<char> input) {
    auto const time = now();
    auto const version = bench_->wanted.version;
    bench_->received += input.size();
    while (!input.empty()) {
        take_echoes(check_.take_echoes(bench_->messages, version, {id(), echoed_, begun_ - echoed_}, input), time);
        if (input.empty()) break;
        take_event(check_.next(input), time);
        if (stage_ == stage::closed) return;
    }
    if (bench_->sending && stage_ == stage::open)
        send_due(time);
    else if (!control_.empty())
        flush();
}

inline void connection::take_echoes(std::uint64_t count, nanoseconds time) {
    bench_->completed += count;
    for (; count > 0; --count, ++echoed_) {
        auto const begun = begun_at(echoed_);
        bench_->latencies.record(time > begun ? time - begun : 0);
    }
}

void connection::take_event(const protocol::event& event, nanoseconds time) {
    switch (event.kind) {
        case protocol::event_kind::need_more:
        case protocol::event_kind::part:  // not asked for
        case protocol::event_kind::pong: return;
        case protocol::event_kind::message: return take_message(event, time);
        case protocol::event_kind::ping:
            return protocol::encode_masked(protocol::opcode::pong, event.data, bench_->random.number<std::uint32_t>(),
                                           control_);
        case protocol::event_kind::failed:
            fail(exit_code::wrong_answer, fmt::format("the server broke the protocol: {}", event.data));
        case protocol::event_kind::closing:
            if (stage_ == stage::closing) return;  // the answer; the end of the TCP connection follows
            auto const reason = event.data.empty() ? "" : fmt::format(", \"{}\"", event.data);
            fail(exit_code::connection_lost,
                 fmt::format("the server closed it: {} ({}){}", to_number(event.code), to_string(event.code), reason));
    }
}

void connection::take_message(const protocol::event& event, nanoseconds time) {
    auto const what = fmt::format("message {}", echoed_ + 1);
    if (echoed_ == begun_)
        fail(exit_code::wrong_answer,
             fmt::format("the server sent a message of {} bytes that is no echo", event.data.size()));
    if ((event.type == protocol::opcode::binary) != bench_->wanted.binary)
        fail(exit_code::wrong_answer,
             fmt::format("{} came back as {}", what, bench_->wanted.binary ? "text" : "binary"));
    auto const expected = bench_->messages.payload(traffic::number_of(id(), echoed_));
    if (event.data != expected)
        fail(exit_code::wrong_answer,
             fmt::format("{} came back wrong: {}", what, describe_difference(expected, event.data)));
    take_echoes(1, time);
}

/// Takes the end of the TCP connection.
void connection::take_end(std::string_view how) {
    if (stage_ == stage::closing) return drop();
    if (stage_ == stage::handshaking) {
        try {
            handshake_->fail_at_end();
        } catch (const failure& cause) {
            fail(cause.code(), cause.what());
        }
    }
    fail(exit_code::connection_lost, fmt::format("the server ended it without a closing handshake: {}", how));
}

void connection::close() {
    auto const version = bench_->wanted.version;
    // Draft 75 has no closing handshake, and half a message must not be followed by a frame.
    if (stage_ != stage::open || frame_position_ != 0 || !protocols[version].has_closing_handshake()) return drop();
    stage_ = stage::closing;
    if (is_hybi(version))
        protocol::encode_masked(protocol::opcode::close, {"\x03\xE8", 2}, bench_->random.number<std::uint32_t>(),
                                control_);
    else
        protocols[version].encode_close(close_code::normal, {}, control_);
    flush();
}

void connection::drop() noexcept {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));  // epoll forgets it
    handshake_.reset();
    stage_ = stage::closed;
}

void connection::fail_by_silence(std::string_view silence) const {
    auto const code = stage_ == stage::connecting    ? exit_code::no_connection
                      : stage_ == stage::handshaking ? exit_code::no_handshake
                                                     : exit_code::wrong_answer;
    auto const what = stage_ == stage::connecting    ? "no connection"
                      : stage_ == stage::handshaking ? "no answer to the handshake"
                      : stage_ == stage::closing     ? "no end of the connection after the closing handshake"
                                                     : "no echo";
    fail(code, fmt::format("{} {}", what, silence));
}

void connection::fail(exit_code code, std::string_view what) const {
    throw failure(code, fmt::format("connection {}: {}", id() + 1, what));
}

}  // namespace wsio::bench
