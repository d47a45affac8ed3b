#pragma once

#include "findings.hpp"

#include <wsio/client.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace wsio::command {

/// What is to be found out.
struct probe_settings {
    std::string url = {};
    client_options way = {};
    std::vector<protocol_version> versions = {};
    std::size_t largest_message = 0;                        ///< How large the messages are that are tried; 0 for none.
    std::optional<std::chrono::milliseconds> silence = {};  ///< How long to be silent.
};

/// Finds it out, on a connection for each version, one after the other. Throws `failure` when there is no connection at all.
[[nodiscard]] boost::asio::awaitable<findings> probe(const probe_settings& wanted);

}  // namespace wsio::command
