#include <wsio/message.hpp>

namespace wsio {

message::message(std::string_view payload, bool binary) : binary_(binary) { own_copy_of(payload); }

message::message(detail::own_payload&& payload) noexcept : binary_(payload.binary) { own(std::move(payload.bytes)); }

message::message(message&& other) { *this = std::move(other); }

message::message(const message& other) : binary_(other.binary_) { own_copy_of(other.text()); }

message& message::operator=(message&& other) {
    if (this == &other) return *this;
    // Whoever moves a message keeps it, perhaps on another thread: from here on it has memory of its own.
    if (other.memory_ == memory::lent) other.keep();
    reset();
    data_ = std::exchange(other.data_, "");
    size_ = std::exchange(other.size_, 0);
    owned_ = other.owned_;
    memory_ = std::exchange(other.memory_, memory::none);
    binary_ = other.binary_;
    return *this;
}

message& message::operator=(const message& other) {
    if (this != &other) *this = message(other);
    return *this;
}

void message::own(byte_buffer&& payload) noexcept {
    size_ = payload.size();
    owned_ = payload.give_away();
    memory_ = owned_ == nullptr ? memory::none : memory::owned;
    data_ = owned_ == nullptr ? "" : owned_->bytes();
}

void message::own_copy_of(std::string_view payload) {
    byte_buffer copy;
    copy.append(payload);
    own(std::move(copy));
}

void message::keep() {
    message** const lease = lease_;
    own_copy_of(text());
    *lease = nullptr;
}

}  // namespace wsio
