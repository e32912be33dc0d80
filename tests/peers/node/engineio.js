// Engine.IO 4 by itself: node engineio.js [interval timeout], in ms. It pings its clients, and echoes messages.
const { createServer } = require('http');
const { Server } = require('engine.io');

const [interval = 25000, timeout = 20000] = process.argv.slice(2).map(Number);
const server = createServer();
const engine = new Server({ pingInterval: interval, pingTimeout: timeout });
engine.attach(server, { path: '/engine.io' });
engine.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
require('./until_stdin_ends')(server);
