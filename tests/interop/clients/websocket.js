// npm websocket (theturtle32), which is told to send its messages in fragments.
'use strict';
const { client: Client } = require('websocket');
const { url, version, origin, subprotocol, opened, received, closed, refused } = require('./conversation');

const client = new Client({ webSocketVersion: version, fragmentOutgoingMessages: true, fragmentationThreshold: 1000 });
client.on('connectFailed', refused);
client.on('connect', connection => {
  connection.on('message', message => received(message.type === 'utf8' ? message.utf8Data : message.binaryData));
  connection.on('error', refused);
  connection.on('close', (code, reason) => closed({ subprotocol: connection.protocol, code, reason }));
  opened({ send: message => connection.send(message), close: () => connection.close(1000, 'bye') });
});
client.connect(url, subprotocol ? [subprotocol] : [], origin);
