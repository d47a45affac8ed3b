// The least that an echo server on epoll can do: the limit for all others. It answers the handshake, unmasks, and sends
// each frame back; it checks no UTF-8, keeps no limits but the size of a frame, and has no timeouts.

#include "peer.hpp"

#include "handshake/keys.hpp"
#include "protocol/mask.hpp"

#include <wsio/byte_buffer.hpp>

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace {

constexpr std::size_t block_size = 256 * 1024;
constexpr unsigned opcode_close = 8;
constexpr unsigned opcode_ping = 9;
constexpr unsigned opcode_pong = 10;

struct client {
    int socket;
    bool open = false;         // the handshake is done
    bool closing = false;      // the closing frame came
    wsio::byte_buffer input;   // the front of a frame that is not complete
    wsio::byte_buffer output;  // what the socket would not take
};

struct frame {
    std::size_t header = 0;  // 0: not enough bytes
    std::size_t payload = 0;
    [[nodiscard]] std::size_t size() const { return header + payload; }
};

int epoll;
std::array<char, block_size> block;

void watch(client& client, int action, std::uint32_t events) {
    epoll_event wish{};
    wish.events = events;
    wish.data.ptr = &client;
    ::epoll_ctl(epoll, action, client.socket, &wish);
}

void drop(client* client) {
    ::close(client->socket);
    delete client;
}

frame measure(std::span<const char> input) {
    auto const byte = [&](std::size_t at) { return static_cast<unsigned char>(input[at]); };
    if (input.size() < 2) return {};
    std::size_t const short_length = byte(1) & 0x7F;
    std::size_t const length_size = short_length < 126 ? 0 : short_length == 126 ? 2 : 8;
    if (input.size() < 2 + length_size) return {};
    std::size_t payload = length_size == 0 ? short_length : 0;
    for (std::size_t i = 0; i < length_size; ++i) payload = payload << 8 | byte(2 + i);
    return {2 + length_size + 4, payload};
}

/// Makes the answer to a whole frame out of it, in place: unmasks the payload and writes a header in front of it, which
/// is four bytes shorter than the one that came.
std::span<char> answer(std::span<char> input, frame frame, unsigned opcode) {
    std::uint32_t key;
    char* const payload = input.data() + frame.header;
    std::memcpy(&key, payload - sizeof key, sizeof key);
    wsio::protocol::unmask(payload, payload, frame.payload, key, 0);
    char* const header = input.data() + sizeof key;
    std::memmove(header, input.data(), frame.header - sizeof key);
    header[0] = static_cast<char>((header[0] & 0xF0) | static_cast<char>(opcode));
    header[1] = static_cast<char>(header[1] & 0x7F);
    return {header, frame.size() - sizeof key};
}

/// Sends, or keeps for later what the socket does not take; false when the connection is gone.
bool send(client& client, std::span<const char> bytes) {
    auto const sent = ::send(client.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    auto const rest = bytes.subspan(sent < 0 ? 0 : static_cast<std::size_t>(sent));
    if (rest.empty()) {
        if (client.closing) ::shutdown(client.socket, SHUT_WR);
        return true;
    }
    client.output.append({rest.data(), rest.size()});
    watch(client, EPOLL_CTL_MOD, EPOLLOUT);
    return true;
}

/// Echoes the whole frames of `input` and keeps the rest; false when the connection is to be dropped.
bool echo(client& client, std::span<char> input) {
    char* begin = nullptr;  // the answers, one behind the other
    char* end = nullptr;
    while (!client.closing) {
        auto const next = measure(input);
        if (next.header == 0 || input.size() < next.size()) {
            if (next.payload > peer::max_message_size) return false;
            break;
        }
        if ((input[1] & 0x80) == 0) return false;  // not masked
        unsigned const opcode = static_cast<unsigned char>(input[0]) & 0x0F;
        client.closing = opcode == opcode_close;
        auto const reply = answer(input, next, opcode == opcode_ping ? opcode_pong : opcode);
        input = input.subspan(next.size());
        if (opcode == opcode_pong) continue;
        if (begin == nullptr)
            begin = end = reply.data();
        else
            std::memmove(end, reply.data(), reply.size());
        end += reply.size();
    }
    if (!client.closing) client.input.append({input.data(), input.size()});
    return begin == end || send(client, {begin, end});
}

/// Answers the handshake once its head is complete; false when it is no handshake.
bool shake_hands(client& client, std::string_view received) {
    client.input.append(received);
    auto const request = client.input.view();
    if (request.find("\r\n\r\n") == std::string_view::npos) return request.size() < 8192;
    constexpr std::string_view field = "\r\nSec-WebSocket-Key: ";
    auto const at = request.find(field);
    if (at == std::string_view::npos) return false;
    auto const key = request.substr(at + field.size(), 24);
    auto const response = fmt::format(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: {}\r\n\r\n",
        wsio::handshake::accept_key(key));
    client.open = true;
    client.input.release();
    return send(client, response);
}

/// Receives the rest of a large frame straight into its place.
bool receive_rest(client& client) {
    auto const frame = measure({client.input.data(), client.input.size()});
    client.input.reserve(frame.header != 0 ? frame.size() : client.input.size() + 64);
    auto const room = client.input.room();
    auto const size = ::recv(client.socket, room.data(), room.size(), 0);
    if (size <= 0) return size < 0 && errno == EAGAIN;
    client.input.commit(static_cast<std::size_t>(size));
    if (frame.header == 0 || client.input.size() < frame.size()) return true;
    auto whole = std::exchange(client.input, {});
    return echo(client, {whole.data(), whole.size()});
}

bool receive(client& client) {
    if (client.open && !client.input.empty()) return receive_rest(client);
    auto const size = ::recv(client.socket, block.data(), block.size(), 0);
    if (size <= 0) return size < 0 && errno == EAGAIN;
    std::span<char> const input(block.data(), static_cast<std::size_t>(size));
    return client.open ? echo(client, input) : shake_hands(client, {input.data(), input.size()});
}

bool send_rest(client& client) {
    auto const rest = std::exchange(client.output, {});
    watch(client, EPOLL_CTL_MOD, EPOLLIN);
    return send(client, {rest.data(), rest.size()});
}

void accept_all(int listener) {
    int const on = 1;
    for (;;) {
        int const socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket < 0) return;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(*new client{.socket = socket, .input = {}, .output = {}}, EPOLL_CTL_ADD, EPOLLIN);
    }
}

int listen_on(std::uint16_t port) {
    int const listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int const on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 4096) != 0) {
        std::perror("floor");
        std::exit(1);
    }
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    peer::announce("floor", ntohs(address.sin_port));
    return listener;
}

}  // namespace

int main(int argc, char** argv) {
    peer::allow_open_files();
    epoll = ::epoll_create1(EPOLL_CLOEXEC);
    client listener{.socket = listen_on(peer::port_from(argc, argv)), .input = {}, .output = {}};
    watch(listener, EPOLL_CTL_ADD, EPOLLIN);
    std::array<epoll_event, 1024> events;
    for (;;) {
        int const count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
        for (auto const& event : std::span(events).first(static_cast<std::size_t>(std::max(count, 0)))) {
            auto* const client = static_cast<struct client*>(event.data.ptr);
            if (client == &listener)
                accept_all(listener.socket);
            else if (!((event.events & EPOLLOUT) != 0 ? send_rest(*client) : receive(*client)))
                drop(client);
        }
    }
}
