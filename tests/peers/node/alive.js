// The `ws` library with the isAlive pattern of its README: every 2 s it pings, and terminates who has not answered the
// ping before. With "none" it has no heartbeat at all.
// Prints "PORT n" when it listens; ends when its standard input does.
const { WebSocketServer } = require('ws');

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 }, () => {
  console.log(`PORT ${server.address().port}`);
});

server.on('connection', (socket) => {
  socket.isAlive = true;
  socket.on('pong', () => { socket.isAlive = true; });
  socket.on('error', () => {});
});

function beat() {
  for (const socket of server.clients) {
    if (!socket.isAlive) {
      socket.terminate();
    } else {
      socket.isAlive = false;
      socket.ping();
    }
  }
}

if (process.argv[2] !== 'none') {
  setInterval(beat, 2000);
}
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
