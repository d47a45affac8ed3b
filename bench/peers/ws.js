// Echo on the npm package ws, without compression.
'use strict';
const { WebSocketServer } = require('ws');

const [option, port] = process.argv.slice(2);
if (option !== '--port') {
  console.error('usage: ws.js --port N');
  process.exit(2);
}

const server = new WebSocketServer({
  host: '127.0.0.1', port: Number(port), backlog: 4096, perMessageDeflate: false, maxPayload: 16 << 20, clientTracking: false,
});
server.on('listening', () => console.log(`ws listens on 127.0.0.1:${server.address().port}`));
server.on('connection', socket => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('error', () => {});
});
