#pragma once

#include "io/tls_client.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// A conversation that touches everything, with a server that tells what it has seen of it, and a bystander on the same loop.

namespace wsio::test {

/// What is spoken.
struct language {
    protocol_version version = protocol_version::hybi_13;
    bool secure = false;

    [[nodiscard]] std::string name() const { return std::string(to_string(version)) + (secure ? " over TLS" : ""); }
};

/// What the handler of one connection has seen.
struct account {
    std::vector<std::string> messages;
    bool begun = false;
    bool ended = false;         ///< The handler got to its end, or was destroyed.
    bool told = false;          ///< It got to its end by itself.
    std::optional<status> how;  ///< status() then.
    bool more = false;          ///< receive gave something behind the end,
    bool sent = false;          ///< or send took something.
};

/// A client that takes what comes as it is: also the end, at any time.
class guest {
public:
    guest(std::uint16_t port, const language& spoken, const tls_peer::settings& trusting, std::function<void()> turn);

    /// Sends all of `bytes` and reads until `enough` holds for all that was read, or the connection has ended. Throws
    /// `std::runtime_error` when neither happens in time.
    void exchange(std::string_view bytes, const std::function<bool(std::string_view read)>& enough);

    /// Says that nothing more will be sent (FIN), if there is still a connection.
    void finish();

    [[nodiscard]] const std::string& got() const noexcept { return got_; }
    [[nodiscard]] bool ended() const noexcept { return ended_; }

private:
    void move(std::string& out);
    void decrypt();
    void shake_hands();

    std::function<void()> turn_;
    client tcp_;
    std::optional<tls_peer> tls_;
    bool established_ = false;
    bool ended_ = false;
    std::string got_;
};

/// The server, and how a conversation goes.
class stage {
public:
    explicit stage(language spoken, options settings = quick());
    stage(const stage&) = delete;

    /// Options with deadlines that a test can wait for.
    static options quick();

    /// Lets the loop turn once; replaced by tests that watch over that.
    std::function<void()> turn = [this] { world_.turn(); };

    [[nodiscard]] guest enter() {
        return {server_->port(), spoken_, trusting_, [this] { turn(); }};
    }

    /// Goes through the whole conversation, or up to where the connection ends.
    void converse(guest& client);
    /// The handshake alone.
    void greet(guest& client);

    /// Gives the messages that a whole conversation brings to the handler, and the bytes that the client gets behind the head.
    [[nodiscard]] const std::vector<std::string>& script() const noexcept { return script_; }
    [[nodiscard]] const std::string& answers() const noexcept { return answers_; }
    /// Gives what a client got behind the head of the handshake.
    [[nodiscard]] std::string_view behind_head(std::string_view got) const;

    /// What the handlers saw, in the order of their connections.
    [[nodiscard]] const std::vector<std::shared_ptr<account>>& accounts() const noexcept { return accounts_; }
    [[nodiscard]] wsio::statistics statistics() const { return server_->statistics(); }
    [[nodiscard]] const std::vector<std::string>& escaped() const noexcept { return escaped_; }
    [[nodiscard]] world& home() noexcept { return world_; }
    [[nodiscard]] wsio::server& server() noexcept { return *server_; }

    /// Checks that the bystander's connection works as if nothing had happened.
    void check_bystander();

    /// Waits until nothing is left of all connections but the bystander's; tells what is, or nothing.
    [[nodiscard]] std::string left(std::size_t descriptors, const std::function<std::size_t()>& count);

private:
    static awaitable<void> handle(wsio::socket socket, std::shared_ptr<account> seen);

    world world_;
    temporary_folder folder_;
    authority ca_;
    tls_peer::settings trusting_{.trusted = &ca_};
    language spoken_;
    std::vector<std::string> script_;
    std::string answers_;
    std::vector<std::shared_ptr<account>> accounts_;
    std::vector<std::string> escaped_;
    std::optional<wsio::server> server_;
    std::optional<wsio::server> other_server_;
    std::optional<client> bystander_;
};

}  // namespace wsio::test
