#include "io/client_state.hpp"

#include <fmt/format.h>

#include <utility>

#include "io/connection.hpp"
#include "io/log.hpp"
#include "io/report.hpp"

namespace wsio::detail {

client_state::client_state(const client_options& settings, std::shared_ptr<lifetime> noted)
    : side(protocol::role::client, {settings.limits, settings.when_full, settings.timeouts, settings.compression}),
      on_exception_(settings.on_exception),
      log_(settings.log),
      monitor_(settings.monitor),
      lifetime_(std::move(noted)) {
    if (monitor_) monitor_->add(counts);
}

client_state::~client_state() {
    if (monitor_) monitor_->remove(counts);
}

void client_state::opened(connection& c) {
    counts.opened(c.strategy()->version());
    counted_ = true;
    if (lifetime_) lifetime_->begun = std::chrono::steady_clock::now();
    log(log_, log_level::info, [&] {
        return fmt::format("connected to {}: {}, {}{}", c.remote().to_string(), quoted(c.agreed().request().target()),
                           to_string(c.strategy()->version()), c.is_compressed() ? ", compressed" : "");
    });
}

void client_state::ended(connection& c) {
    auto const& how = *c.ending();
    if (lifetime_) lifetime_->ended = std::chrono::steady_clock::now();
    if (counted_) counts.ended(c.strategy()->version(), how.by, how.code);
    log(log_, how.by == ended_by::library ? log_level::warning : log_level::info,
        [&] { return fmt::format("connection to {} closed: {}", c.remote().to_string(), how.to_string()); });
}

void client_state::report(std::exception_ptr exception, const request& r) const {
    report_exception(on_exception_, log_, std::move(exception), r);
}

}  // namespace wsio::detail
