// Socket.IO's own server, with Engine.IO 4 below it, which pings its clients: node socketio.js [interval timeout], in ms.
// With "v3" for a third argument, clients of Engine.IO 3 (Socket.IO 2) are let in as well; they ping the server.
const { createServer } = require('http');
const { Server } = require('socket.io');

const [interval = 25000, timeout = 20000, old] = process.argv.slice(2);
const server = createServer();
const io = new Server(server, {
  pingInterval: Number(interval), pingTimeout: Number(timeout), connectTimeout: 2000, allowEIO3: old === 'v3',
});
io.on('connection', (socket) => socket.onAny((event, ...args) => args.at(-1)?.('acknowledged')));
require('./until_stdin_ends')(server);
