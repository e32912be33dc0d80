// A STOMP broker, stomp-broker-js, at /stomp: node stomp.js [from-server to-server], its heart-beats in ms.
const { createServer } = require('http');
const StompServer = require('stomp-broker-js');

const [fromServer = 10000, toServer = 10000] = process.argv.slice(2).map(Number);
const server = createServer();
const broker = new StompServer({ server, path: '/stomp', heartbeat: [fromServer, toServer], heartbeatErrorMargin: 200 });
broker.on('error', () => {});
require('./until_stdin_ends')(server);
