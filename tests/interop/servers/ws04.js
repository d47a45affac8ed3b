// Echo on the npm package ws, version 0.4.32.
'use strict';
const { Server } = require('ws04');

const http = require('node:http').createServer().listen(0, '127.0.0.1', () => console.log(`ws04 listens on 127.0.0.1:${http.address().port}`));
const server = new Server({ server: http });
server.on('connection', socket => {
  socket.on('message', (data, flags) => socket.send(data, { binary: Boolean(flags?.binary) }));
  socket.on('error', () => {});
});
