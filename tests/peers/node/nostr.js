// A Nostr relay without events, by @nostr-relay/core.
const { createServer } = require('http');
const { WebSocketServer } = require('ws');
const { NostrRelay } = require('@nostr-relay/core');
const { EventRepository } = require('@nostr-relay/common');

class Empty extends EventRepository {
  isSearchSupported() { return false; }
  async upsert() { return { isDuplicate: false }; }
  async find() { return []; }
}

const server = createServer();
const relay = new NostrRelay(new Empty());
new WebSocketServer({ server }).on('connection', (socket) => {
  relay.handleConnection(socket);
  socket.on('message', (data) => relay.handleMessage(socket, JSON.parse(data)).catch(() => socket.close(1003)));
  socket.on('close', () => relay.handleDisconnect(socket));
});
require('./until_stdin_ends')(server);
