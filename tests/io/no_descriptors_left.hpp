#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <stdexcept>
#include <vector>

namespace wsio::test {

/// Lets this process open no file more until it goes away. Nothing is checked with BOOST_TEST meanwhile: the sanitizers
/// need descriptors to look at the objects that it prints.
class no_descriptors_left {
public:
    no_descriptors_left() {
        for (;;) {
            int const fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
            if (fd < 0) break;
            taken_.push_back(fd);
            // As many as a process usually has; another process may have set the limit high.
            if (taken_.size() == 1) set_limit(static_cast<rlim_t>(fd) + 100);
        }
    }
    no_descriptors_left(const no_descriptors_left&) = delete;
    ~no_descriptors_left() {
        for (int const fd : taken_) ::close(fd);
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }

    void set_limit(rlim_t most) {
        auto changed = before_;
        changed.rlim_cur = most;
        if (::setrlimit(RLIMIT_NOFILE, &changed) != 0) throw std::runtime_error("no limit for descriptors can be set");
    }

private:
    rlimit before_ = [] {
        rlimit now{};
        ::getrlimit(RLIMIT_NOFILE, &now);
        return now;
    }();
    std::vector<int> taken_;
};

}  // namespace wsio::test
