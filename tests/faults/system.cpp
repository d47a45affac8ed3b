#include "faults/system.hpp"

#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <filesystem>
#include <map>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

// NOLINTBEGIN(bugprone-reserved-identifier): the names are the linker's
extern "C" {
ssize_t __real_recv(int fd, void* data, std::size_t size, int flags);
ssize_t __real_send(int fd, const void* data, std::size_t size, int flags);
ssize_t __real_sendmsg(int fd, const msghdr* message, int flags);
int __real_accept4(int fd, sockaddr* address, socklen_t* size, int flags);
int __real_epoll_ctl(int epoll, int what, int fd, epoll_event* event);
int __real_close(int fd);
int __real_ioctl(int fd, unsigned long request, void* value);
int __real_RAND_bytes(unsigned char* to, int size);
// std::chrono::steady_clock::now
std::int64_t __real__ZNSt6chrono3_V212steady_clock3nowEv();
}

namespace wsio::test {

namespace {

struct watched {
    int epoll;
    epoll_event event;
};

// One of the connections that the plan is about.
struct victim {
    int broken = 0;  ///< The error that it failed with.
    std::size_t unconfirmed = 0;
};

struct state {
    plan::decision decide;
    std::array<int, calls> made{};
    std::map<int, victim> victims;
    bool vanished = false;
    std::size_t room = 0;
};

state* now = nullptr;
std::map<int, watched> watches;
randomness* kept = nullptr;
std::chrono::nanoseconds ahead{0};

victim* victim_at(int fd) {
    if (now == nullptr) return nullptr;
    auto const found = now->victims.find(fd);
    return found == now->victims.end() ? nullptr : &found->second;
}

outcome decide(call what) { return now->decide(what, ++now->made[static_cast<std::size_t>(what)]); }

int failed(int error) {
    errno = error;
    return -1;
}

// Lets epoll tell again what it has told, as it would when there is more.
void tell_again(int fd) {
    auto const found = watches.find(fd);
    if (found == watches.end()) return;
    auto event = found->second.event;
    __real_epoll_ctl(found->second.epoll, EPOLL_CTL_MOD, fd, &event);
}

bool passes(int error) { return error == EINTR || error == EAGAIN; }

// Decides about a call on a victim; gives how many bytes it may move, 0 when it fails with errno.
std::size_t bound_of(call what, victim& who, int fd, std::size_t size) {
    auto const [error, most] = decide(what);
    if (error == 0) return std::min(size, most);
    if (error == EAGAIN) tell_again(fd);
    if (!passes(error)) who.broken = error;
    failed(error);
    return 0;
}

template <typename Send>
ssize_t send_within_plan(victim& who, int fd, std::size_t size, Send send) {
    if (who.broken != 0) return failed(EPIPE);
    if (now->vanished) {
        auto const taken = std::min(size, now->room);
        if (taken == 0) return failed(EAGAIN);
        now->room -= taken;
        who.unconfirmed += taken;
        return static_cast<ssize_t>(taken);
    }
    auto const bound = bound_of(call::send, who, fd, size);
    if (bound == 0) return -1;
    auto const sent = send(bound);
    if (bound < size) tell_again(fd);
    return sent;
}

}  // namespace

plan::plan(decision decide) {
    if (now != nullptr) throw std::logic_error("there is a plan already");
    now = new state;
    now->decide = std::move(decide);
}

plan::~plan() { delete std::exchange(now, nullptr); }

plan::decision plan::one_failure(call what, int at, int error, std::size_t most) {
    return [=](call made, int nth) { return made == what && nth == at ? outcome{error} : outcome{.most = most}; };
}

int plan::made(call what) const { return now->made[static_cast<std::size_t>(what)]; }

void plan::vanish(std::size_t room) {
    now->vanished = true;
    now->room = room;
}

randomness::randomness() { kept = this; }

randomness::~randomness() { kept = nullptr; }

bool randomness::give(unsigned char* to, std::size_t size) {
    if (ran_out_ || __real_RAND_bytes(to, static_cast<int>(size)) != 1) return false;
    bytes_.append(reinterpret_cast<const char*>(to), size);
    return true;
}

void jump(std::chrono::milliseconds by) { ahead += by; }

std::size_t open_descriptors() {
    std::filesystem::directory_iterator const all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace wsio::test

using namespace wsio::test;

extern "C" {

ssize_t __wrap_recv(int fd, void* data, std::size_t size, int flags) {
    auto* const who = victim_at(fd);
    if (who == nullptr) return __real_recv(fd, data, size, flags);
    if (who->broken != 0) return 0;
    if (now->vanished) return failed(EAGAIN);
    auto const bound = bound_of(call::receive, *who, fd, size);
    if (bound == 0) return -1;
    auto const got = __real_recv(fd, data, bound, flags);
    if (bound < size && got > 0) tell_again(fd);
    return got;
}

ssize_t __wrap_send(int fd, const void* data, std::size_t size, int flags) {
    auto* const who = victim_at(fd);
    if (who == nullptr) return __real_send(fd, data, size, flags);
    return send_within_plan(*who, fd, size, [&](std::size_t bound) { return __real_send(fd, data, bound, flags); });
}

ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
    auto* const who = victim_at(fd);
    if (who == nullptr) return __real_sendmsg(fd, message, flags);
    std::vector<iovec> pieces(message->msg_iov, message->msg_iov + message->msg_iovlen);
    std::size_t size = 0;
    for (auto const& piece : pieces) size += piece.iov_len;
    return send_within_plan(*who, fd, size, [&](std::size_t bound) {
        for (auto& piece : pieces) {
            piece.iov_len = std::min(piece.iov_len, bound);
            bound -= piece.iov_len;
        }
        msghdr within = *message;
        within.msg_iov = pieces.data();
        return __real_sendmsg(fd, &within, flags);
    });
}

int __wrap_accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
    if (now == nullptr) return __real_accept4(fd, address, size, flags);
    if (auto const [error, most] = decide(call::accept); error != 0) return failed(error);
    int const accepted = __real_accept4(fd, address, size, flags);
    if (accepted >= 0) now->victims.emplace(accepted, victim());
    return accepted;
}

int __wrap_epoll_ctl(int epoll, int what, int fd, epoll_event* event) {
    if (what == EPOLL_CTL_ADD && victim_at(fd) != nullptr)
        if (auto const [error, most] = decide(call::watch); error != 0) return failed(error);
    int const result = __real_epoll_ctl(epoll, what, fd, event);
    if (what == EPOLL_CTL_DEL)
        watches.erase(fd);
    else if (result == 0)
        watches.insert_or_assign(fd, watched{epoll, *event});
    return result;
}

int __wrap_close(int fd) {
    watches.erase(fd);
    if (now != nullptr) now->victims.erase(fd);
    return __real_close(fd);
}

int __wrap_ioctl(int fd, unsigned long request, ...) {
    std::va_list arguments;
    va_start(arguments, request);
    auto* const value = va_arg(arguments, void*);
    va_end(arguments);
    auto* const who = victim_at(fd);
    if (who == nullptr || !now->vanished || request != SIOCOUTQ) return __real_ioctl(fd, request, value);
    *static_cast<int*>(value) = static_cast<int>(who->unconfirmed);
    return 0;
}

int __wrap_RAND_bytes(unsigned char* to, int size) {
    if (kept == nullptr) return __real_RAND_bytes(to, size);
    return kept->give(to, static_cast<std::size_t>(size)) ? 1 : 0;
}

std::int64_t __wrap__ZNSt6chrono3_V212steady_clock3nowEv() {
    return __real__ZNSt6chrono3_V212steady_clock3nowEv() + ahead.count();
}
}
// NOLINTEND(bugprone-reserved-identifier)
