#pragma once

#include <wsio/compression.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "io/deadlines.hpp"
#include "protocol/permessage_deflate.hpp"

namespace wsio::detail {

class loop;

/// What a connection compresses with: one of its own if a context is taken over, else one that all such connections of the
/// loop share. Gives its memory back when it has compressed nothing for a while.
class compressor final : public protocol::permessage_deflate, deadline {
public:
    /// Gives the compressor of one end of a connection for what was agreed on.
    [[nodiscard]] static pointer make(loop& l, protocol::role role, const protocol::deflate_parameters& agreed,
                                      const compression& settings);

    compressor(loop& l, protocol::role role, const protocol::deflate_parameters& agreed, const compression& settings);
    ~compressor() override;

    [[nodiscard]] std::optional<std::string_view> compress(std::string_view message) override;
    [[nodiscard]] std::string_view compress_piece(std::string_view piece, bool last,
                                                  std::unique_ptr<protocol::deflater>& alone) override;

private:
    void note_use(bool had_deflater);
    void deadline_passed() override;

    loop& loop_;
    std::chrono::milliseconds idle_;
    bool used_ = false;  ///< Has compressed since the deadline was set.
};

/// What the connections of one loop share to compress.
class compressors {
public:
    [[nodiscard]] protocol::deflate_engines& engines() noexcept { return engines_; }

    /// Gives the compressor for what was agreed on, if that leaves nothing to keep.
    [[nodiscard]] compressor& shared(loop& l, protocol::role role, const protocol::deflate_parameters& agreed,
                                     const compression& settings);

private:
    struct entry {
        protocol::role role;
        protocol::deflate_parameters agreed;
        compression settings;
        std::unique_ptr<compressor> one;
    };
    protocol::deflate_engines engines_;
    std::vector<entry> shared_;  ///< As many as there are settings in use: a few.
};

}  // namespace wsio::detail
