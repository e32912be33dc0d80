// SockJS, an echo below /echo: node sockjs.js [heartbeat], in ms.
const { createServer } = require('http');
const sockjs = require('sockjs');

const [heartbeat_delay = 25000] = process.argv.slice(2).map(Number);
const server = createServer();
const echo = sockjs.createServer({ heartbeat_delay, log: () => {} });
echo.on('connection', (connection) => connection && connection.on('data', (message) => connection.write(message)));
echo.installHandlers(server, { prefix: '/echo' });
require('./until_stdin_ends')(server);
