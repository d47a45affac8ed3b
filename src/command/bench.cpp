#include "arguments.hpp"
#include "command.hpp"
#include "program.hpp"

namespace wsio::command {

exit_code run_bench(words given) { return bench::measure("wsio bench", given); }

std::string help_of_bench() { return bench::help_text("wsio bench"); }

}  // namespace wsio::command
