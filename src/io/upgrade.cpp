#include "io/upgrade.hpp"

#include <wsio/protocols.hpp>

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "handshake/authority.hpp"
#include "handshake/extensions.hpp"
#include "handshake/keys.hpp"
#include "handshake/negotiation.hpp"
#include "handshake/origin.hpp"

namespace wsio::detail {

namespace asio = boost::asio;
using handshake::rejection;

namespace {

// One handshake under way. The offer's views lie in the request, which stays where it is.
struct candidate {
    request r;
    handshake::offer offer;
    std::string subprotocol;
    std::any user_value;
    std::optional<handshake::deflate_agreement> deflate;
    headers extra_fields;
    std::string head;                  ///< Of the response.
    std::optional<rejection> refusal;  ///< Why there is none.
    std::exception_ptr failure;        ///< What the application threw.
};

rejection busy(const server_state& server) {
    return {503,
            server.stopped() ? "the server is stopping" : "the server takes no more connections now; try again later"};
}

// permessage-deflate belongs to RFC 6455; the older protocols had other ideas of an extension.
std::optional<rejection> agree_on_compression(candidate& who, const compression& settings) {
    if (settings.mode == compression_mode::off || who.offer.version != protocol_version::hybi_13) return std::nullopt;
    auto const offers = handshake::read_extensions(who.r.headers());
    if (!offers) return rejection{400, "the Sec-WebSocket-Extensions field is malformed (RFC 6455 9.1)"};
    who.deflate = handshake::accept_deflate(*offers, settings);
    return std::nullopt;
}

std::optional<rejection> check(candidate& who, const server_state* server) {
    if (server == nullptr) return rejection{404, "no WebSocket server serves this path"};
    // What handle_upgrade is given was read by somebody else.
    if (auto const problem = handshake::take_host_of_target(who.r); !problem.empty())
        return rejection{400, std::string(problem)};
    auto recognised = handshake::recognise(who.r, server->settings().protocols);
    if (auto* refusal = std::get_if<rejection>(&recognised)) return std::move(*refusal);
    who.offer = std::get<handshake::offer>(std::move(recognised));
    if (!handshake::origin_allowed(who.offer, who.r, server->settings().origins))
        return rejection{403, "this origin may not connect; the server's list of origins has to name it"};
    if (!server->has_room()) return busy(*server);
    return agree_on_compression(who, server->settings().compression);
}

bool offers(const handshake::offer& offer, std::string_view name) {
    for (auto const& offered : offer.subprotocols)
        if (offered == name) return true;
    return false;
}

// Runs a part of the decision that may throw what the application throws. Nothing is run once the decision is clear.
template <typename Part>
void decide(candidate& who, Part part) {
    if (who.refusal || who.failure) return;
    try {
        part();
    } catch (...) {
        who.failure = std::current_exception();
    }
}

void choose_subprotocol(candidate& who, const options& settings) {
    who.subprotocol = settings.choose_subprotocol ? settings.choose_subprotocol(who.r, who.offer.subprotocols)
                                                  : handshake::choose_subprotocol(who.offer, settings.subprotocols);
}

void take(candidate& who, verdict&& decision) {
    if (!decision.accepted) {
        who.refusal = rejection{decision.status, std::move(decision.body), std::move(decision.response_headers)};
        return;
    }
    if (decision.subprotocol) who.subprotocol = std::move(*decision.subprotocol);
    who.user_value = std::move(decision.user_value);
    who.extra_fields = std::move(decision.response_headers);
}

// Asks `options::authorize`, which may take its time.
asio::awaitable<void> authorize(candidate& who, const options& settings, connection& c) {
    auto const late = handshake::reject_response({408, "the decision about this request took too long"});
    c.answer_at_deadline(&late);
    try {
        take(who, co_await settings.authorize(who.r));
    } catch (...) {
        who.failure = std::current_exception();
    }
    c.answer_at_deadline(nullptr);
}

void check_subprotocol(const candidate& who) {
    if (!who.subprotocol.empty() && !offers(who.offer, who.subprotocol))
        throw std::invalid_argument("wsio: the application chose the subprotocol \"" + who.subprotocol +
                                    "\", which the client did not offer");
}

std::string response_head(candidate& who, const server_state& server) {
    auto fields = handshake::accept_fields(who.offer, who.r, who.subprotocol);
    if (who.deflate) fields.add("Sec-WebSocket-Extensions", who.deflate->response);
    auto shown = fields;
    for (auto const& [name, value] : who.extra_fields) shown.add(name, value);
    server.show_headers(who.r, shown);
    return handshake::accept_head(who.offer.version, fields, shown);
}

// hixie-76 5.2: the last 8 bytes of the client's key follow the head. A proxy may hold them back until it has seen the
// 101, so the head goes out first when they are not there yet.
asio::awaitable<bool> answer_nonce(connection& c, const handshake::offer& offer) {
    auto const size = handshake::nonce_size(offer.version);
    while (c.input().size() < size)
        if (!co_await connection::fill(c)) co_return false;
    auto const answer = handshake::hixie_76_answer(offer.part_1, offer.part_2, c.input().substr(0, size));
    c.consume(size);
    c.write_raw({answer.data(), answer.size()});
    co_return true;
}

}  // namespace

void refuse(connection& c, const rejection& why) {
    c.write_raw(handshake::reject_response(why));
    c.finish();
}

void refuse(connection& c, rejection why, const request& r) {
    why.to_head = r.method() == "HEAD";
    refuse(c, why);
}

asio::awaitable<bool> upgrade(std::shared_ptr<server_state> server, connection& c, request r) {
    // Not in the frame: Asio would use its memory for the frame of the handler, which lives as long as the connection.
    auto const candidate_held = std::make_unique<candidate>();
    auto& who = *candidate_held;
    who.r = std::move(r);
    who.refusal = check(who, server.get());
    if (!who.refusal) {
        auto const& settings = server->settings();
        decide(who, [&] { choose_subprotocol(who, settings); });
        if (settings.authorize && !who.failure) co_await authorize(who, settings, c);
        decide(who, [&] {
            check_subprotocol(who);
            who.head = response_head(who, *server);
        });
        if (who.failure) {
            server->report(std::move(who.failure), who.r);
            who.refusal = rejection{500, "the server failed to decide about this request"};
        }
    }
    if (!who.refusal && !server->has_room()) who.refusal = busy(*server);  // the application may have taken its time
    if (!who.refusal && c.timed_out()) who.refusal = rejection{408, "the handshake took too long"};
    if (who.refusal) {
        if (server) server->refused(who.r, *who.refusal);
        refuse(c, *who.refusal, who.r);
        co_return false;
    }
    c.write_raw(who.head);
    bool const complete = handshake::nonce_size(who.offer.version) == 0 || co_await answer_nonce(c, who.offer);
    if (!complete || c.current_phase() != connection::phase::handshake || server->stopped()) {
        server->refused(who.r, server->stopped()
                                   ? busy(*server)
                                   : rejection{408, "the connection ended before the handshake was complete"});
        c.finish();
        co_return false;
    }
    auto const& strategy = protocols[who.offer.version];
    c.open(strategy, opening(who.r, who.subprotocol, std::move(who.user_value)), server);
    if (who.deflate) c.compress(who.deflate->parameters);
    server->opened(c, who.r);
    co_return true;
}

}  // namespace wsio::detail
