// Echo on websocketpp, without its logging.

#include "peer.hpp"

#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>

namespace {

using server = websocketpp::server<websocketpp::config::asio>;

}  // namespace

int main(int argc, char** argv) {
    peer::allow_open_files();
    server echo;
    echo.clear_access_channels(websocketpp::log::alevel::all);
    echo.clear_error_channels(websocketpp::log::elevel::all);
    echo.set_max_message_size(peer::max_message_size);
    echo.set_reuse_addr(true);
    echo.set_listen_backlog(4096);
    echo.init_asio();
    echo.set_tcp_post_init_handler([&](const websocketpp::connection_hdl& connection) {
        websocketpp::lib::asio::error_code ignored;
        auto& socket = echo.get_con_from_hdl(connection)->get_raw_socket();
        socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    });
    echo.set_message_handler([&](const websocketpp::connection_hdl& connection, const server::message_ptr& message) {
        websocketpp::lib::error_code ignored;
        echo.send(connection, message->get_payload(), message->get_opcode(), ignored);
    });
    echo.listen({boost::asio::ip::address_v4::loopback(), peer::port_from(argc, argv)});
    websocketpp::lib::asio::error_code error;
    peer::announce("websocketpp", echo.get_local_endpoint(error).port());
    echo.start_accept();
    echo.run();
}
