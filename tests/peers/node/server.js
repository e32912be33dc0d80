// A small server over the `ws` library: Pings are answered by the library, app pings here.
// Prints "PORT n" when it listens; ends when its standard input does. An argument is JSON of how it compresses.
const { WebSocketServer } = require('ws');

const perMessageDeflate = { threshold: 0, ...JSON.parse(process.argv[2] ?? '{}') };
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate }, () => {
  console.log(`PORT ${server.address().port}`);
});

server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => {
    const answer = isBinary ? null : answerTo(data.toString());
    socket.send(answer ?? data, { binary: isBinary });
  });
});

function answerTo(text) {
  try {
    const message = JSON.parse(text);
    return message?.type === 'ping' ? JSON.stringify({ ...message, type: 'pong' }) : null;
  } catch {
    return null;
  }
}

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
