#include <wsio/testing.hpp>

#include <boost/asio/ip/address_v4.hpp>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/carrier.hpp"
#include "io/connecting.hpp"
#include "io/front.hpp"
#include "io/loop.hpp"

namespace wsio::testing {

namespace asio = boost::asio;
using wsio::detail::bounded;
using wsio::detail::deadlines;
using wsio::detail::loop;

namespace {

// So many handlers in one place of time are taken for a program that never rests.
constexpr std::size_t most_handlers = 10'000'000;

endpoint local_host(std::uint16_t port) { return {asio::ip::address_v4::loopback(), port}; }

}  // namespace

void wire::piece_size(std::size_t bytes) {
    if (bytes == 0) throw std::invalid_argument("wsio: pieces of 0 bytes carry nothing");
    carrier_->piece_size = bytes;
}

void wire::latency(std::chrono::milliseconds time) {
    if (time.count() < 0) throw std::invalid_argument("wsio: nothing arrives before it is sent");
    carrier_->latency = time;
}

void wire::cut() { carrier_->cut(); }

void wire::end() { carrier_->end(); }

struct simulation::state {
    asio::io_context context{1};
    loop& home = loop::of(context.get_executor());
    loop::clock::time_point begin;
    std::vector<std::shared_ptr<detail::carrier>> carriers;
    std::map<const wsio::detail::server_state*, std::weak_ptr<wsio::detail::front>> fronts;
    std::uint16_t next_port = 50'000;

    state() {
        home.stop_clock();
        begin = home.now();
    }

    bool carry() {
        auto const now = passed();
        bool moved = false;
        for (auto const& each : carriers) moved = each->carry(now) || moved;
        std::erase_if(carriers, [](auto const& each) { return each->is_over(); });
        return moved;
    }

    [[nodiscard]] std::chrono::milliseconds passed() const noexcept {
        return std::chrono::duration_cast<std::chrono::milliseconds>(home.now() - begin);
    }
};

simulation::simulation() : state_(std::make_unique<state>()) {}

simulation::~simulation() = default;

asio::io_context& simulation::context() noexcept { return state_->context; }

asio::any_io_executor simulation::get_executor() { return state_->context.get_executor(); }

server simulation::listen(const options& settings) {
    auto const front =
        wsio::detail::front::alone(get_executor(), settings, wsio::detail::front::count_for(settings.limits));
    auto made = server::at(front, settings);
    state_->fronts[made.state_.get()] = front;
    return made;
}

connection simulation::connect(const server& to, std::string_view url, const client_options& settings) {
    auto const found = state_->fronts.find(to.state_.get());
    auto const front = found == state_->fronts.end() ? nullptr : found->second.lock();
    if (!front) throw std::invalid_argument("wsio: the server was not made by listen() of this simulation");
    return connect_to(*front, url, settings);
}

connection simulation::connect(const http_server& to, std::string_view url, const client_options& settings) {
    return connect_to(*to.front_, url, settings);
}

pair simulation::connect(const options& server_settings, const client_options& client_settings) {
    auto const lone = listen(server_settings);
    auto const path = server_settings.path.empty() ? std::string("/") : server_settings.path;
    auto made = connect(lone, (server_settings.tls ? "wss://localhost" : "ws://localhost") + path, client_settings);
    auto accepted = run(server(lone).accept());
    return {std::move(*accepted), std::move(made.client), std::move(made.wire)};
}

connection simulation::connect_to(wsio::detail::front& front, std::string_view url, const client_options& settings) {
    auto [server_end, to_server] = detail::connected_sockets();
    auto [client_end, to_client] = detail::connected_sockets();
    state_->carriers.push_back(std::make_shared<detail::carrier>(std::move(to_server), std::move(to_client)));
    wire const between(state_->carriers.back());
    front.accepted(server_end.release(), local_host(state_->next_port++));
    auto const to = local_host(80);
    auto client = run(wsio::detail::connect_over(client_end.release(), to, std::string(url), settings));
    return {std::move(client), between};
}

void simulation::settle() {
    std::size_t handlers = 0;
    // A handler may have made something ready without the loop having seen it, so it is asked once more.
    for (int quiet = 0; quiet < 2; ++quiet) {
        state_->context.restart();
        while (state_->context.poll_one() != 0) {
            quiet = 0;
            if (++handlers == most_handlers)
                throw std::runtime_error("wsio: the simulation does not come to rest while time stands still");
        }
        if (state_->carry()) quiet = 0;
    }
}

void simulation::pass(std::chrono::milliseconds time) {
    auto const end = now() + bounded(time);
    settle();
    while (now() < end) {
        state_->home.pass_tick();
        settle();
    }
}

std::chrono::milliseconds simulation::now() const noexcept { return state_->passed(); }

asio::awaitable<void> simulation::sleep(std::chrono::milliseconds time) {
    return loop::sleep_until(state_->home, state_->home.now() + bounded(time));
}

void simulation::wait_for(const std::function<bool()>& condition, std::chrono::milliseconds at_most) {
    auto const end = now() + bounded(at_most);
    settle();
    while (!condition()) {
        if (now() >= end)
            throw std::runtime_error("wsio: a coroutine of the simulation still waits after " +
                                     std::to_string(at_most.count()) + " ms");
        pass(deadlines::tick);
    }
}

}  // namespace wsio::testing
