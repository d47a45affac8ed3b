// Echo on libwebsockets. Messages come in pieces and go out when the socket takes them, so each connection has a queue.

#include "peer.hpp"

#include <libwebsockets.h>

#include <algorithm>
#include <deque>
#include <new>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t receive_size = 64 * 1024;
constexpr std::size_t most_queued = 64;  // beyond it the connection is not read

struct message {
    std::vector<unsigned char> bytes = std::vector<unsigned char>(LWS_PRE);  // with room for the header
    bool binary = false;
};

struct session {
    message arriving;
    std::deque<message> leaving;
};

int receive(lws* connection, session& session, const void* data, std::size_t size) {
    auto& bytes = session.arriving.bytes;
    auto const* const begin = static_cast<const unsigned char*>(data);
    // What is announced may be anything up to 2^63.
    auto const announced = std::min(size + lws_remaining_packet_payload(connection), peer::max_message_size);
    if (bytes.size() == LWS_PRE) bytes.reserve(LWS_PRE + announced);
    bytes.insert(bytes.end(), begin, begin + size);
    if (bytes.size() > LWS_PRE + peer::max_message_size) return -1;
    if (lws_remaining_packet_payload(connection) != 0 || lws_is_final_fragment(connection) == 0) return 0;
    session.arriving.binary = lws_frame_is_binary(connection) != 0;
    session.leaving.push_back(std::exchange(session.arriving, message()));
    if (session.leaving.size() > most_queued) lws_rx_flow_control(connection, 0);
    lws_callback_on_writable(connection);
    return 0;
}

int send(lws* connection, session& session) {
    // As many as the socket takes, so that a pipelining client does not cost a turn of the loop for each message.
    while (!session.leaving.empty()) {
        auto& next = session.leaving.front();
        auto const size = next.bytes.size() - LWS_PRE;
        auto const kind = next.binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
        if (lws_write(connection, next.bytes.data() + LWS_PRE, size, kind) < 0) return -1;
        session.leaving.pop_front();
        if (lws_send_pipe_choked(connection) != 0) break;
    }
    if (!session.leaving.empty()) lws_callback_on_writable(connection);
    if (session.leaving.size() <= most_queued) lws_rx_flow_control(connection, 1);
    return 0;
}

int on_event(lws* connection, lws_callback_reasons reason, void* user, void* data, std::size_t size) {
    auto* const place = static_cast<session*>(user);
    switch (reason) {
        case LWS_CALLBACK_ESTABLISHED: new (place) session; return 0;
        case LWS_CALLBACK_CLOSED: place->~session(); return 0;
        case LWS_CALLBACK_RECEIVE: return receive(connection, *place, data, size);
        case LWS_CALLBACK_SERVER_WRITEABLE: return send(connection, *place);
        default: return lws_callback_http_dummy(connection, reason, user, data, size);
    }
}

}  // namespace

int main(int argc, char** argv) {
    peer::allow_open_files();
    lws_set_log_level(LLL_ERR, nullptr);
    lws_protocols const protocols[] = {{"echo", on_event, sizeof(session), receive_size, 0, nullptr, 0},
                                       {nullptr, nullptr, 0, 0, 0, nullptr, 0}};
    lws_context_creation_info info{};
    info.port = peer::port_from(argc, argv);
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    info.pt_serv_buf_size = receive_size;
    info.options = LWS_SERVER_OPTION_VALIDATE_UTF8;
    auto* const context = lws_create_context(&info);
    if (context == nullptr) return 1;
    peer::announce("libwebsockets",
                   static_cast<unsigned>(lws_get_vhost_listen_port(lws_get_vhost_by_name(context, "default"))));
    while (lws_service(context, 0) >= 0) continue;
    lws_context_destroy(context);
}
