// WebSockets over HTTP/2 without TLS (RFC 8441): node:http2, with `ws` on each stream. The argument says what it does
// instead: `deny` allows no extended CONNECT.
const http2 = require('http2');
const { WebSocket } = require('ws');
const untilStdinEnds = require('./until_stdin_ends');

const server = http2.createServer({ settings: { enableConnectProtocol: process.argv[2] !== 'deny' } });

server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  if (headers[':method'] !== 'CONNECT' || headers[':protocol'] !== 'websocket') {
    stream.respond({ ':status': 404 }, { endStream: true });
    return;
  }
  stream.respond({ ':status': 200 });
  const socket = new WebSocket(null, undefined, { autoPong: true, closeTimeout: 5000 });
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.setSocket(stream, Buffer.alloc(0), { allowSynchronousEvents: true, maxPayload: 1 << 20, skipUTF8Validation: false });
});

untilStdinEnds(server);
