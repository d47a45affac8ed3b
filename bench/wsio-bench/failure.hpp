#pragma once

#include <stdexcept>
#include <string>

namespace wsio::bench {

/// What the program exits with. Documented in docs/wsio-bench.md.
enum class exit_code : int {
    success = 0,
    system = 1,           ///< This machine would not: files, memory, ports.
    usage = 2,            ///< The command line makes no sense.
    no_connection = 3,    ///< No TCP connection to the server.
    no_handshake = 4,     ///< The server refused the handshake or answered it wrongly.
    wrong_answer = 5,     ///< The server echoed wrongly or broke the protocol.
    connection_lost = 6,  ///< The server closed a connection.
    interrupted = 130,    ///< Ctrl-C; what was measured until then is printed.
};

/// Ends the run.
class failure : public std::runtime_error {
public:
    failure(exit_code code, const std::string& what) : std::runtime_error(what), code_(code) {}

    [[nodiscard]] exit_code code() const noexcept { return code_; }

private:
    exit_code code_;
};

}  // namespace wsio::bench
