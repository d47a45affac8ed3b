#pragma once

#include <wsio/client.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>

#include "io/side.hpp"

namespace wsio::detail {

/// The client of one connection: its rules, and what only a client has to know.
class client_state final : public side {
public:
    explicit client_state(const client_options& settings);
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
};

}  // namespace wsio::detail
