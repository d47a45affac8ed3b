// Echo on the npm package ws, version 1.1.5.
'use strict';
const { Server } = require('ws1');

const http = require('node:http').createServer().listen(0, '127.0.0.1', () => console.log(`ws1 listens on 127.0.0.1:${http.address().port}`));
const server = new Server({ server: http });
server.on('connection', socket => {
  socket.on('message', (data, flags) => socket.send(data, { binary: Boolean(flags?.binary) }));
  socket.on('error', () => {});
});
