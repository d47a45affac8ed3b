#include "faults/conversation.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace wsio::test {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::string_view welcome = "welcome";
constexpr std::string_view hixie_close("\xFF\0", 2);

// Short and extended lengths, more than a segment, and more than the windows of these clients, so that sending has to wait.
constexpr std::size_t sizes[] = {0, 1, 125, 126, 20'000, 70'000};
constexpr int pipelined = 20;
constexpr int window = 16 * 1024;

}  // namespace

guest::guest(std::uint16_t port, const language& spoken, const tls_peer::settings& trusting, std::function<void()> turn)
    : turn_(std::move(turn)), tcp_(port, turn_, window) {
    if (spoken.secure) tls_.emplace(trusting);
}

void guest::move(std::string& out) {
    auto const before = out.size() + got_.size();
    if (!out.empty()) out.erase(0, tcp_.offer(out));
    auto const came = tcp_.take(65536, ended_);
    if (tls_ && !came.empty()) {
        tls_->feed(came);
        if (established_) decrypt();
    } else {
        got_ += came;
    }
    if (!ended_ && came.empty() && before == out.size() + got_.size()) turn_();
}

void guest::decrypt() {
    try {
        got_ += tls_->read();
    } catch (const std::runtime_error&) {  // the server had to break it off
        ended_ = true;
    }
}

void guest::shake_hands() {
    auto const end = clock::now() + limit;
    std::string out;
    while (!ended_ && !established_) {
        try {
            established_ = tls_->shake_hands();
        } catch (const std::runtime_error&) {
            ended_ = true;
        }
        out += tls_->drain();
        if (clock::now() > end) throw std::runtime_error("the TLS handshake hangs");
        move(out);
    }
    while (!ended_ && !out.empty()) move(out);
}

void guest::exchange(std::string_view bytes, const std::function<bool(std::string_view read)>& enough) {
    if (tls_ && !established_) shake_hands();
    if (ended_) return;
    auto const end = clock::now() + limit;
    if (tls_ && !bytes.empty()) tls_->write(bytes);
    auto out = tls_ ? tls_->drain() : std::string(bytes);
    while (!ended_ && (!out.empty() || !enough(got_))) {
        if (clock::now() > end) throw std::runtime_error("nothing happens any more behind " + readable(got_));
        move(out);
    }
}

void guest::finish() {
    try {
        tcp_.finish();
    } catch (const boost::system::system_error&) {  // the server was first
    }
}

options stage::quick() { return {.limits = {.outbox = 50'000}, .timeouts = {.handshake = 2s, .close = 1s}}; }

stage::stage(language spoken, options settings) : spoken_(spoken) {
    if (spoken_.secure) {
        auto const files = ca_.issue("localhost").save(folder_, "server");
        settings.tls = wsio::tls({.certificate = files.certificate, .key = files.key});
    }
    settings.on_exception = [this](std::exception_ptr error, const request&) {
        try {
            std::rethrow_exception(std::move(error));
        } catch (const std::exception& escaped) {
            escaped_.emplace_back(escaped.what());
        }
    };
    server_ = world_.listen(std::move(settings));
    server_->on_connection([this](wsio::socket socket) {
        auto const executor = socket.get_executor();
        accounts_.push_back(std::make_shared<account>());
        asio::co_spawn(executor, handle(std::move(socket), accounts_.back()), asio::detached);
    });
    other_server_ = world_.echo();
    bystander_.emplace(connect(world_, other_server_->port()));

    answers_ = server_text(spoken_.version, welcome);
    for (auto const size : sizes) script_.push_back(letters(size));
    for (int i = 0; i < pipelined; ++i) script_.push_back(std::to_string(i));
    for (auto const& each : script_) answers_ += server_text(spoken_.version, each);
    bool const hybi = is_hybi(spoken_.version);
    if (hybi) {
        script_.emplace_back("in pieces");
        answers_ +=
            server_frame(pong_frame, "ping") + server_text(spoken_.version, script_.back()) + server_close(1000);
    } else if (spoken_.version == protocol_version::hixie_76) {
        answers_ += hixie_close;
    }
}

awaitable<void> stage::handle(wsio::socket socket, std::shared_ptr<account> seen) {
    struct at_end {
        account& seen;
        ~at_end() { seen.ended = true; }
    } const at_end{*seen};
    seen->begun = true;
    socket.write(welcome);
    while (auto const message = co_await socket.receive()) {
        seen->messages.emplace_back(message->text());
        co_await socket.send(*message);  // false behind the end, and what came before it is still given
    }
    co_await socket.close();
    seen->how = socket.status();
    seen->more = (co_await socket.receive()).has_value();
    seen->sent = co_await socket.send("too late");
    seen->told = true;
}

void stage::greet(guest& client) {
    client.exchange(handshake(spoken_.version), [this](std::string_view got) {
        auto const end = got.find("\r\n\r\n");
        return end != std::string_view::npos &&
               got.size() >= end + 4 + (spoken_.version == protocol_version::hixie_76 ? 16 : 0);
    });
}

std::string_view stage::behind_head(std::string_view got) const {
    auto const end = got.find("\r\n\r\n");
    if (end == std::string_view::npos) return {};
    auto const head = end + 4 + (spoken_.version == protocol_version::hixie_76 ? 16 : 0);
    return got.substr(std::min(head, got.size()));
}

void stage::converse(guest& client) {
    greet(client);
    std::size_t expected = server_text(spoken_.version, welcome).size();
    auto const exchange = [&](std::string_view bytes) {
        client.exchange(bytes, [&](std::string_view got) { return behind_head(got).size() >= expected; });
    };
    auto const count = std::size(sizes) + pipelined;
    std::string together;
    for (std::size_t i = 0; i < count; ++i) {
        expected += server_text(spoken_.version, script_[i]).size();
        together += client_text(spoken_.version, script_[i]);
        if (i + 1 >= std::size(sizes) && i + 1 != count) continue;
        exchange(together);
        together.clear();
    }
    expected = answers_.size();
    if (is_hybi(spoken_.version)) {
        exchange(frame(0x01, "in ") + frame(ping_frame, "ping") + frame(0x80, "pieces") + close_frame(1000));
    } else if (spoken_.version == protocol_version::hixie_76) {
        exchange(hixie_close);
    } else {
        client.finish();
    }
    client.exchange({}, [](std::string_view) { return false; });
}

void stage::check_bystander() {
    bystander_->send(frame(text_frame, "still here")).expect(server_frame(text_frame, "still here"));
}

std::string stage::left(std::size_t descriptors, const std::function<std::size_t()>& count) {
    auto const handlers = [this] {
        return std::all_of(accounts_.begin(), accounts_.end(),
                           [](auto const& seen) { return seen->ended || !seen->begun; });
    };
    auto const nothing = [&] {
        auto const now = statistics();
        return now.connections().open == 0 && now.messages_waiting == 0 && now.bytes_waiting == 0 && handlers() &&
               count() == descriptors;
    };
    auto const end = clock::now() + limit;
    while (!nothing()) {
        if (clock::now() > end) {
            auto const now = statistics();
            return std::to_string(now.connections().open) + " connections, " + std::to_string(now.messages_waiting) +
                   " messages, " + std::to_string(now.bytes_waiting) + " bytes, " + std::to_string(count()) +
                   " descriptors for " + std::to_string(descriptors) + (handlers() ? "" : ", a handler");
        }
        turn();
    }
    return {};
}

}  // namespace wsio::test
