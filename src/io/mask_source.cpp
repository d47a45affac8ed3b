#include "io/mask_source.hpp"

#include "handshake/random.hpp"

namespace wsio::detail {

void mask_source::refill() {
    handshake::fill_with_random(std::as_writable_bytes(std::span(keys_)));
    used_ = 0;
}

std::span<char> mask_source::room() {
    if (!room_) room_ = std::make_unique_for_overwrite<char[]>(room_size);
    return {room_.get(), room_size};
}

}  // namespace wsio::detail
