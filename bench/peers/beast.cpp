// Echo on Boost.Beast with coroutines, as its own examples write it: one buffer for each connection, its suggested
// timeouts, and no cutting of messages into 4 KiB fragments. With --compress it compresses as wsio does by default.

#include "peer.hpp"

#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include <exception>
#include <utility>

namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using stream = websocket::stream<asio::use_awaitable_t<>::as_default_on_t<tcp::socket>>;

websocket::permessage_deflate compression(bool wanted) {
    websocket::permessage_deflate settings;
    settings.server_enable = wanted;
    settings.server_max_window_bits = 12;
    settings.compLevel = 3;
    settings.memLevel = 5;
    settings.msg_size_threshold = 256;
    return settings;
}

asio::awaitable<void> echo(stream socket, bool compress) {
    socket.next_layer().set_option(tcp::no_delay(true));
    socket.set_option(websocket::stream_base::timeout::suggested(boost::beast::role_type::server));
    socket.read_message_max(peer::max_message_size);
    socket.auto_fragment(false);
    socket.set_option(compression(compress));
    co_await socket.async_accept();
    boost::beast::flat_buffer message;
    for (;;) {
        message.clear();
        co_await socket.async_read(message);
        socket.text(socket.got_text());
        co_await socket.async_write(message.cdata());
    }
}

asio::awaitable<void> listen(tcp::acceptor acceptor, bool compress) {
    for (;;) {
        auto socket = co_await acceptor.async_accept(asio::use_awaitable);
        // However a connection ends, it ends alone.
        asio::co_spawn(acceptor.get_executor(), echo(stream(std::move(socket)), compress),
                       [](const std::exception_ptr&) {});
    }
}

}  // namespace

int main(int argc, char** argv) {
    peer::allow_open_files();
    asio::io_context context(1);
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), peer::port_from(argc, argv, true)});
    peer::announce("beast", acceptor.local_endpoint().port());
    asio::co_spawn(context, listen(std::move(acceptor), peer::compresses(argc, argv)), asio::detached);
    context.run();
}
