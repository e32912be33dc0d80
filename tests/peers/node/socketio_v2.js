// Socket.IO 2, with Engine.IO 3 below it, which waits for its clients' pings: node socketio_v2.js [interval timeout], in ms.
const { createServer } = require('http');
const socketio = require('socket.io-v2');

const [interval = 25000, timeout = 5000] = process.argv.slice(2).map(Number);
const server = createServer();
socketio(server, { pingInterval: interval, pingTimeout: timeout, serveClient: false });
require('./until_stdin_ends')(server);
