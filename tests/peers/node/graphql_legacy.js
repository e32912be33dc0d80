// GraphQL over WebSocket as Apollo spoke it first, by subscriptions-transport-ws (subprotocol graphql-ws):
// node graphql_legacy.js [keepalive], in ms.
const { createServer } = require('http');
const { buildSchema, execute, subscribe } = require('graphql');
const { SubscriptionServer } = require('subscriptions-transport-ws');

const [keepAlive = 10000] = process.argv.slice(2).map(Number);
const server = createServer();
const schema = buildSchema('type Query { hello: String }');
SubscriptionServer.create({ schema, execute, subscribe, keepAlive }, { server, path: '/graphql' });
require('./until_stdin_ends')(server);
