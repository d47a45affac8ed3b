#pragma once

#include "protocol/deflate.hpp"

#include <wsio/byte_buffer.hpp>
#include <wsio/protocol/decoder.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace wsio::protocol {

/// What the two ends agreed on about permessage-deflate (RFC 7692 7.1).
struct deflate_parameters {
    bool server_no_context_takeover = false;
    bool client_no_context_takeover = false;
    std::uint8_t server_max_window_bits = max_window_bits;
    std::uint8_t client_max_window_bits = max_window_bits;

    friend bool operator==(const deflate_parameters&, const deflate_parameters&) = default;
};

/// The machinery that all connections of a thread share. Its parts are made when they are first needed.
/// Thread safety: distinct objects safe, shared objects unsafe.
class deflate_engines {
public:
    [[nodiscard]] inflater& inflating();
    [[nodiscard]] deflater& deflating(const deflate_settings& settings);

    /// Gives an empty buffer for one compressed message.
    [[nodiscard]] byte_buffer& blank() noexcept;

private:
    std::unique_ptr<inflater> inflater_;
    std::vector<std::pair<deflate_settings, std::unique_ptr<deflater>>> deflaters_;
    byte_buffer compressed_;
};

/// Compresses and inflates the messages of one connection (RFC 7692 7.2). Keeps what context takeover needs and no more:
/// a compressor if the own end takes its context over, and the end of what was received if the peer does. One that keeps
/// nothing can serve any number of connections.
/// Thread safety: as its engines, which must outlive it.
class permessage_deflate {
public:
    /// Destroys one that is not shared.
    struct release {
        void operator()(permessage_deflate* codec) const noexcept {
            if (!codec->shared_) delete codec;
        }
    };
    using pointer = std::unique_ptr<permessage_deflate, release>;

    /// `settings.window_bits` is lowered to what was agreed on. Messages under `threshold` bytes are not compressed.
    permessage_deflate(deflate_engines& engines, role role, const deflate_parameters& agreed, deflate_settings settings,
                       std::size_t threshold);
    permessage_deflate(const permessage_deflate&) = delete;
    permessage_deflate& operator=(const permessage_deflate&) = delete;
    virtual ~permessage_deflate() = default;

    /// Gives a pointer that does not own this object.
    [[nodiscard]] pointer share() noexcept {
        shared_ = true;
        return pointer(this);
    }

    /// Gives the compressed form of a message, valid until the engines are used again; nothing if the message is to go
    /// out as it is.
    [[nodiscard]] virtual std::optional<std::string_view> compress(std::string_view message);

    /// Gives the compressed form of a piece of a message, valid until the engines are used again. No other message may be
    /// compressed between its pieces. `alone` is the place for the compressor of a message that refers to no other.
    [[nodiscard]] virtual std::string_view compress_piece(std::string_view piece, bool last,
                                                          std::unique_ptr<deflater>& alone);

    /// As `inflater::inflate`.
    [[nodiscard]] inflater::outcome inflate(std::string_view payload, std::size_t limit, byte_buffer& out);

    /// Begins to inflate a message step by step; each piece of it must be given to `remember`.
    [[nodiscard]] std::unique_ptr<message_inflater> inflate_in_parts() const {
        return std::make_unique<message_inflater>(history_.view());
    }

    /// Keeps the end of what was received, as far as the peer may refer back to it (RFC 7692 7.1.1.2).
    void remember(std::string_view received);

    [[nodiscard]] bool keeps_nothing() const noexcept { return !takes_over_ && window_ == 0; }
    [[nodiscard]] bool has_own_deflater() const noexcept { return own_ != nullptr; }
    [[nodiscard]] std::size_t threshold() const noexcept { return threshold_; }

    /// Gives back the memory of the own compressor, whose next message then refers to none before it. That is always
    /// allowed: the window is a compressor's to use.
    void release_deflater() noexcept { own_.reset(); }

private:
    deflate_engines& engines_;
    deflate_settings settings_;
    std::size_t threshold_;
    bool shared_ = false;
    bool takes_over_;
    std::size_t window_;  ///< How far back the peer may refer beyond a message; 0 without context takeover.
    std::unique_ptr<deflater> own_;
    byte_buffer history_;
};

}  // namespace wsio::protocol
