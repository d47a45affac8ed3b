#include "protocol/permessage_deflate.hpp"

#include <algorithm>

namespace wsio::protocol {

inflater& deflate_engines::inflating() {
    if (!inflater_) inflater_ = std::make_unique<inflater>();
    return *inflater_;
}

deflater& deflate_engines::deflating(const deflate_settings& settings) {
    for (auto const& [known, engine] : deflaters_)
        if (known == settings) return *engine;
    return *deflaters_.emplace_back(settings, std::make_unique<deflater>(settings)).second;
}

byte_buffer& deflate_engines::blank() noexcept {
    constexpr std::size_t most_kept = std::size_t{256} << 10;
    if (compressed_.capacity() > most_kept) compressed_.release();
    compressed_.clear();
    return compressed_;
}

permessage_deflate::permessage_deflate(deflate_engines& engines, role role, const deflate_parameters& agreed,
                                       deflate_settings settings, std::size_t threshold)
    : engines_(engines), settings_(settings), threshold_(threshold) {
    bool const server = role == role::server;
    bool const peer_forgets = server ? agreed.client_no_context_takeover : agreed.server_no_context_takeover;
    int const own_bits = server ? agreed.server_max_window_bits : agreed.client_max_window_bits;
    int const peer_bits = server ? agreed.client_max_window_bits : agreed.server_max_window_bits;
    settings_.window_bits = std::min(settings_.window_bits, own_bits);
    takes_over_ = !(server ? agreed.server_no_context_takeover : agreed.client_no_context_takeover);
    window_ = peer_forgets ? 0 : std::size_t{1} << peer_bits;
}

std::optional<std::string_view> permessage_deflate::compress(std::string_view message) {
    if (message.size() < threshold_) return std::nullopt;
    auto& compressed = engines_.blank();
    if (takes_over_) {
        if (!own_) own_ = std::make_unique<deflater>(settings_);
        // It goes out compressed even where that makes it longer, because the context has moved on.
        own_->deflate(message, compressed);
    } else if (!engines_.deflating(settings_).deflate_alone(message, compressed)) {
        return std::nullopt;
    }
    return compressed.view();
}

std::string_view permessage_deflate::compress_piece(std::string_view piece, bool last,
                                                    std::unique_ptr<deflater>& alone) {
    auto& engine = takes_over_ ? own_ : alone;
    if (!engine) engine = std::make_unique<deflater>(settings_);
    auto& compressed = engines_.blank();
    if (last)
        engine->deflate(piece, compressed);
    else
        engine->deflate_piece(piece, compressed);
    return compressed.view();
}

inflater::outcome permessage_deflate::inflate(std::string_view payload, std::size_t limit, byte_buffer& out) {
    auto const result = engines_.inflating().inflate(payload, history_.view(), limit, out);
    if (result == inflater::outcome::done) remember(out.view());
    return result;
}

void permessage_deflate::remember(std::string_view received) {
    if (window_ == 0) return;
    received = received.substr(received.size() - std::min(received.size(), window_));
    auto const wanted = history_.size() + received.size();
    if (wanted > window_) history_.drop_front(wanted - window_);
    auto const size = history_.size() + received.size();
    if (size > history_.capacity()) history_.reserve(std::min(window_, std::max(size, 2 * history_.capacity())));
    history_.append(received);
}

}  // namespace wsio::protocol
