#include "io/compressor.hpp"

#include "io/loop.hpp"

namespace wsio::detail {

namespace {

protocol::deflate_settings settings_of(const compression& settings) noexcept {
    return {.window_bits = settings.window_bits, .level = settings.level, .memory_level = settings.memory_level};
}

}  // namespace

compressor::compressor(loop& l, protocol::role role, const protocol::deflate_parameters& agreed,
                       const compression& settings)
    : permessage_deflate(l.compressing().engines(), role, agreed, settings_of(settings), settings.threshold),
      loop_(l),
      idle_(settings.idle) {}

compressor::~compressor() {
    if (has_own_deflater()) loop_.clear_deadline(*this);
}

compressor::pointer compressor::make(loop& l, protocol::role role, const protocol::deflate_parameters& agreed,
                                     const compression& settings) {
    if (agreed.server_no_context_takeover && agreed.client_no_context_takeover)
        return l.compressing().shared(l, role, agreed, settings).share();
    return pointer(new compressor(l, role, agreed, settings));
}

std::optional<std::string_view> compressor::compress(std::string_view message) {
    bool const had_deflater = has_own_deflater();
    auto const compressed = permessage_deflate::compress(message);
    if (compressed) note_use(had_deflater);
    return compressed;
}

std::string_view compressor::compress_piece(std::string_view piece, bool last,
                                            std::unique_ptr<protocol::deflater>& alone) {
    bool const had_deflater = has_own_deflater();
    auto const compressed = permessage_deflate::compress_piece(piece, last, alone);
    note_use(had_deflater);
    return compressed;
}

void compressor::note_use(bool had_deflater) {
    used_ = true;
    if (!had_deflater && has_own_deflater()) loop_.set_deadline(*this, idle_);
}

// The clock runs on while the compressor is in use, so that a message does not cost the setting of a deadline.
void compressor::deadline_passed() {
    if (used_) {
        used_ = false;
        loop_.set_deadline(*this, idle_);
    } else {
        release_deflater();
    }
}

compressor& compressors::shared(loop& l, protocol::role role, const protocol::deflate_parameters& agreed,
                                const compression& settings) {
    for (auto const& each : shared_)
        if (each.role == role && each.agreed == agreed && each.settings == settings) return *each.one;
    return *shared_.emplace_back(role, agreed, settings, std::make_unique<compressor>(l, role, agreed, settings)).one;
}

}  // namespace wsio::detail
