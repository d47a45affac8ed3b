#include <wsio/message.hpp>

namespace wsio {

message::message(std::string_view payload, bool binary) : binary_(binary) { own_copy_of(payload); }

message::message(const detail::lent_payload& payload) noexcept
    : data_(payload.bytes.data()), size_(payload.bytes.size()), lease_(payload.lease), binary_(payload.binary) {
    *lease_ = this;
}

message::message(detail::own_payload&& payload) noexcept
    : owned_(std::move(payload.bytes)), binary_(payload.binary) {
    if (owned_.empty()) return;
    data_ = owned_.data();
    size_ = owned_.size();
}

message::message(message&& other) { *this = std::move(other); }

message::message(const message& other) : binary_(other.binary_) { own_copy_of(other.text()); }

message& message::operator=(message&& other) {
    if (this == &other) return *this;
    // Whoever moves a message keeps it, perhaps on another thread: from here on it has memory of its own.
    if (other.lease_ != nullptr) {
        byte_buffer copy;
        copy.append(other.text());
        bool const binary = other.binary_;
        other.reset();
        reset();
        *this = message(detail::own_payload{std::move(copy), binary});
    } else {
        reset();
        take(other);
    }
    return *this;
}

message& message::operator=(const message& other) {
    if (this != &other) *this = message(other);
    return *this;
}

void message::reset() noexcept {
    if (lease_ != nullptr) *lease_ = nullptr;
    lease_ = nullptr;
    owned_.release();
    data_ = "";
    size_ = 0;
}

void message::take(message& other) noexcept {
    owned_ = std::move(other.owned_);
    data_ = std::exchange(other.data_, "");
    size_ = std::exchange(other.size_, 0);
    binary_ = other.binary_;
}

void message::own_copy_of(std::string_view payload) {
    if (payload.empty()) {
        data_ = "";
        size_ = 0;
        return;
    }
    byte_buffer copy;
    copy.append(payload);
    owned_ = std::move(copy);
    data_ = owned_.data();
    size_ = owned_.size();
}

}  // namespace wsio
