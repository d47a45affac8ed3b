// npm websocket-client 1.0.0 of 2010, which speaks hixie-76 alone. It wants two things that Node had in its time:
// http.createClient, and hashes that take a string as bytes. Handshake, keys and framing are the library's own.
'use strict';
const crypto = require('node:crypto');
const { EventEmitter } = require('node:events');
const http = require('node:http');
const { url, origin, subprotocol, opened, received, closed, refused } = require('./conversation');

const hash = crypto.createHash('md5').constructor.prototype;
const update = hash.update;
hash.update = function (data, encoding) {
  return update.call(this, data, encoding || (typeof data === 'string' ? 'binary' : undefined));
};

http.createClient = (port, host) => {
  const client = new EventEmitter();
  client.end = () => {};
  client.request = (path, headers) => http.request({ host, port, path, headers })
    .on('upgrade', (response, socket, head) => client.emit('upgrade', response, socket, head))
    .on('response', response => refused(`HTTP ${response.statusCode}`))
    .on('error', error => client.emit('error', error));
  return client;
};

const { WebSocket } = require('websocket-client');
const client = new WebSocket(url, subprotocol, { origin });
client.onopen = () => opened({ send: message => client.send(message), close: () => client.close() });
client.onmessage = event => received(event.data);
client.onclose = () => closed({ subprotocol });  // called after the closing handshake only
client.addListener('wserror', refused);
