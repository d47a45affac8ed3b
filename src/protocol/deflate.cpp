#include "protocol/deflate.hpp"

#define ZLIB_CONST  // zlib takes its input as const then
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>
#include <span>
#include <utility>

namespace wsio::protocol {
namespace {

/// zlib counts in 32 bits; what is longer is given to it in pieces.
constexpr std::size_t largest_piece = std::size_t{1} << 30;

/// Up to here a message is inflated into a block of the inflater and copied, so that it takes no more memory than it
/// needs. A longer one grows where it is.
constexpr std::size_t scratch_size = std::size_t{16} << 10;

std::size_t one_more(std::size_t size) noexcept { return std::max(size, size + 1); }

void give_input(z_stream& stream, std::string_view piece) noexcept {
    stream.next_in = reinterpret_cast<const Bytef*>(piece.data());
    stream.avail_in = static_cast<uInt>(piece.size());
}

/// Gives the room that zlib may write to; returns its size.
std::size_t give_room(z_stream& stream, std::span<char> room) noexcept {
    auto const size = std::min(room.size(), largest_piece);
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(size);
    return size;
}

std::string_view take_piece(std::string_view& rest) noexcept {
    auto const piece = rest.substr(0, largest_piece);
    rest.remove_prefix(piece.size());
    return piece;
}

}  // namespace

void deflater::end::operator()(z_stream_s* stream) const noexcept {
    ::deflateEnd(stream);
    delete stream;
}

// zlib refuses a raw window of 256 bytes and has 512 for it. It serves all the same: zlib never refers back farther than
// the window less 262 bytes (MAX_DIST), which is 250 here.
deflater::deflater(deflate_settings settings) {
    auto stream = std::make_unique<z_stream>();
    if (::deflateInit2(stream.get(), settings.level, Z_DEFLATED, -std::max(settings.window_bits, 9),
                       settings.memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::bad_alloc();
    stream_.reset(stream.release());
}

void deflater::deflate(std::string_view message, byte_buffer& out) {
    static_cast<void>(run(message, std::numeric_limits<std::size_t>::max(), out));
}

void deflater::deflate_piece(std::string_view piece, byte_buffer& out) {
    if (piece.empty()) return;
    deflate(piece, out);
    out.append(flush_tail);
}

bool deflater::deflate_alone(std::string_view message, byte_buffer& out) {
    ::deflateReset(stream_.get());
    auto const before = out.size();
    // The tail is written first and cut afterwards.
    if (run(message, before + message.size() + flush_tail.size(), out) && out.size() - before < message.size())
        return true;
    out.truncate(before);
    return false;
}

/// Compresses `message` until it is flushed or `out` has `most` bytes; tells which by true or false.
bool deflater::run(std::string_view message, std::size_t most, byte_buffer& out) {
    if (message.empty()) {  // zlib flushes nothing where nothing is new (RFC 7692 7.2.3.6)
        out.append({"\0", 1});
        return true;
    }
    auto& stream = *stream_;
    do {
        give_input(stream, take_piece(message));
        int const flush = message.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH;
        do {
            if (out.size() >= most) return false;
            out.grow_by(std::min(std::max<std::size_t>(stream.avail_in / 2, 64), most - out.size()));
            auto const room = give_room(stream, out.room().first(std::min(out.room().size(), most - out.size())));
            ::deflate(&stream, flush);  // cannot fail: the stream is sound and there is room
            out.commit(room - stream.avail_out);
        } while (stream.avail_out == 0);
    } while (!message.empty());
    out.truncate(out.size() - flush_tail.size());
    return true;
}

namespace {

std::unique_ptr<z_stream> inflating_stream() {
    auto stream = std::make_unique<z_stream>();
    if (::inflateInit2(stream.get(), -max_window_bits) != Z_OK) throw std::bad_alloc();
    return stream;
}

void set_dictionary(z_stream& stream, std::string_view text) {
    if (::inflateSetDictionary(&stream, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())) !=
        Z_OK)
        throw std::bad_alloc();
}

/// Begins another stream behind one that has ended: more blocks may follow a final one, and refer back as before (RFC 7692
/// 7.2.3.4). The window stays where it is. Taken out and put back, it would make each two bytes of a message that consists of
/// nothing else cost 64 KiB of copying.
void go_on_behind_end(z_stream& stream) noexcept { ::inflateResetKeep(&stream); }

/// zlib.h at inflate(): bit 7 is set right after the end of a block, the low bits count what is unused of the last byte.
bool ends_with_block(const z_stream& stream) noexcept { return stream.data_type == 128; }

}  // namespace

void message_inflater::end::operator()(z_stream_s* stream) const noexcept {
    ::inflateEnd(stream);
    delete stream;
}

message_inflater::message_inflater(std::string_view history) : stream_(inflating_stream().release()) {
    if (!history.empty()) set_dictionary(*stream_, history);
}

message_inflater::step message_inflater::inflate(std::string_view& payload, std::span<char> room) {
    auto& stream = *stream_;
    step done;
    for (;;) {
        if (stream_ended_) {
            if (payload.empty()) return done;
            go_on_behind_end(stream);
        }
        auto const input = payload.substr(0, largest_piece);
        give_input(stream, input);
        auto const size = give_room(stream, room.subspan(done.made));
        int const result = ::inflate(&stream, Z_SYNC_FLUSH);
        done.made += size - stream.avail_out;
        payload.remove_prefix(input.size() - stream.avail_in);
        if (result == Z_MEM_ERROR) throw std::bad_alloc();
        stream_ended_ = result == Z_STREAM_END;
        done.broken = result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END;
        if (done.broken || stream.avail_out == 0 || payload.empty()) return done;
    }
}

bool message_inflater::at_end_of_block() const noexcept { return stream_ended_ || ends_with_block(*stream_); }

void inflater::end::operator()(z_stream_s* stream) const noexcept {
    ::inflateEnd(stream);
    delete stream;
}

inflater::inflater() : stream_(inflating_stream().release()) { scratch_.reserve(scratch_size); }

/// A message in the making: in the scratch block as long as it fits there.
class inflater::output {
public:
    output(byte_buffer& scratch, byte_buffer& message, std::size_t limit) noexcept
        : scratch_(scratch), message_(message), limit_(limit) {
        scratch_.clear();
        message_.clear();
    }

    /// Gives room for at least one byte, and for at most one beyond the limit.
    std::span<char> room() {
        if (scratch_.size() == scratch_.capacity()) {
            message_.append(scratch_.view());
            scratch_.clear();
            moved_ = true;
        }
        if (moved_ && message_.room().empty())
            message_.reserve(std::min(one_more(limit_), message_.size() + message_.size() / 2));
        auto const room = current().room();
        return room.first(std::min(room.size(), one_more(limit_) - current().size()));
    }

    void commit(std::size_t count) noexcept { current().commit(count); }
    [[nodiscard]] bool over_limit() const noexcept { return view().size() > limit_; }
    [[nodiscard]] std::string_view view() const noexcept { return (moved_ ? message_ : scratch_).view(); }

    /// Brings the message to where it is wanted.
    void finish() {
        if (moved_) return;
        message_.reserve(scratch_.size());
        message_.append(scratch_.view());
    }

private:
    byte_buffer& current() noexcept { return moved_ ? message_ : scratch_; }

    byte_buffer& scratch_;
    byte_buffer& message_;
    std::size_t limit_;
    bool moved_ = false;
};

inflater::outcome inflater::inflate(std::string_view payload, std::string_view history, std::size_t limit,
                                    byte_buffer& out) {
    output message(scratch_, out, limit);
    // A compressor on zlib that has nothing new to flush gives no bytes at all. RFC 7692 7.2.3.6 wants one, but what an
    // empty payload means is beyond doubt.
    if (payload.empty()) return outcome::done;
    begin(history);
    while (!payload.empty())
        if (auto const result = take(take_piece(payload), message); result != outcome::done) return result;
    // RFC 7692 7.2.2. A message that ends with a final block needs no tail, though it should have one (7.2.3.4).
    if (!stream_ended_) {
        if (auto const result = take(flush_tail, message); result != outcome::done) return result;
        if (!at_end_of_block()) return outcome::broken;
    }
    message.finish();
    return outcome::done;
}

/// Begins a message that may refer back to `history`.
void inflater::begin(std::string_view history) {
    stream_ended_ = false;
    ::inflateReset(stream_.get());
    constexpr std::size_t window = std::size_t{1} << max_window_bits;
    history = history.substr(history.size() - std::min(history.size(), window));
    if (!history.empty()) set_dictionary(*stream_, history);
}

inflater::outcome inflater::take(std::string_view part, output& out) {
    auto& stream = *stream_;
    give_input(stream, part);
    for (;;) {
        if (std::exchange(stream_ended_, false)) go_on_behind_end(stream);
        auto const room = give_room(stream, out.room());
        int const result = ::inflate(&stream, Z_SYNC_FLUSH);
        out.commit(room - stream.avail_out);
        if (out.over_limit()) return outcome::too_big;
        switch (result) {
            case Z_OK:
            case Z_BUF_ERROR:
                if (stream.avail_out != 0) return outcome::done;  // it wants more input
                break;
            case Z_STREAM_END:
                stream_ended_ = true;
                if (stream.avail_in == 0) return outcome::done;
                break;
            case Z_MEM_ERROR: throw std::bad_alloc();
            default: return outcome::broken;
        }
    }
}

/// Tells whether the last byte taken ended a block; a payload that was cut takes the tail for data.
bool inflater::at_end_of_block() const noexcept { return stream_ended_ || ends_with_block(*stream_); }

}  // namespace wsio::protocol
