// Echo servers that do something wrong, or something right that is rare.
'use strict';
const crypto = require('node:crypto');
const net = require('node:net');

// Gives the frames of a client's that are whole at the front of `bytes`, unmasked, and how long they are together.
function parse(bytes) {
  const frames = [];
  let at = 0;
  for (;;) {
    if (bytes.length < at + 6) return [frames, at];
    let size = bytes[at + 1] & 0x7f, header = 6;
    if (size === 126) size = bytes.readUInt16BE(at + 2), header = 8;
    else if (size === 127) size = Number(bytes.readBigUInt64BE(at + 2)), header = 14;
    if (bytes.length < at + header + size) return [frames, at];
    const key = bytes.subarray(at + header - 4, at + header);
    const payload = Buffer.from(bytes.subarray(at + header, at + header + size)).map((byte, i) => byte ^ key[i % 4]);
    frames.push({ opcode: bytes[at] & 0x0f, payload });
    at += header + size;
  }
}

// Makes a frame with less than 126 bytes.
const frame = (first, payload) => Buffer.concat([Buffer.from([first, payload.length]), payload]);

const accept = key => crypto.createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');

const response = request => 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  `Sec-WebSocket-Accept: ${accept(/Sec-WebSocket-Key: (.*)\r\n/.exec(request)[1])}\r\n\r\n`;

// Starts a server on a free port of this machine. `answer(payload, n, socket)` gives what the n-th message of a connection
// is answered with (bytes, or nothing); `handshake(request)` the answer to the handshake.
async function start({ answer = payload => frame(0x81, payload), handshake = response }) {
  const sockets = new Set();
  const server = net.createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    let bytes = Buffer.alloc(0), open = false, count = 0;
    socket.on('data', data => {
      bytes = Buffer.concat([bytes, data]);
      if (!open) {
        const end = bytes.indexOf('\r\n\r\n');
        if (end < 0) return;
        const reply = handshake(bytes.toString('latin1'));
        if (reply === undefined) return;
        open = reply.startsWith('HTTP/1.1 101');
        socket.write(reply);
        if (!open) return socket.end();
        bytes = bytes.subarray(end + 4);
      }
      const [frames, taken] = parse(bytes);
      bytes = bytes.subarray(taken);
      for (const { opcode, payload } of frames) {
        if (opcode === 8) return socket.end(frame(0x88, payload));
        if (opcode > 8) continue;
        const reply = answer(payload, ++count, socket);
        if (reply) socket.write(reply);
      }
    });
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `ws://127.0.0.1:${server.address().port}/`,
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

module.exports = { start, frame };
