#pragma once

#include "feed.hpp"
#include "inflate_reference.hpp"
#include "utf8_reference.hpp"

#include <wsio/protocol_version.hpp>

#include <cstdint>
#include <string>
#include <string_view>

// Protocols 7, 8 and 13 once more, written from the RFC for clarity alone, to check the library against.

namespace wsio::fuzz {

/// What a connection agreed on.
struct hybi_setup {
    protocol_version version = protocol_version::hybi_13;
    bool from_client = true;  ///< The bytes are a client's: frames are masked.
    protocol::decoder_limits limits;
    bool deflate = false;
    std::size_t window = 0;  ///< How far back compressed messages may refer to those before.
};

class slow_hybi {
public:
    /// Gives the events of all that `bytes` hold, the last frame may be incomplete.
    static seen_list events(const hybi_setup& setup, std::string_view bytes) {
        slow_hybi state(setup, bytes);
        try {
            while (!state.ended_) state.frame();
        } catch (end_of_input) {
        } catch (const violation& found) {
            state.events_.push_back({event_kind::failed, opcode::text, found.code});
        }
        return state.events_;
    }

    /// RFC 6455 7.4.1, 7.4.2 and the IANA registry; the drafts knew 1004.
    static bool may_close_with(protocol_version version, unsigned code) {
        if (code >= 3000 && code <= 4999) return true;
        if (code == 1004) return version != protocol_version::hybi_13;
        return code >= 1000 && code <= 1014 && code != 1005 && code != 1006;
    }

private:
    struct end_of_input {};
    struct violation {
        close_code code;
    };

    slow_hybi(const hybi_setup& setup, std::string_view bytes) : setup_(setup), left_(bytes) {}

    static void require(bool holds, close_code code) {
        if (!holds) throw violation{code};
    }

    unsigned byte() {
        if (left_.empty()) throw end_of_input();
        auto const value = static_cast<unsigned char>(left_.front());
        left_.remove_prefix(1);
        return value;
    }

    void frame() {
        constexpr auto protocol_error = close_code::protocol_error;
        auto const first = byte();
        bool const final = (first & 0x80) != 0;
        auto const type = first & 0x0F;
        bool const control = type >= 8;
        bool const begins = type == 1 || type == 2;
        bool const compressed = (first & 0x40) != 0;
        require((first & 0x30) == 0 && (!compressed || (setup_.deflate && begins)), protocol_error);
        require(type <= 2 || (type >= 8 && type <= 10), protocol_error);
        require(!control || final, protocol_error);
        if (!control) {
            require(begins != open_, protocol_error);
            if (begins) {
                message_ = {};
                text_ = {};
                frames_ = 0;
                is_text_ = type == 1;
                is_compressed_ = compressed;
            }
            require(begins || frames_ < setup_.limits.fragments, close_code::policy_violation);
            ++frames_;
            open_ = !final;
        }
        auto const size = length(type, control);
        std::string key(4, '\0');
        if (setup_.from_client)
            for (auto& each : key) each = static_cast<char>(byte());
        if (control)
            control_frame(type, static_cast<std::size_t>(size), key);
        else
            data_frame(size, key, final);
    }

    std::uint64_t length(unsigned type, bool control) {
        auto const second = byte();
        require(((second & 0x80) != 0) == setup_.from_client, close_code::protocol_error);
        std::uint64_t size = second & 0x7F;
        if (control) {
            require(size <= 125, close_code::protocol_error);
            require(type != 8 || size != 1, close_code::protocol_error);
            return size;
        }
        if (size >= 126) {
            int const bytes = size == 126 ? 2 : 8;
            size = 0;
            for (int i = 0; i < bytes; ++i) {
                size = size << 8 | byte();
                require(i != 0 || bytes == 2 || size < 0x80, close_code::protocol_error);
            }
            bool const shortest = bytes == 2 ? size > 125 : size > 65535;
            require(shortest || setup_.version != protocol_version::hybi_13, close_code::protocol_error);
        }
        auto const limit = setup_.limits.message_size;
        // What does not compress may become longer by it.
        auto const most = is_compressed_ ? limit + limit / 4 + 64 : limit;
        require(size <= most - message_.size(), close_code::message_too_big);
        return size;
    }

    void data_frame(std::uint64_t size, std::string_view key, bool final) {
        for (std::uint64_t i = 0; i < size; ++i) {
            auto const value = byte() ^ static_cast<unsigned char>(key[i % 4]);
            message_ += static_cast<char>(value);
            // Text is refused where no continuation helps (RFC 6455 8.1).
            if (is_text_ && !is_compressed_)
                require(text_.feed(static_cast<unsigned char>(value)), close_code::invalid_payload);
        }
        if (!final) return;
        if (is_compressed_)
            inflate();
        else
            require(!is_text_ || text_.complete(), close_code::invalid_payload);
        events_.push_back(
            {event_kind::message, is_text_ ? opcode::text : opcode::binary, close_code::no_status, message_});
        is_compressed_ = false;
        message_.clear();
    }

    void inflate() {
        std::string plain;
        auto const result = slow_inflater::inflate(message_, history_, setup_.limits.message_size, plain);
        require(result != slow_inflater::outcome::too_big, close_code::message_too_big);
        require(result == slow_inflater::outcome::done, close_code::invalid_payload);
        require(!is_text_ || slow_valid(plain), close_code::invalid_payload);
        message_ = plain;
        history_ += plain;
        if (history_.size() > setup_.window) history_.erase(0, history_.size() - setup_.window);
    }

    void control_frame(unsigned type, std::size_t size, std::string_view key) {
        std::string payload;
        for (std::size_t i = 0; i < size; ++i)
            payload += static_cast<char>(byte() ^ static_cast<unsigned char>(key[i % 4]));
        if (type != 8) {
            events_.push_back(
                {type == 9 ? event_kind::ping : event_kind::pong, opcode::text, close_code::no_status, payload});
            return;
        }
        ended_ = true;
        auto code = static_cast<unsigned>(close_code::no_status);
        if (!payload.empty()) {
            code = static_cast<unsigned>(static_cast<unsigned char>(payload[0])) << 8 |
                   static_cast<unsigned char>(payload[1]);
            require(may_close_with(setup_.version, code), close_code::protocol_error);
            payload.erase(0, 2);
            require(slow_valid(payload), close_code::invalid_payload);
        }
        events_.push_back({event_kind::closing, opcode::text, static_cast<close_code>(code), payload});
    }

    hybi_setup setup_;
    std::string_view left_;
    seen_list events_;
    bool ended_ = false;
    bool open_ = false;
    bool is_text_ = false;
    bool is_compressed_ = false;
    std::size_t frames_ = 0;
    slow_utf8 text_;
    std::string message_;
    std::string history_;
};

}  // namespace wsio::fuzz
