#pragma once

#include "command_line.hpp"

#include <wsio/client.hpp>

#include <chrono>
#include <string>

namespace wsio::command {

/// The options of those commands that connect to a server, and what comes of them.
struct client_arguments {
    std::string url;  ///< With its scheme, once `finish` has run.
    client_options options;

    /// Adds the options that say how to get to the server: TLS, proxy, times.
    /// `timeout` is the default.
    void add_way_to(command_line& to, std::chrono::milliseconds timeout = std::chrono::seconds(10));
    /// Adds the options that say what to ask for: header fields, subprotocols, origin.
    void add_wishes_to(command_line& to);

    /// Puts the options together. Throws `failure`.
    void finish();

private:
    client_tls_options tls_;
    bool insecure_ = false;
};

/// Says what a program exits with that could not connect because of `why`.
[[nodiscard]] exit_code exit_code_of(error why) noexcept;

}  // namespace wsio::command
