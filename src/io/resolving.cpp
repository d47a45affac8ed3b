#include "io/resolving.hpp"

#include <boost/asio/execution_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <netdb.h>
#include <pthread.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

namespace wsio::detail {

namespace asio = boost::asio;

namespace {

resolution look_up(const std::string& host) try {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (int const failed = getaddrinfo(host.c_str(), nullptr, &hints, &list); failed != 0)
        return {{}, failed == EAI_SYSTEM ? std::system_category().message(errno) : gai_strerror(failed)};
    std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> const held(list, freeaddrinfo);
    resolution found;
    for (auto const* each = list; each != nullptr; each = each->ai_next) {
        asio::ip::tcp::endpoint place;
        place.resize(each->ai_addrlen);
        std::memcpy(place.data(), each->ai_addr, each->ai_addrlen);
        found.addresses.push_back(place.address());
    }
    return found;
} catch (const std::bad_alloc&) {
    return {{}, "out of memory"};
}

struct asker {
    const question* who;
    asio::any_io_executor executor;
    question::listener listen;
};

void tell(asker& who, const resolution& found) noexcept {
    try {
        asio::post(who.executor, [listen = std::move(who.listen), found] { listen(found); });
    } catch (const std::bad_alloc&) {  // who is not told gives up in time
    }
}

// The names that are asked for, and the threads that look them up.
class resolvers {
public:
    // Never destroyed: the threads may outlive all else.
    static resolvers& of_process() {
        static auto* const only = new resolvers;
        return *only;
    }

    void ask(const std::string& host, asker who) {
        std::lock_guard const lock(mutex_);
        auto const [name, is_new] = names_.try_emplace(host);
        try {
            name->second.push_back(std::move(who));
            if (!is_new) return;  // the answer is for all who ask meanwhile, so that one name takes one thread
            waiting_.push_back(name);
        } catch (...) {  // a name that nobody looks up would never be asked for again
            if (is_new) names_.erase(name);
            throw;
        }
        if (threads_ == most_threads) return;
        try {
            start();
        } catch (...) {
            if (threads_ != 0) return;
            waiting_.pop_back();
            names_.erase(name);
            throw;
        }
    }

    template <typename Condition>
    void forget(Condition condition) {
        std::lock_guard const lock(mutex_);
        for (auto& [host, askers] : names_) std::erase_if(askers, condition);
    }

private:
    static constexpr std::size_t most_threads = 16;
    using names = std::map<std::string, std::vector<asker>>;

    void start() {
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the application's threads
        try {
            std::thread([this] { run(); }).detach();
            ++threads_;
        } catch (...) {
            pthread_sigmask(SIG_SETMASK, &before, nullptr);
            throw;
        }
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

    void run() {
        std::unique_lock lock(mutex_);
        while (!waiting_.empty()) {
            auto const name = waiting_.front();
            waiting_.pop_front();
            if (!name->second.empty()) {
                lock.unlock();
                auto const found = look_up(name->first);
                lock.lock();
                // Under the lock, so that no context goes away before its askers are told.
                for (auto& each : name->second) tell(each, found);
            }
            names_.erase(name);
        }
        --threads_;
    }

    std::mutex mutex_;
    names names_;
    std::deque<names::iterator> waiting_;
    std::size_t threads_ = 0;
};

// Forgets what was asked on a context before that is gone.
class departure final : public asio::execution_context::service {
public:
    inline static asio::execution_context::id id;

    explicit departure(asio::execution_context& context) : service(context) {}

private:
    void shutdown() override {
        resolvers::of_process().forget([this](const asker& each) { return &each.executor.context() == &context(); });
    }
};

}  // namespace

question::question(const asio::any_io_executor& executor, const std::string& host, listener listen) {
    asio::use_service<departure>(executor.context());
    resolvers::of_process().ask(host, {this, executor, std::move(listen)});
}

question::~question() {
    resolvers::of_process().forget([this](const asker& each) { return each.who == this; });
}

}  // namespace wsio::detail
