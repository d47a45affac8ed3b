#!/usr/bin/perl
# Echo on Protocol::WebSocket, one process for each connection: hixie-75, hixie-76, 7, 8 and 13.
use strict;
use warnings;
use IO::Socket::INET;
use Protocol::WebSocket::Handshake::Server;

$SIG{CHLD} = 'IGNORE';
$| = 1;
my $listening = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 50) or die $!;
print 'pws listens on 127.0.0.1:', $listening->sockport, "\n";

while (my $client = $listening->accept) {
    next if fork;
    my $handshake = Protocol::WebSocket::Handshake::Server->new;
    my $bytes;
    until ($handshake->is_done) {
        sysread($client, $bytes, 65536) or exit;
        next if $handshake->parse($bytes);
        syswrite $client, "HTTP/1.1 400 Bad Request\r\n\r\n";
        exit;
    }
    $handshake->res->subprotocol($handshake->req->subprotocol) if defined $handshake->req->subprotocol;
    syswrite $client, $handshake->to_string;
    my $old = $handshake->version =~ /75|00/;
    my $frame = $handshake->build_frame(max_payload_size => 1 << 20);
    my $answer = sub {
        my $bytes = $handshake->build_frame(@_, max_payload_size => 1 << 20)->to_bytes;
        for (my $sent = 0; $sent < length $bytes;) { $sent += syswrite($client, $bytes, length($bytes) - $sent, $sent) // exit }
    };
    for (;;) {
        while (defined(my $message = $frame->next_bytes)) {
            if ($frame->is_close) { $answer->(type => 'close', buffer => $message); exit }
            elsif ($frame->is_ping) { $answer->(type => 'pong', buffer => $message) }
            elsif (!$frame->is_pong) { $answer->(buffer => $message, opcode => $old ? 1 : $frame->opcode) }
        }
        sysread($client, my $more, 65536) or exit;
        $frame->append($more);
    }
}
