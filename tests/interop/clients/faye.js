// npm faye-websocket.
'use strict';
const { Client } = require('faye-websocket');
const { url, origin, subprotocol, opened, received, closed, refused } = require('./conversation');

const client = new Client(url, subprotocol ? [subprotocol] : [], { headers: { Origin: origin } });
client.on('open', () => opened({ send: message => client.send(message), close: () => client.close(1000, 'bye') }));
client.on('message', event => received(event.data));
client.on('close', event => closed({ subprotocol: client.protocol, code: event.code, reason: event.reason }));
client.on('error', refused);
