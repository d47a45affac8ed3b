#pragma once

#include <wsio/log.hpp>
#include <wsio/request.hpp>

#include <exception>
#include <functional>

namespace wsio::detail {

/// Tells the log and the application's hook of an exception that left a handler; without either, prints one line to
/// standard error. Never throws.
void report_exception(const std::function<void(std::exception_ptr, const request&)>& hook, const log_function& log_to,
                      std::exception_ptr exception, const request& r) noexcept;

/// Tells likewise that the certificates could not be read again.
void report_failed_reload(const std::function<void(std::exception_ptr, const request&)>& hook,
                          const log_function& log_to, std::exception_ptr exception) noexcept;

}  // namespace wsio::detail
