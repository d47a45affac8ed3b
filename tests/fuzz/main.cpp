#include "fuzz.hpp"

// Where libFuzzer enters.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    wsio::fuzz::fuzz({reinterpret_cast<const char*>(data), size});
    return 0;
}
