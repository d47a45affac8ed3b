#!/usr/bin/perl
# Protocol::WebSocket: draft-hixie-75, draft-ietf-hybi-00, -10 and -17. ../README.md has the rules.
use strict;
use warnings;
use utf8;
use Encode qw(encode);
use IO::Socket::INET;
use JSON::PP;
use Protocol::WebSocket::Handshake::Client;
use Protocol::WebSocket::URL;

my ($url, $version, $closer, $names, $subprotocol) = @ARGV;
my %known = (
    hello     => 'hello',
    multibyte => 'héllo – ☃ 𝄞 日本語',
    long      => 'x' x 300,
    large     => 'y' x 70000,
);

sub report { print encode_json({@_}), "\n"; exit($_[0] eq 'failed' ? 1 : 0) }
$SIG{ALRM} = sub { report(failed => 'timed out') };
alarm 15;

my $parsed = Protocol::WebSocket::URL->new->parse($url) or report(failed => 'bad URL');
my $authority = $parsed->host . ':' . $parsed->port;
my $socket = IO::Socket::INET->new(PeerAddr => $parsed->host, PeerPort => $parsed->port, Timeout => 5)
    or report(failed => "connect: $!");

my $handshake = Protocol::WebSocket::Handshake::Client->new(url => $url, version => $version);
$handshake->req->origin($ENV{ORIGIN} || "http://$authority");
$handshake->req->subprotocol($subprotocol) if $subprotocol;
syswrite $socket, $handshake->to_string;
my $bytes = '';
until ($handshake->is_done) {
    sysread($socket, $bytes, 65536) or report(refused => 'end of the connection');
    my ($status) = $bytes =~ m{^HTTP/1\.1 (\d+)};
    report(refused => "HTTP $status") if $status && $status != 101;
    $handshake->parse($bytes) or report(refused => $handshake->error);
}
my $agreed = $handshake->res->subprotocol // '';

my $frame = $handshake->build_frame(max_payload_size => 100_000);
$frame->append($bytes);
for my $text (map { $known{$_} } split /,/, $names) {
    syswrite $socket, $handshake->build_frame(buffer => $text, max_payload_size => 100_000)->to_bytes;
    my $message;
    until (defined($message = $frame->next)) {
        sysread($socket, my $more, 65536) or report(failed => 'end of the connection');
        $frame->append($more);
    }
    report(failed => 'came back as ' . substr $message, 0, 60) if $message ne $text;
}

# hixie-75 has no closing handshake: who wants to end drops the connection.
if ($version eq 'draft-hixie-75') {
    report(subprotocol => $agreed) if $closer eq 'client';
    sysread($socket, my $more, 65536) and report(failed => 'bytes in place of the end');
    report(subprotocol => $agreed);
}

sub closing_frame {
    return "\xFF\x00" if $version =~ /00/;
    return $handshake->build_frame(type => 'close', buffer => $_[0])->to_bytes;
}
syswrite $socket, closing_frame(pack('n', 1000) . 'bye') if $closer eq 'client';
my $payload;
for (;;) {
    $payload = $frame->next_bytes;
    last if defined $payload && $frame->is_close;
    sysread($socket, my $more, 65536) or report(failed => 'no closing frame');
    $frame->append($more);
}
syswrite $socket, closing_frame($payload) if $closer eq 'server';
1 while sysread($socket, my $rest, 65536);    # the server ends the TCP connection
report(subprotocol => $agreed) if $version =~ /00/;
report(subprotocol => $agreed, code => unpack('n', $payload), reason => substr $payload, 2);
