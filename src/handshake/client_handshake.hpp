#pragma once

#include <wsio/compression.hpp>
#include <wsio/headers.hpp>
#include <wsio/protocol_version.hpp>
#include <wsio/request.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "handshake/failure.hpp"
#include "handshake/response_reader.hpp"
#include "handshake/websocket_url.hpp"
#include "protocol/permessage_deflate.hpp"

namespace wsio::handshake {

/// What a client asks a server for.
struct wish {
    protocol_version version = protocol_version::hybi_13;
    websocket_url url;
    std::string origin = {};  ///< Empty for none; the hixie drafts, which need one, then name the server's own.
    std::vector<std::string> subprotocols = {};  ///< The preferred one first.
    headers fields{};                            ///< Further fields; a Host among them takes the place of the URL's.
    struct compression compression {};           ///< Offered on 13, unless it is off.
};

/// One opening handshake from the client's side, in any version: makes the request and checks the answer, all of it. Does
/// no I/O.
/// Thread safety: distinct objects safe, shared objects unsafe.
class client_handshake {
public:
    /// Fills bytes with random ones.
    using randomness = void (*)(std::span<std::byte>);

    client_handshake(const wish& wanted, response_limits limits, randomness random);

    /// Gives the bytes to send.
    [[nodiscard]] std::string request_bytes() const;

    /// Gives the request, for the socket that comes of it.
    [[nodiscard]] const wsio::request& request() const noexcept { return request_; }

    enum class state {
        head,       ///< More of the answer's head has to come.
        challenge,  ///< The head is right; what hixie-76 has behind it has to come.
        body,       ///< Another answer than 101: what comes now says why. It need not be waited for long.
        agreed,     ///< All is well; what follows are frames.
        refused,    ///< Another answer than 101, and all of its body that is wanted.
        failed,     ///< `problem` says why.
    };

    /// Takes all that came since the answer began. Gives how many bytes the answer has, once it is `agreed`.
    std::size_t put(std::string_view bytes);

    /// Takes it that nothing more comes.
    void end();

    [[nodiscard]] state status() const noexcept { return state_; }
    [[nodiscard]] bool is_over() const noexcept { return state_ >= state::agreed; }
    [[nodiscard]] bool reads_body() const noexcept { return state_ == state::body; }

    /// When `refused`: where the server redirects to; nothing when it does not.
    [[nodiscard]] std::optional<std::string_view> redirect() const noexcept;

    /// When `failed` or `refused`: says why.
    [[nodiscard]] const failure& problem() const noexcept { return problem_; }

    /// Once there is a head: the answer's status, fields and body.
    [[nodiscard]] const response_reader& answer() const noexcept { return reader_; }

    /// When `agreed`: the subprotocol, empty for none, and the compression.
    [[nodiscard]] const std::string& subprotocol() const noexcept { return subprotocol_; }
    [[nodiscard]] const std::optional<protocol::deflate_parameters>& deflate() const noexcept { return deflate_; }

private:
    void make_request(randomness random);
    void add_hybi_fields(randomness random);
    void add_hixie_fields(randomness random);
    void add_own(std::string_view name, std::string_view value) { request_.headers().add(name, value); }
    [[nodiscard]] std::string subprotocol_list() const;
    [[nodiscard]] std::optional<failure> check_head();
    [[nodiscard]] std::optional<failure> check_upgrade() const;
    [[nodiscard]] std::optional<failure> check_accept_key() const;
    [[nodiscard]] std::optional<failure> check_echo(std::string_view name, std::string_view sent, error why,
                                                    bool is_url) const;
    [[nodiscard]] std::optional<failure> check_subprotocol();
    [[nodiscard]] std::optional<failure> check_extensions();
    std::size_t finish(std::string_view behind_head);
    void end_head();
    void refuse();
    void fail(failure why);

    wish wanted_;
    wsio::request request_;
    std::string nonce_;     ///< hixie-76: the 8 bytes behind the head.
    std::string expected_;  ///< The value of Sec-WebSocket-Accept, or the 16 bytes behind the head of hixie-76.
    response_reader reader_;
    state state_ = state::head;
    failure problem_;
    std::string subprotocol_;
    std::optional<protocol::deflate_parameters> deflate_;
};

}  // namespace wsio::handshake
