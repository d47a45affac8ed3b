#include "client_handshake.hpp"

#include "failure.hpp"
#include "handshake/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>

namespace wsio::bench {
namespace {

constexpr std::size_t max_response = 64 * 1024;

[[noreturn]] void refuse(const std::string& why) { throw failure(exit_code::no_handshake, why); }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
    });
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::string_view take_line(std::string_view& text) {
    auto const line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(std::min(line.size() + 2, text.size()));
    return line;
}

/// Gives the value of the first field of that name for which `fits` gives true; nothing when there is none.
template <typename Fits>
std::optional<std::string_view> find_field(std::string_view head, std::string_view name, Fits fits) {
    take_line(head);
    while (!head.empty()) {
        auto const line = take_line(head);
        auto const colon = line.find(':');
        if (colon == std::string_view::npos || !equal_ignoring_case(line.substr(0, colon), name)) continue;
        if (auto const value = trim(line.substr(colon + 1)); fits(value)) return value;
    }
    return std::nullopt;
}

std::optional<std::string_view> find_field(std::string_view head, std::string_view name) {
    return find_field(head, name, [](std::string_view) { return true; });
}

/// Tells whether one of the words of a list that is written with commas is this one.
bool has_word(std::string_view list, std::string_view wanted) {
    for (;;) {
        auto const comma = list.find(',');
        if (equal_ignoring_case(trim(list.substr(0, comma)), wanted)) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
}

template <typename Matches>
void check_field(std::string_view head, std::string_view name, std::string_view wanted, Matches matches) {
    if (find_field(head, name, [&](std::string_view value) { return matches(value, wanted); })) return;
    auto const value = find_field(head, name);
    if (!value) refuse(fmt::format("the server's handshake has no {}", name));
    refuse(fmt::format("the server's handshake has {}: {} instead of {}", name, *value, wanted));
}

std::string base64(std::string_view bytes) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k) text += i + k > bytes.size() ? '=' : alphabet[group >> (18 - 6 * k) & 0x3F];
    }
    return text;
}

/// Makes a key whose digits are a multiple of its spaces (hixie-76 4.1 steps 16 to 24).
std::string hixie_key(random_source& random) {
    auto const spaces = 1 + random.number<std::uint8_t>() % 12U;
    auto const part = random.number<std::uint32_t>() / spaces;
    auto key = fmt::format("{}", std::uint64_t{part} * spaces);
    constexpr std::string_view letters = "!#%&*+-/ABCDEFGHIJKLMNOPQRSTUVWXYZ^_abcdefghijklmnopqrstuvwxyz~";
    for (int i = 0; i < 6; ++i)
        key.insert(random.number<std::uint8_t>() % (key.size() + 1), 1,
                   letters[random.number<std::uint8_t>() % letters.size()]);
    // Not at an end, where whoever reads the field would trim them.
    for (unsigned i = 0; i < spaces; ++i) key.insert(1 + random.number<std::uint8_t>() % (key.size() - 1), 1, ' ');
    return key;
}

/// Gives the first line of a body that says why the server refused; empty when there is none to show.
std::string_view first_line(std::string_view body) {
    constexpr std::size_t longest = 200;
    return trim(body.substr(0, std::min(body.find_first_of("\r\n"), longest)));
}

}  // namespace

client_handshake::client_handshake(const settings& wanted, random_source& random)
    : version_(wanted.version), compress_(wanted.compress) {
    auto const& target = wanted.target;
    bool const hybi = is_hybi(version_);
    request_ = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: {}\r\nConnection: Upgrade\r\n", target.target,
                           target.authority, hybi ? "websocket" : "WebSocket");
    // A duty in the hixie drafts (hixie-75 3.1, hixie-76 4.1).
    if (!hybi && !find_field("\r\n" + wanted.headers, "Origin"))
        request_ += fmt::format("Origin: http://{}\r\n", target.authority);
    request_ += wanted.headers;
    if (compress_)
        request_ +=
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n";
    if (hybi)
        make_hybi_key(random);
    else if (version_ == protocol_version::hixie_76)
        make_hixie_keys(random);
    else
        request_ += "\r\n";
}

