#include "handshake/extensions.hpp"

#include "handshake/http_grammar.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace wsio::handshake {
namespace {

/// Reads along the value of one Sec-WebSocket-Extensions field:
///
///     extension = token *( ";" token [ "=" ( token | quoted-string ) ] )
///
/// White space may stand around all of these (RFC 2616 2.1, which RFC 6455 9.1 builds on).
class scanner {
public:
    explicit scanner(std::string_view text) noexcept : rest_(text) { skip_space(); }

    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

    /// Takes one character if it comes next, with the space behind it.
    bool take(char expected) noexcept {
        if (rest_.empty() || rest_.front() != expected) return false;
        rest_.remove_prefix(1);
        skip_space();
        return true;
    }

    /// Takes a token; an empty one if none comes next.
    std::string_view take_token() noexcept {
        auto const end = std::find_if_not(rest_.begin(), rest_.end(), is_token_character);
        auto const token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(token.size());
        skip_space();
        return token;
    }

    /// Takes a token, quoted or not. What stands in quotes must be a token as well (RFC 6455 9.1); empty if it is not.
    std::string take_value() {
        if (rest_.empty() || rest_.front() != '"') return std::string(take_token());
        std::string value;
        for (std::size_t i = 1; i < rest_.size(); ++i) {
            if (rest_[i] == '"') {
                rest_.remove_prefix(i + 1);
                skip_space();
                return is_token(value) ? value : std::string();
            }
            if (rest_[i] == '\\') ++i;
            if (i == rest_.size()) break;
            value += rest_[i];
        }
        return {};
    }

private:
    void skip_space() noexcept { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }

    std::string_view rest_;
};

bool read_extension(scanner& text, extension& into) {
    into.name = text.take_token();
    if (into.name.empty()) return false;
    while (text.take(';')) {
        auto& parameter = into.parameters.emplace_back();
        parameter.name = text.take_token();
        if (parameter.name.empty()) return false;
        if (!text.take('=')) continue;
        parameter.value = text.take_value();
        if (parameter.value->empty()) return false;
    }
    return true;
}

/// Appends the extensions of one field; false if it is malformed. Elements of a list may be empty (RFC 9110 5.6.1.2), but
/// one must be there.
bool read_field(std::string_view value, std::vector<extension>& into) {
    scanner text(value);
    auto const before = into.size();
    for (;;) {
        while (text.take(',')) {
        }
        if (text.at_end()) return into.size() > before;
        if (!read_extension(text, into.emplace_back())) return false;
        if (!text.at_end() && !text.take(',')) return false;
    }
}

/// Reads 8 to 15 without leading zeros (RFC 7692 7.1.2).
std::optional<std::uint8_t> window_bits(std::string_view value) noexcept {
    if (value == "8" || value == "9") return static_cast<std::uint8_t>(value[0] - '0');
    if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5')
        return static_cast<std::uint8_t>(10 + value[1] - '0');
    return std::nullopt;
}

/// One offer of permessage-deflate (RFC 7692 7.1).
struct deflate_offer {
    bool server_no_context_takeover = false;
    bool client_no_context_takeover = false;
    std::optional<std::uint8_t> server_max_window_bits;
    std::optional<std::uint8_t> client_max_window_bits;  ///< 15 where the client gave no value.
};

/// Reads an offer; nothing if it has to be declined: it has a parameter that is unknown, has a wrong value or comes twice
/// (RFC 7692 7.1).
std::optional<deflate_offer> read_offer(const extension& offered) {
    deflate_offer offer;
    for (auto const& [name, value] : offered.parameters) {
        if (name == "server_no_context_takeover" || name == "client_no_context_takeover") {
            bool& flag = name[0] == 's' ? offer.server_no_context_takeover : offer.client_no_context_takeover;
            if (value || std::exchange(flag, true)) return std::nullopt;
        } else if (name == "server_max_window_bits" || name == "client_max_window_bits") {
            bool const servers = name[0] == 's';
            auto& bits = servers ? offer.server_max_window_bits : offer.client_max_window_bits;
            if (bits || (servers && !value)) return std::nullopt;
            bits = value ? window_bits(*value) : protocol::max_window_bits;
            if (!bits) return std::nullopt;
        } else {
            return std::nullopt;
        }
    }
    return offer;
}

/// Answers a valid offer.
deflate_agreement answer(const deflate_offer& offer, const compression& settings) {
    constexpr std::uint8_t most = protocol::max_window_bits;
    bool const shared = settings.mode == compression_mode::shared;
    protocol::deflate_parameters agreed;
    // A server may forbid both contexts whether or not the client offers that (RFC 7692 7.1.1), and so may it limit its
    // own window (7.1.2.1).
    agreed.server_no_context_takeover = shared || offer.server_no_context_takeover;
    agreed.client_no_context_takeover = shared || offer.client_no_context_takeover;
    agreed.server_max_window_bits =
        std::min(static_cast<std::uint8_t>(settings.window_bits), offer.server_max_window_bits.value_or(most));
    // The client's window only if the client says that it can be limited (7.1.2.2), and where it would have to be kept.
    agreed.client_max_window_bits = offer.client_max_window_bits.value_or(most);
    if (offer.client_max_window_bits && !agreed.client_no_context_takeover)
        agreed.client_max_window_bits =
            std::min(agreed.client_max_window_bits, static_cast<std::uint8_t>(settings.client_window_bits));

    std::string response = "permessage-deflate";
    if (agreed.server_no_context_takeover) response += "; server_no_context_takeover";
    if (agreed.client_no_context_takeover) response += "; client_no_context_takeover";
    // One that was offered has to be there to be accepted (7.1.2.1).
    if (offer.server_max_window_bits || agreed.server_max_window_bits < most)
        response += "; server_max_window_bits=" + std::to_string(agreed.server_max_window_bits);
    if (agreed.client_max_window_bits < most)
        response += "; client_max_window_bits=" + std::to_string(agreed.client_max_window_bits);
    return {agreed, std::move(response)};
}

}  // namespace

