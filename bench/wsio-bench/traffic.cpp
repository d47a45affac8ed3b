#include "traffic.hpp"

#include "protocol/hybi.hpp"

#include <wsio/byte_buffer.hpp>
#include <wsio/protocols.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace wsio::bench {
namespace {

/// Memory for prepared frames of one thread. When it does not suffice, connections share masking keys.
constexpr std::size_t prepared_bytes = std::size_t{64} << 20;

/// What stands before the bytes of a stored block that begins at a byte (RFC 1951 3.2.4).
constexpr std::size_t stored_block_header = 5;

}  // namespace

traffic::traffic(const settings& wanted, std::size_t connections, random_source& random)
    : payload_size_(wanted.size), number_size_(std::min(wanted.size, number_size)) {
    auto const& strategy = protocols[wanted.version];
    auto const type = wanted.binary ? protocol::opcode::binary : protocol::opcode::text;
    auto payload = make_payload(wanted.payload, wanted.size);

    byte_buffer frame;
    strategy.encode(type, payload, frame);
    expected_ = frame.view();
    auto const envelope = strategy.wrap(type, payload.size());
    expected_number_at_ = envelope.prefix_size;
    // A client's frame has the masking key more (RFC 6455 5.3); the hixie drafts mask nothing.
    bool const masks = is_hybi(wanted.version);
    if (wanted.compress) payload = compress(payload);
    sent_number_at_ = strategy.wrap(type, payload.size()).prefix_size + (masks ? sizeof(std::uint32_t) : 0U) +
                      (wanted.compress ? stored_block_header : 0U);

    auto const copies = masks ? std::clamp<std::size_t>(prepared_bytes / expected_.size(), 1, connections) : 1;
    frames_.reserve(copies);
    while (frames_.size() < copies) {
        if (!masks) {
            frames_.push_back({expected_, 0});
            continue;
        }
        auto const key = random.number<std::uint32_t>();
        frame.clear();
        protocol::encode_masked(type, payload, key, frame);
        if (wanted.compress) frame.data()[0] = static_cast<char>(frame.data()[0] | 0x40);  // RSV1 (RFC 7692 6.1)
        // A number that stands five bytes into the payload is masked from the second byte of the key on.
        auto const turned =
            wanted.compress ? std::rotr(key, 8 * static_cast<int>(stored_block_header % sizeof key)) : key;
        frames_.push_back({std::string(frame.view()), std::uint64_t{turned} << 32 | turned});
    }
}

/// Compresses a payload so that its number can be written over: the number is a stored block of its own, at the front.
std::string traffic::compress(std::string_view payload) {
    constexpr protocol::deflate_parameters alone{.server_no_context_takeover = true,
                                                 .client_no_context_takeover = true};
    codec_.emplace(engines_, protocol::role::client, alone, protocol::deflate_settings{}, 0);
    auto const size = static_cast<char>(number_size_);
    std::string block{'\0', size, '\0', static_cast<char>(~size), '\xff'};  // RFC 1951 3.2.4
    block += payload.substr(0, number_size_);
    byte_buffer rest;
    protocol::deflater({}).deflate(payload.substr(number_size_), rest);
    return block.append(rest.view());
}

inline void traffic::write_number(char* to, std::uint64_t word) const noexcept {
    if (number_size_ == sizeof word)  // one store
        std::memcpy(to, &word, sizeof word);
    else
        std::memcpy(to, &word, number_size_);
}

void traffic::write(std::size_t index, std::uint64_t number, char* to) const noexcept {
    auto const& frame = frame_of(index);
    // The payload in the prepared frame has the number 0, which is written over.
    std::memcpy(to, frame.bytes.data(), frame.bytes.size());
    write_number(to + sent_number_at_, number_characters(number) ^ frame.number_mask);
}

traffic::parts traffic::split(std::size_t index, std::uint64_t number) const noexcept {
    auto const& frame = frame_of(index);
    parts result;
    result.head_size = sent_number_at_ + number_size_;
    std::memcpy(result.head.data(), frame.bytes.data(), sent_number_at_);
    write_number(&result.head[sent_number_at_], number_characters(number) ^ frame.number_mask);
    result.tail = std::string_view(frame.bytes).substr(result.head_size);
    return result;
}

std::string_view traffic::expected(std::uint64_t number) noexcept {
    write_number(&expected_[expected_number_at_], number_characters(number));
    return expected_;
}

}  // namespace wsio::bench
