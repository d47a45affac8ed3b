#include "io/report.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

#include "io/log.hpp"

namespace wsio::detail {

namespace {

std::string describe(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "an exception that is not a std::exception";
    }
}

// A line for the log, or else for standard error; and the hook.
void tell(const std::function<void(std::exception_ptr, const request&)>& hook, const log_function& log_to,
          std::exception_ptr exception, const request& r, const std::string& line) {
    log(log_to, log_level::error, [&] { return line; });
    if (hook)
        hook(std::move(exception), r);
    else if (!log_to)
        fmt::print(stderr, "wsio: {}\n", line);
}

}  // namespace

void report_exception(const std::function<void(std::exception_ptr, const request&)>& hook, const log_function& log_to,
                      std::exception_ptr exception, const request& r) noexcept {
    try {
        auto const line = fmt::format("an exception left the handler of {} {} from {}: {}", quoted(r.method()),
                                      quoted(r.target()), r.client_endpoint().to_string(), describe(exception));
        tell(hook, log_to, std::move(exception), r, line);
    } catch (...) {
        // Nobody is left to tell.
    }
}

void report_failed_reload(const std::function<void(std::exception_ptr, const request&)>& hook,
                          const log_function& log_to, std::exception_ptr exception) noexcept {
    try {
        auto why = describe(exception);
        if (why.starts_with("wsio: ")) why.erase(0, 6);  // the line has it already
        auto const line = why + "; the certificates from before stay in use";
        tell(hook, log_to, std::move(exception), request("(reload)", ""), line);
    } catch (...) {
        // Nobody is left to tell.
    }
}

}  // namespace wsio::detail
