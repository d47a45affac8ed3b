// Measures a WebSocket server. See docs/wsio-bench.md.

#include "failure.hpp"
#include "output.hpp"
#include "program.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <exception>

using namespace wsio::bench;

int main(int argc, char** argv) {
    open_closed_standard_files();
    try {
        return static_cast<int>(measure("wsio-bench", {argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)}));
    } catch (const failure& cause) {
        bool const usage = cause.code() == exit_code::usage;
        tell(fmt::format("wsio-bench: {}{}", cause.what(), usage ? " (see wsio-bench --help)" : ""));
        return static_cast<int>(cause.code());
    } catch (const std::exception& error) {
        tell(fmt::format("wsio-bench: {}", error.what()));
        return static_cast<int>(exit_code::system);
    }
}
