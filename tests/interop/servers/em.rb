# Echo on em-websocket: hixie-75, hixie-76, 7, 8 and 13.
require 'em-websocket'
require 'socket'

# It cannot say which free port it got, so one is looked for first.
probe = TCPServer.new('127.0.0.1', 0)
port = probe.addr[1]
probe.close
EM.run do
  EM::WebSocket.run(host: '127.0.0.1', port: port) do |ws|
    ws.onmessage { |message| ws.send(message) }
    ws.onbinary { |message| ws.send_binary(message) }
    ws.onerror { |_| }
  end
  puts "em-websocket listens on 127.0.0.1:#{port}"
  $stdout.flush
end
