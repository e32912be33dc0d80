// JSON-RPC 2.0 by rpc-websockets, without a method of its own.
const { Server } = require('rpc-websockets');

const server = new Server({ host: '127.0.0.1', port: 0 });
server.on('listening', () => console.log(`PORT ${server.wss.address().port}`));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