void client_handshake::make_hybi_key(random_source& random) {
    std::array<char, 16> nonce;
    random.fill(nonce);
    auto const key = base64({nonce.data(), nonce.size()});
    expected_ = handshake::accept_key(key);
    auto const number = version_ == protocol_version::hybi_13 ? 13 : version_ == protocol_version::hybi_8 ? 8 : 7;
    request_ += fmt::format("Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: {}\r\n\r\n", key, number);
}

void client_handshake::make_hixie_keys(random_source& random) {
    auto const key1 = hixie_key(random);
    auto const key2 = hixie_key(random);
    std::array<char, 8> nonce;
    random.fill(nonce);
    std::string_view const key3{nonce.data(), nonce.size()};
    auto const answer = handshake::hixie_76_answer(handshake::hixie_76_part(key1).value(),
                                                   handshake::hixie_76_part(key2).value(), key3);
    expected_.assign(answer.data(), answer.size());
    request_ += fmt::format("Sec-WebSocket-Key1: {}\r\nSec-WebSocket-Key2: {}\r\n\r\n{}", key1, key2, key3);
}

std::optional<std::size_t> client_handshake::receive(std::string_view bytes) {
    auto const before = received_.size();
    received_ += bytes;
    auto const head_end = received_.find("\r\n\r\n");
    if (head_end == std::string::npos) {
        if (received_.size() > max_response) refuse("the server's answer to the handshake does not end");
        return std::nullopt;
    }
    auto const end = finish(head_end + 4);
    return end ? std::optional(*end - before) : std::nullopt;
}

/// Checks the response, whose head is complete; gives where it ends, when all of it is there.
std::optional<std::size_t> client_handshake::finish(std::size_t head_end) const {
    auto const head = std::string_view(received_).substr(0, head_end);
    auto const body = std::string_view(received_).substr(head_end);
    if (!head.starts_with("HTTP/1.1 101")) {
        std::size_t announced = 0;
        auto const length = find_field(head, "Content-Length").value_or("");
        std::from_chars(length.data(), length.data() + length.size(), announced);
        if (body.size() < std::min(announced, max_response)) return std::nullopt;
        fail_at_end();
    }
    check_head(head);
    if (version_ != protocol_version::hixie_76) return head_end;
    if (body.size() < expected_.size()) return std::nullopt;
    if (body.substr(0, expected_.size()) != expected_) refuse("the server's answer to the hixie-76 keys is wrong");
    return head_end + expected_.size();
}

void client_handshake::check_head(std::string_view head) const {
    check_field(head, "Upgrade", "websocket", equal_ignoring_case);
    check_field(head, "Connection", "Upgrade", has_word);  // there may be others: keep-alive (RFC 6455 4.1)
    if (!is_hybi(version_)) return;
    auto const accept = find_field(head, "Sec-WebSocket-Accept");
    if (!accept) refuse("the server's handshake has no Sec-WebSocket-Accept");
    if (*accept != expected_)
        refuse(fmt::format("the server's handshake has Sec-WebSocket-Accept: {} instead of {}", *accept, expected_));
    auto const extensions = find_field(head, "Sec-WebSocket-Extensions");
    if (extensions && !compress_)
        refuse(fmt::format("the server uses an extension that was not offered: {}", *extensions));
    if (!compress_) return;
    if (!extensions) refuse("the server does not compress (permessage-deflate)");
    // The parameter was offered, so an answer without it does not fit the offer (RFC 7692 7.1.1.1).
    if (!extensions->starts_with("permessage-deflate") ||
        extensions->find("server_no_context_takeover") == std::string_view::npos)
        refuse(fmt::format("the server's extension does not fit the offer: {}", *extensions));
}

void client_handshake::fail_at_end() const {
    if (received_.empty()) refuse("the server closed the connection without an answer to the handshake");
    std::string_view rest = received_;
    auto const status = take_line(rest);
    if (!status.starts_with("HTTP/"))
        refuse(fmt::format("the server does not answer in HTTP: '{}'", first_line(status)));
    auto const head_end = received_.find("\r\n\r\n");
    auto const body = head_end == std::string::npos ? "" : first_line(std::string_view(received_).substr(head_end + 4));
    refuse(fmt::format("the server refused the handshake: {}{}{}", status, body.empty() ? "" : ": ", body));
}

}  // namespace wsio::bench
