#pragma once

#include <wsio/error.hpp>

#include <string>

namespace wsio::handshake {

/// Why a client's handshake failed.
struct failure {
    error why{};
    std::string message = {};  ///< One line: what was met, and what to do about it.
};

}  // namespace wsio::handshake
