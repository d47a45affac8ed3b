#include "handshake/random.hpp"

#include <openssl/rand.h>

#include <stdexcept>

namespace wsio::handshake {

void fill_with_random(std::span<std::byte> bytes) {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1)
        throw std::runtime_error("wsio: OpenSSL could not give random bytes");
}

}  // namespace wsio::handshake
