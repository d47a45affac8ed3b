// Echo on the npm package ws. With --compress it compresses as wsio does by default.
'use strict';
const { WebSocketServer } = require('ws');

const [option, port, compress] = process.argv.slice(2);
if (option !== '--port' || (compress ?? '--compress') !== '--compress') {
  console.error('usage: ws.js --port N [--compress]');
  process.exit(2);
}

const perMessageDeflate = compress && {
  threshold: 256, serverMaxWindowBits: 12, zlibDeflateOptions: { level: 3, memLevel: 5 },
};
const server = new WebSocketServer({
  host: '127.0.0.1', port: Number(port), backlog: 4096, perMessageDeflate: perMessageDeflate ?? false, maxPayload: 16 << 20, clientTracking: false,
});
server.on('listening', () => console.log(`ws listens on 127.0.0.1:${server.address().port}`));
server.on('connection', socket => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('error', () => {});
});
