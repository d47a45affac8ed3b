#include "random_source.hpp"

#include "failure.hpp"

#include <sys/random.h>

namespace wsio::bench {

void random_source::refill() {
    if (::getrandom(pool_.data(), pool_.size(), 0) != static_cast<ssize_t>(pool_.size()))
        throw failure(exit_code::system, "the system gives no random bytes");
    left_ = pool_.size();
}

}  // namespace wsio::bench
