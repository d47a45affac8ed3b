#pragma once

// What a sample of the documentation may take for granted, besides the library itself.

#include <wsio/wsio.hpp>

#include <fmt/core.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The handler of the README's first sample, which later ones use.
boost::asio::awaitable<void> echo(wsio::socket socket);
