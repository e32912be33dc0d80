// GraphQL over WebSocket, by graphql-ws (subprotocol graphql-transport-ws): node graphql.js [keepalive init-timeout], in ms.
const { createServer } = require('http');
const { buildSchema } = require('graphql');
const { useServer } = require('graphql-ws/use/ws');
const { WebSocketServer } = require('ws');

const [keepAlive = 12000, connectionInitWaitTimeout = 3000] = process.argv.slice(2).map(Number);
const server = createServer();
const sockets = new WebSocketServer({ server, path: '/graphql' });
const schema = buildSchema('type Query { hello: String }');
useServer({ schema, connectionInitWaitTimeout }, sockets, keepAlive);
require('./until_stdin_ends')(server);
