// npm ws: 8.x, and the old 1.1.5 and 0.4.32, named by WS in the environment.
'use strict';
const http = require('node:http');
const { url, version, origin, subprotocol, opened, received, closed, refused } = require('./conversation');

const name = process.env.WS || 'ws';
const WebSocket = require(name);
const options = { protocolVersion: version, origin };
let agreed;  // 0.4 takes the subprotocol as an option, and does not tell what the server answered
if (name === 'ws04') {
  options.protocol = subprotocol;
  const request = http.request;
  http.request = (...given) => request(...given).once('upgrade', ({ headers }) => { agreed = headers['sec-websocket-protocol']; });
}

const client = new WebSocket(url, subprotocol ?? [], options);
let extensions;
client.on('open', () => {
  // A list in ws 8; in 1.1.5 an object with a member for each, while it is open.
  extensions = typeof client.extensions === 'string' ? client.extensions : Object.keys(client.extensions ?? {}).join();
  opened({
    send: message => client.send(message, { binary: Buffer.isBuffer(message) }),
    close: () => client.close(1000, 'bye'),
  });
});
client.on('message', data => received(data));
client.on('close', (code, reason) => closed({ extensions, subprotocol: client.protocol ?? agreed, code, reason: String(reason ?? '') }));
client.on('error', refused);
