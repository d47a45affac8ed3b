#include "io/report.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string>

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

}  // namespace

void report_exception(const std::function<void(std::exception_ptr, const request&)>& hook, std::exception_ptr exception,
                      const request& r) noexcept {
    try {
        if (hook)
            hook(std::move(exception), r);
        else
            fmt::print(stderr, "wsio: an exception left the handler of {} {} from {}: {}\n", r.method(), r.target(),
                       r.client_endpoint().to_string(), describe(exception));
    } catch (...) {
        // Nobody is left to tell.
    }
}

void report_failed_reload(const std::function<void(std::exception_ptr, const request&)>& hook,
                          std::exception_ptr exception) noexcept {
    try {
        if (hook)
            hook(std::move(exception), request("(reload)", ""));
        else
            fmt::print(stderr, "{}; the certificates from before stay in use\n", describe(exception));
    } catch (...) {
        // Nobody is left to tell.
    }
}

}  // namespace wsio::detail
