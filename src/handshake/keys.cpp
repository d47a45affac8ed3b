#include "handshake/keys.hpp"

#include "handshake/http_grammar.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <stdexcept>

namespace wsio::handshake {
namespace {

struct evp_deleter {
    void operator()(EVP_MD* digest) const noexcept { EVP_MD_free(digest); }
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using digest_pointer = std::unique_ptr<EVP_MD, evp_deleter>;
using context_pointer = std::unique_ptr<EVP_MD_CTX, evp_deleter>;

/// Looks a digest up in OpenSSL. That costs more than hashing a key, so each is looked up once.
digest_pointer fetch(const char* name, const char* properties) {
    digest_pointer digest(EVP_MD_fetch(nullptr, name, properties));
    if (!digest) throw std::runtime_error(std::string("wsio: this OpenSSL does not offer ") + name);
    return digest;
}

void hash(const EVP_MD* digest, std::string_view bytes, unsigned char* out) {
    static thread_local context_pointer const context(EVP_MD_CTX_new());
    if (!context || EVP_DigestInit_ex2(context.get(), digest, nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
        EVP_DigestFinal_ex(context.get(), out, nullptr) != 1)
        throw std::runtime_error("wsio: OpenSSL could not compute a digest");
}

constexpr bool is_base64(char c) noexcept { return is_alphanumeric(c) || c == '+' || c == '/'; }

}  // namespace

std::string base64(std::string_view bytes) {
    std::string encoded(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // with the NUL that OpenSSL writes
    auto const size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    encoded.resize(static_cast<std::size_t>(size));
    return encoded;
}

std::string accept_key(std::string_view key) {
    static digest_pointer const sha_1 = fetch("SHA1", nullptr);
    std::string text(key);
    text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3
    std::array<unsigned char, 20> digest;
    hash(sha_1.get(), text, digest.data());
    return base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

bool is_sixteen_bytes(std::string_view key) noexcept {
    return key.size() == 24 && key.ends_with("==") && std::all_of(key.begin(), key.end() - 2, is_base64);
}

std::optional<std::uint32_t> hixie_76_part(std::string_view key) noexcept {
    std::uint64_t number = 0;
    std::uint64_t spaces = 0;
    bool has_digit = false;
    for (char const c : key) {
        if (c == ' ') ++spaces;
        if (!is_digit(c)) continue;
        has_digit = true;
        number = number * 10 + static_cast<unsigned>(c - '0');
        // The number itself is bounded, not the quotient; stopping here also keeps it from wrapping around.
        if (number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    }
    if (!has_digit || spaces == 0 || number % spaces != 0) return std::nullopt;
    return static_cast<std::uint32_t>(number / spaces);
}

std::array<char, 16> hixie_76_answer(std::uint32_t part_1, std::uint32_t part_2, std::string_view key3) {
    // "-fips": an OpenSSL whose default is FIPS has no MD5 there, and nothing secret hangs on this one.
    static digest_pointer const md5 = fetch("MD5", "-fips");
    std::string challenge;
    for (auto const part : {part_1, part_2})
        for (int shift = 24; shift >= 0; shift -= 8) challenge += static_cast<char>(part >> shift & 0xFF);
    challenge += key3;

    std::array<unsigned char, 16> digest;
    hash(md5.get(), challenge, digest.data());
    std::array<char, 16> answer;
    std::copy(digest.begin(), digest.end(), answer.begin());
    return answer;
}

}  // namespace wsio::handshake
