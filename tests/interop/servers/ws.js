// Echo on the npm package ws with compression, and the subprotocol "chat".
'use strict';
const { WebSocketServer } = require('ws');

const server = new WebSocketServer({
  host: '127.0.0.1', port: 0, maxPayload: 16 << 20, handleProtocols: offered => [...offered].includes('chat') && 'chat',
  perMessageDeflate: process.env.COMPRESS ? { threshold: 0 } : false,
});
server.on('listening', () => console.log(`ws listens on 127.0.0.1:${server.address().port}`));
server.on('connection', socket => socket.on('message', (data, binary) => socket.send(data, { binary })));
