#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

/// What the echo servers that wsio is compared with have in common: their command line is `--port N`, they listen on
/// 127.0.0.1, take messages up to 16 MiB, and use one thread. One that can compress does so with `--compress` behind it.
namespace peer {

constexpr std::size_t max_message_size = std::size_t{16} << 20;

/// Tells whether compression is asked for.
inline bool compresses(int argc, char** argv) { return argc == 4 && std::strcmp(argv[3], "--compress") == 0; }

/// Reads `--port N`; ends the program when that is not what is given.
inline std::uint16_t port_from(int argc, char** argv, bool can_compress = false) {
    if (!(argc == 3 || (can_compress && compresses(argc, argv))) || std::strcmp(argv[1], "--port") != 0) {
        std::fprintf(stderr, "usage: %s --port N%s\n", argv[0], can_compress ? " [--compress]" : "");
        std::exit(2);
    }
    return static_cast<std::uint16_t>(std::atoi(argv[2]));
}

/// Says where the server listens.
inline void announce(const char* name, unsigned port) {
    std::printf("%s listens on 127.0.0.1:%u\n", name, port);
    std::fflush(stdout);
}

/// Lets the process have as many connections as the system allows.
inline void allow_open_files() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace peer
