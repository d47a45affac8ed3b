#pragma once

#include <wsio/client.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>

#include "io/side.hpp"

namespace wsio::detail {

/// From when to when a connection was open.
struct lifetime {
    std::chrono::steady_clock::time_point begun;
    std::optional<std::chrono::steady_clock::time_point> ended;
};

/// The client of one connection: its rules, and what only a client has to know.
class client_state final : public side {
public:
    /// `noted` is told when the connection begins and ends; null for nobody.
    client_state(const client_options& settings, std::shared_ptr<lifetime> noted);
    ~client_state() override;

    void opened(connection& c);
    void ended(connection& c) override;
    void report(std::exception_ptr exception, const request& r) const override;

    /// The payload that the connection's outbox borrows, and masks as it leaves: the key and the size of the whole.
    struct borrowed_payload {
        std::uint32_t key = 0;
        std::size_t size = 0;
    };
    borrowed_payload borrowed;

private:
    std::function<void(std::exception_ptr, const request&)> on_exception_;
    log_function log_;
    std::shared_ptr<monitor> monitor_;
    std::shared_ptr<lifetime> lifetime_;
    bool counted_ = false;  ///< Among the open connections: one may end, for want of memory, before it is.
};

}  // namespace wsio::detail
