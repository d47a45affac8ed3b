// Measures a WebSocket server. See docs/wsio-bench.md.

#include "failure.hpp"
#include "program.hpp"

#include <cstdio>
#include <exception>

using namespace wsio::bench;

int main(int argc, char** argv) {
    try {
        return static_cast<int>(measure("wsio-bench", {argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)}));
    } catch (const failure& cause) {
        bool const usage = cause.code() == exit_code::usage;
        std::fprintf(stderr, "wsio-bench: %s%s\n", cause.what(), usage ? " (see wsio-bench --help)" : "");
        return static_cast<int>(cause.code());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "wsio-bench: %s\n", error.what());
        return static_cast<int>(exit_code::system);
    }
}
