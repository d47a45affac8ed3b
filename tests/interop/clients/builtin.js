// Node's own WebSocket (undici); Node 20 wants --experimental-websocket. It cannot name an origin.
'use strict';
const { url, subprotocol, opened, received, closed, refused } = require('./conversation');

const client = new WebSocket(url, subprotocol ? [subprotocol] : []);
client.binaryType = 'arraybuffer';
client.onopen = () => opened({ send: message => client.send(message), close: () => client.close(1000, 'bye') });
client.onmessage = event => received(event.data);
client.onclose = event => closed({ extensions: client.extensions, subprotocol: client.protocol, code: event.code, reason: event.reason });
client.onerror = event => refused(event.message || event.error || 'error event');
