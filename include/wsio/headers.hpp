#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wsio {

/// Holds HTTP header fields in the order in which they came. Names are compared without regard to case.
/// All names and values lie in one block of memory. Thread safety: distinct objects safe, shared objects unsafe.
class headers {
public:
    /// One field, as views that live until the container is changed or destroyed.
    struct field {
        std::string_view name;
        std::string_view value;
    };

    headers() = default;

    /// Makes headers from pairs; throws `std::invalid_argument` as `add` does.
    headers(std::initializer_list<field> fields) {
        for (auto const& [name, value] : fields) add(name, value);
    }

    /// Adds a field behind those that are there. Throws `std::invalid_argument` when `name` is not an HTTP token or
    /// `value` holds a control character, so that no response can be split by what an application passes on.
    void add(std::string_view name, std::string_view value);

    /// Replaces every field called `name` by one; throws as `add` does.
    void set(std::string_view name, std::string_view value);

    /// Removes every field called `name`; gives how many there were.
    std::size_t erase(std::string_view name);

    /// Gives the value of the first field called `name`; nothing when there is none.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;

    /// Gives the value of the first field called `name`, or an empty text.
    [[nodiscard]] std::string_view operator[](std::string_view name) const noexcept;

    /// Counts the fields called `name`.
    [[nodiscard]] std::size_t count(std::string_view name) const noexcept;

    /// Tells whether there is a field called `name`.
    [[nodiscard]] bool contains(std::string_view name) const noexcept { return find(name).has_value(); }

    /// Joins the values of all fields called `name` with ", ", as HTTP allows for list fields (RFC 9110 5.3).
    [[nodiscard]] std::string joined(std::string_view name) const;

    [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
    [[nodiscard]] bool empty() const noexcept { return places_.empty(); }

    /// Gives back memory that is held for growth.
    void shrink_to_fit();

private:
    struct place {
        std::uint32_t name_at;
        std::uint32_t name_size;
        std::uint32_t value_at;
        std::uint32_t value_size;
    };

public:
    /// Walks over the fields.
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = field;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = field;

        [[nodiscard]] field operator*() const noexcept { return owner_->at(*place_); }
        iterator& operator++() noexcept {
            ++place_;
            return *this;
        }
        iterator operator++(int) noexcept {
            auto before = *this;
            ++place_;
            return before;
        }
        friend bool operator==(const iterator&, const iterator&) noexcept = default;

    private:
        friend class headers;
        iterator(const headers* owner, const place* at) noexcept : owner_(owner), place_(at) {}
        const headers* owner_;
        const place* place_;
    };

    [[nodiscard]] iterator begin() const noexcept { return {this, places_.data()}; }
    [[nodiscard]] iterator end() const noexcept { return {this, places_.data() + places_.size()}; }

private:
    [[nodiscard]] field at(const place& p) const noexcept {
        return {std::string_view(text_).substr(p.name_at, p.name_size),
                std::string_view(text_).substr(p.value_at, p.value_size)};
    }

    std::string text_;
    std::vector<place> places_;
};

}  // namespace wsio