std::optional<std::vector<extension>> read_extensions(const headers& fields) {
    std::vector<extension> offers;
    for (auto const& [name, value] : fields)
        if (equal_without_case(name, "Sec-WebSocket-Extensions") && !read_field(value, offers)) return std::nullopt;
    return offers;
}

// `window_bits` is this end's and `client_window_bits` the peer's, whichever role each has.
std::string offer_deflate(const compression& settings) {
    // What both ends forget needs no window beyond a message.
    if (settings.mode == compression_mode::shared)
        return "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits";
    // A server that cannot limit its window has to decline the first (RFC 7692 7.1.2.1), but not the second.
    std::string plain = "permessage-deflate; client_max_window_bits";
    if (settings.client_window_bits == protocol::max_window_bits) return plain;
    return plain + "; server_max_window_bits=" + std::to_string(settings.client_window_bits) + ", " + plain;
}

std::optional<protocol::deflate_parameters> check_deflate(const extension& answer, const compression& settings) {
    if (answer.name != "permessage-deflate") return std::nullopt;
    // An answer has the parameters of an offer, but that the client's window needs a value (7.1.2.2).
    for (auto const& [name, value] : answer.parameters)
        if (name == "client_max_window_bits" && !value) return std::nullopt;
    auto const read = read_offer(answer);
    if (!read) return std::nullopt;
    bool const shared = settings.mode == compression_mode::shared;
    // The only offer there was had it, so the answer must (7.1.1.1).
    if (shared && !read->server_no_context_takeover) return std::nullopt;
    // A server may name its window without having been asked (7.1.2.1). One larger than the first offer asks for fits the
    // second, which asks for none.
    auto const server_bits = read->server_max_window_bits.value_or(protocol::max_window_bits);
    protocol::deflate_parameters agreed;
    agreed.server_no_context_takeover = read->server_no_context_takeover;
    // This client said that it forgets, and does so whether or not the server says it again (7.1.1.2).
    agreed.client_no_context_takeover = shared || read->client_no_context_takeover;
    agreed.server_max_window_bits = server_bits;
    agreed.client_max_window_bits = read->client_max_window_bits.value_or(protocol::max_window_bits);
    return agreed;
}

std::optional<deflate_agreement> accept_deflate(std::span<const extension> offers, const compression& settings) {
    if (settings.mode == compression_mode::off) return std::nullopt;
    for (auto const& each : offers) {
        if (each.name != "permessage-deflate") continue;
        if (auto const offer = read_offer(each)) return answer(*offer, settings);
    }
    return std::nullopt;
}

}  // namespace wsio::handshake
