#include "io/listening_socket.hpp"

#include "io/fixture.hpp"
#include "io/listener.hpp"
#include "io/loop.hpp"
#include "io/tls_tools.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

using namespace wsio::test;
using wsio::detail::listening_socket;
using wsio::detail::open_listening_sockets;

namespace {

namespace fs = std::filesystem;

/// Makes a socket by hand.
int unix_socket(const std::string& path, bool listens) {
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    BOOST_REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    if (listens) BOOST_REQUIRE(::listen(fd, 5) == 0);
    return fd;
}

int tcp_socket(bool listens, int type = SOCK_STREAM) {
    int const fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    if (listens) BOOST_REQUIRE(::listen(fd, 5) == 0);
    return fd;
}

unsigned permissions(const std::string& path) {
    struct stat found {};
    BOOST_REQUIRE(::stat(path.c_str(), &found) == 0);
    return found.st_mode & 0777;
}

/// Shakes hands with what listens there, and echoes.
void check_echo(world& w, const wsio::endpoint& at) {
    for (auto version : wsio::all_protocol_versions) BOOST_TEST_CONTEXT(at << ' ' << version) {
            client c(w, at);
            BOOST_TEST(status_of(c.send(handshake(version)).read_to("\r\n\r\n")) == 101);
            if (version == wsio::protocol_version::hixie_76) c.expect("8jKS'y:G*Co,Wxa-");
            c.send(client_text(version, "hello")).expect(server_text(version, "hello"));
        }
}

/// Checks that `host` is refused with a line that has all of `parts`.
template <typename Error>
void check_refused(const std::string& host, std::initializer_list<std::string_view> parts, std::uint16_t port = 0) {
    BOOST_TEST_CONTEXT(host)
    BOOST_CHECK_EXCEPTION((void)open_listening_sockets({host, port}, 1), Error, [&](const Error& error) {
        BOOST_TEST(contains(error.what(), "wsio: "), error.what());
        BOOST_TEST(!contains(error.what(), "\n"), error.what());
        for (auto part : parts) BOOST_TEST(contains(error.what(), part), "\"" << error.what() << "\" has no " << part);
        return true;
    });
}

bool has_ipv6() {
    try {
        (void)open_listening_sockets({"::1", 0}, 1);
        return true;
    } catch (const boost::system::system_error&) {
        return false;
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(io_listening_socket)

BOOST_AUTO_TEST_CASE(a_host_that_is_no_known_form_is_refused_with_one_line) {
    for (auto host : {"localhost", "127.0.0.1:80", "[::1]", "127.0.0", "fd:", "fd:x", "fd:-1", "fd:3x", "tcp:3",
                      "systemd:x", "Systemd", " ", "unix", "/run/echo.sock", "fd:99999999999"})
        check_refused<std::invalid_argument>(host, {host, "nothing to listen on", "unix:/path"});
}

BOOST_AUTO_TEST_CASE(a_used_port_is_told_also_to_several_loops) {
    auto const taken = open_listening_sockets({"127.0.0.1", 0}, 1);
    auto const port = taken[0][0].local_endpoint().port;
    check_refused<boost::system::system_error>("127.0.0.1", {std::to_string(port), "127.0.0.1", "in use"}, port);
    BOOST_CHECK_THROW((void)open_listening_sockets({"127.0.0.1", port}, 3), boost::system::system_error);
    BOOST_CHECK_THROW((void)open_listening_sockets({"", port}, 1), boost::system::system_error);
    check_refused<boost::system::system_error>("192.0.2.1", {"192.0.2.1"});  // an address that this machine has not
}

BOOST_AUTO_TEST_CASE(several_loops_share_a_port) {
    auto const all = open_listening_sockets({"127.0.0.1", 0}, 3);
    BOOST_REQUIRE(all.size() == 3);
    for (auto const& each : all) {
        BOOST_REQUIRE(each.size() == 1);
        BOOST_TEST(each[0].local_endpoint() == all[0][0].local_endpoint());
        BOOST_TEST((each[0].fd() == all[0][0].fd()) == (&each == all.data()));
    }
}

BOOST_AUTO_TEST_CASE(without_a_host_ipv4_and_ipv6_are_served) {
    world w;
    auto const server = w.listen_where_told({});
    w.serve(server, world::echo_back);
    check_echo(w, {asio::ip::make_address("127.0.0.1"), server.port()});
    if (!has_ipv6()) return;
    check_echo(w, {asio::ip::make_address("::1"), server.port()});
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_takes_no_ipv4) {
    if (!has_ipv6()) return;
    world w;
    auto const server = w.listen_where_told({.host = "::"});
    w.serve(server, world::echo_back);
    check_echo(w, {asio::ip::make_address("::1"), server.port()});
    BOOST_CHECK_THROW(client(w, server.port()), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(a_unix_socket_is_served) {
    world w;
    temporary_folder here;
    auto const path = here.file("echo.sock");
    auto server = std::optional(w.listen_where_told({.host = "unix:" + path}));
    BOOST_TEST(server->local_endpoint().to_string() == "unix:" + path);
    BOOST_TEST(server->port() == 0);
    BOOST_TEST(permissions(path) == 0600u);

    client c(w, server->local_endpoint());
    c.send(handshake());
    auto const socket = w.accept(*server);
    BOOST_TEST(socket.remote_endpoint().to_string() == "unix:");
    BOOST_TEST(socket.client_endpoint().is_unix());
    BOOST_TEST(socket.local_endpoint().to_string() == "unix:" + path);
    w.serve(*server, world::echo_back);
    check_echo(w, server->local_endpoint());
    server->stop();
    w.turn_for(20ms);
    BOOST_TEST(!fs::exists(path));
}

BOOST_AUTO_TEST_CASE(the_file_goes_with_the_last_handle_or_the_loop) {
    temporary_folder here;
    auto const path = here.file("echo.sock");
    {
        world w;
        auto server = std::optional(w.listen_where_told({.host = "unix:" + path}));
        BOOST_TEST(fs::exists(path));
        server.reset();
        w.turn_for(5ms);
        BOOST_TEST(!fs::exists(path));
    }
    std::optional<wsio::server> survivor;
    {
        world w;
        survivor = w.listen_where_told({.host = "unix:" + path});
        BOOST_TEST(fs::exists(path));
    }
    BOOST_TEST(!fs::exists(path));
}

BOOST_AUTO_TEST_CASE(unix_permissions_are_those_of_the_file) {
    temporary_folder here;
    for (unsigned const wanted : {0600u, 0660u, 0666u, 0u}) {
        auto const opened = open_listening_sockets({"unix:" + here.file("a"), 0, wanted}, 1);
        BOOST_TEST(permissions(here.file("a")) == wanted);
    }
}

BOOST_AUTO_TEST_CASE(the_file_of_a_dead_server_is_replaced) {
    temporary_folder here;
    auto const path = here.file("echo.sock");
    for (bool const listened : {true, false}) {
        ::close(unix_socket(path, listened));
        BOOST_TEST(fs::exists(path));
        world w;
        auto const server = w.listen_where_told({.host = "unix:" + path});
        w.serve(server, world::echo_back);
        check_echo(w, server.local_endpoint());
    }
}

BOOST_AUTO_TEST_CASE(a_server_that_lives_is_not_replaced) {
    world w;
    temporary_folder here;
    auto const path = here.file("echo.sock");
    auto const server = w.listen_where_told({.host = "unix:" + path});
    check_refused<boost::system::system_error>("unix:" + path, {path, "in use"});
    w.serve(server, world::echo_back);
    check_echo(w, server.local_endpoint());

    // One whose queue is full lives as well.
    auto const busy = here.file("busy.sock");
    int const fd = unix_socket(busy, false);
    BOOST_REQUIRE(::listen(fd, 0) == 0);
    client first(w, wsio::endpoint{{}, 0, "unix:" + busy});
    check_refused<boost::system::system_error>("unix:" + busy, {busy, "in use"});
    ::close(fd);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_socket_is_left_alone) {
    temporary_folder here;
    auto const path = here.file("precious");
    here.write("precious", "data");
    check_refused<boost::system::system_error>("unix:" + path, {path, "exists"});
    BOOST_TEST(fs::file_size(path) == 4u);
    fs::create_symlink(path, here.file("link"));
    check_refused<boost::system::system_error>("unix:" + here.file("link"), {"link", "exists"});
    BOOST_TEST(fs::is_symlink(here.file("link")));
}

BOOST_AUTO_TEST_CASE(the_file_of_a_successor_is_left_alone) {
    temporary_folder here;
    auto const path = here.file("echo.sock");
    world w;
    auto old = std::optional(w.listen_where_told({.host = "unix:" + path}));
    fs::remove(path);
    auto const successor = w.listen_where_told({.host = "unix:" + path});
    old.reset();
    w.turn_for(5ms);
    BOOST_TEST(fs::exists(path));
    w.serve(successor, world::echo_back);
    check_echo(w, successor.local_endpoint());
}

BOOST_AUTO_TEST_CASE(an_abstract_unix_socket_is_served) {
    world w;
    auto const host = "unix:@wsio-test-" + std::to_string(::getpid());
    auto const server = w.listen_where_told({.host = host});
    BOOST_TEST(server.local_endpoint().to_string() == host);
    w.serve(server, world::echo_back);
    check_echo(w, server.local_endpoint());
    check_refused<boost::system::system_error>(host, {host, "in use"});
}

BOOST_AUTO_TEST_CASE(a_path_that_cannot_be_is_refused) {
    temporary_folder here;
    check_refused<std::invalid_argument>("unix:", {"needs a path"});
    check_refused<std::invalid_argument>("unix:@", {"needs a path"});
    check_refused<std::invalid_argument>("unix:/" + std::string(107, 'x'), {"more than 107 bytes"});
    check_refused<std::invalid_argument>("unix:/tmp/a" + std::string(1, '\0') + "b", {"NUL"});
    check_refused<boost::system::system_error>("unix:" + here.file("absent/echo.sock"), {"absent", "No such file"});
}

BOOST_AUTO_TEST_CASE(an_inherited_descriptor_is_served_and_stays_open) {
    world w;
    temporary_folder here;
    for (int const fd : {tcp_socket(true), unix_socket(here.file("echo.sock"), true)}) {
        auto server = std::optional(w.listen_where_told({.host = "fd:" + std::to_string(fd)}));
        auto const at = server->local_endpoint();
        w.serve(*server, world::echo_back);
        check_echo(w, at);
        server->stop();
        server.reset();
        w.turn_for(5ms);
        client next(w, at);  // waits for the next server
        auto const successor = w.listen_where_told({.host = "fd:" + std::to_string(fd)});
        BOOST_TEST(status_of(next.send(handshake()).read_to("\r\n\r\n")) == 101);
        ::close(fd);
    }
    BOOST_TEST(fs::exists(here.file("echo.sock")));  // whoever made it removes it
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_does_not_listen_is_refused) {
    temporary_folder here;
    int pipes[2];
    BOOST_REQUIRE(::pipe2(pipes, O_CLOEXEC) == 0);
    for (int const fd :
         {tcp_socket(false), tcp_socket(false, SOCK_DGRAM), unix_socket(here.file("a"), false), pipes[0]}) {
        check_refused<std::invalid_argument>("fd:" + std::to_string(fd),
                                             {"descriptor " + std::to_string(fd), "listens"});
        ::close(fd);
    }
    ::close(pipes[1]);
    check_refused<std::invalid_argument>("fd:999999", {"fd:999999", "listens"});
}

// How sockets are passed on is tested with a process of its own, in tests/proxies.
BOOST_AUTO_TEST_CASE(without_sockets_from_systemd_that_is_said) {
    auto const check = [](const char* pid, const char* count, std::string_view why) {
        pid != nullptr ? ::setenv("LISTEN_PID", pid, 1) : ::unsetenv("LISTEN_PID");
        count != nullptr ? ::setenv("LISTEN_FDS", count, 1) : ::unsetenv("LISTEN_FDS");
        check_refused<std::invalid_argument>("systemd", {"systemd", why});
    };
    auto const own = std::to_string(::getpid());
    check(nullptr, nullptr, "no sockets were passed on");
    check(own.c_str(), nullptr, "no sockets were passed on");
    check("1", "1", "no sockets were passed on");  // meant for another process
    check("x", "1", "no sockets were passed on");
    for (auto count : {"0", "x", "", "-1", "1x", "99999999999"}) check(own.c_str(), count, "LISTEN_FDS");
    ::unsetenv("LISTEN_PID");
    ::unsetenv("LISTEN_FDS");
}

BOOST_AUTO_TEST_CASE(tcp_connections_have_no_delay_and_unix_ones_are_not_asked) {
    world w;
    temporary_folder here;
    auto const accepted = [&](const std::string& host) {
        auto sockets = open_listening_sockets({host, 0}, 1);
        auto const at = sockets[0][0].local_endpoint();
        int got = -1;
        auto const listener = std::make_shared<wsio::detail::listener>(
            wsio::detail::loop::of(w.executor()), std::move(sockets[0][0]),
            [&](int fd, const wsio::endpoint&) { got = fd; }, [](const wsio::endpoint&) {}, [](bool) {});
        listener->start();
        client c(w, at);
        BOOST_REQUIRE(w.until([&] { return got >= 0; }));
        listener->close();
        return got;
    };
    int const tcp = accepted("127.0.0.1");
    int on = 0;
    socklen_t size = sizeof on;
    BOOST_TEST(::getsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0);
    BOOST_TEST(on != 0);
    int const local = accepted("unix:" + here.file("a"));
    for (int const fd : {tcp, local}) {
        BOOST_TEST((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
        BOOST_TEST((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        ::close(fd);
    }
}

BOOST_AUTO_TEST_SUITE_END()
