#pragma once

#include <wsio/protocol_version.hpp>
#include <wsio/status.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wsio::command {

/// What `wsio probe` has found out about a server.
struct findings {
    /// One protocol version.
    struct version {
        protocol_version spoken;
        std::string problem = {};  ///< Why it is not spoken; empty when it is.
        double nanoseconds = 0;    ///< From the URL to the end of the handshake.
        std::string subprotocol = {};
        std::string extensions = {};  ///< As the server wrote them.

        [[nodiscard]] bool works() const noexcept { return problem.empty(); }
    };

    /// How large a message may be.
    struct message_size {
        std::size_t taken = 0;    ///< The largest that was taken.
        std::size_t refused = 0;  ///< The smallest that was not; 0 when each was taken.
        std::string why = {};     ///< How the connection ended over it.
    };

    /// What the server does with a client that is silent.
    struct silence {
        double watched_seconds = 0;
        std::optional<double> pinged_after = {};
        bool spoke = false;  ///< It sent messages, so that pings could not be told from them.
        std::optional<double> closed_after = {};
        std::string why = {};  ///< How it was closed.
    };

    std::string url = {};  ///< Without user name and password.
    std::vector<version> versions = {};
    std::vector<std::string> offered = {};  ///< Subprotocols.
    std::string server = {};                ///< What the server calls itself.
    std::optional<double> ping_nanoseconds = {};
    bool was_pinged = false;  ///< There was a version that has pings.
    /// Only what was asked for; nothing where no version with pings is spoken, which it takes.
    bool size_was_asked = false;
    std::optional<message_size> size = {};
    bool patience_was_asked = false;
    std::optional<silence> patience = {};

    [[nodiscard]] bool speaks_any() const noexcept {
        for (auto const& each : versions)
            if (each.works()) return true;
        return false;
    }
};

[[nodiscard]] std::string as_table(const findings& found);
[[nodiscard]] std::string as_json(const findings& found);

}  // namespace wsio::command
