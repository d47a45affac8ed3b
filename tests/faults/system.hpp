#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

// System calls that fail or fall short on a plan. The linker brings every call of this program, and of the library in it, here
// (--wrap; tests/CMakeLists.txt has the list). What the kernel promises is kept: whoever is told EAGAIN, or gets less than there
// is, hears of the rest by epoll.

namespace wsio::test {

/// The calls that a plan decides about: those on the connections that are accepted while there is a plan, and accepting itself.
enum class call : std::uint8_t {
    receive,  ///< recv
    send,     ///< send, sendmsg
    accept,   ///< accept4
    watch,    ///< epoll_ctl, when a socket is added
};
inline constexpr std::size_t calls = 4;

/// What becomes of a call.
struct outcome {
    int error = 0;                ///< It fails with this; 0 lets it be done.
    std::size_t most = SIZE_MAX;  ///< It receives or sends at most so many bytes.
};

/// Decides about calls as long as it lives. There is one at a time, and one thread.
class plan {
public:
    /// Is asked about each call; `nth` counts those of its kind from 1.
    using decision = std::function<outcome(call what, int nth)>;

    explicit plan(decision decide);
    plan(const plan&) = delete;
    plan& operator=(const plan&) = delete;
    ~plan();

    /// Lets the `at`th call of a kind fail, and no other; those move at most `most` bytes. A connection that failed stays broken.
    static decision one_failure(call what, int at, int error, std::size_t most = SIZE_MAX);

    /// Counts the calls of a kind.
    [[nodiscard]] int made(call what) const;

    /// Lets the peers vanish: nothing comes from them any more, nothing that is sent is confirmed, and their sockets take `room`
    /// bytes more.
    void vanish(std::size_t room);
};

/// Keeps what OpenSSL's generator gives as long as it lives. There is one at a time.
class randomness {
public:
    randomness();
    randomness(const randomness&) = delete;
    randomness& operator=(const randomness&) = delete;
    ~randomness();

    /// All bytes that were given, in their order.
    [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }
    /// From here on the generator fails.
    void run_out() noexcept { ran_out_ = true; }

    bool give(unsigned char* to, std::size_t size);

private:
    std::string bytes_;
    bool ran_out_ = false;
};

/// Lets the steady clock go forward at once, for the whole program and for good.
void jump(std::chrono::milliseconds by);

/// Counts the descriptors of this process.
[[nodiscard]] std::size_t open_descriptors();

}  // namespace wsio::test
