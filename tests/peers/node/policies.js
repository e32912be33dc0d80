// Servers over the `ws` library that refuse, limit, or end connections: node policies.js POLICY [argument].
// Prints "PORT n" when it listens; ends when its standard input does.
const { createServer } = require('http');
const { WebSocket, WebSocketServer } = require('ws');

const [policy, argument] = process.argv.slice(2);
const http = createServer((request, response) => plainRequest(request, response));
const options = { noServer: true };
const refusals = {
  origin: ({ headers }) => headers.origin === argument || [403, 'Forbidden', 'origin not allowed\n'],
  basic: ({ headers }) => headers.authorization === `Basic ${Buffer.from(argument).toString('base64')}`
    || [401, 'Unauthorized', 'log in first\n', 'WWW-Authenticate: Basic realm="chat"'],
  bearer: ({ headers }) => headers.authorization === `Bearer ${argument}`
    || [401, 'Unauthorized', 'no valid token\n', 'WWW-Authenticate: Bearer realm="chat"'],
  subprotocol: ({ headers }) => (headers['sec-websocket-protocol'] ?? '').split(/, */).includes(argument)
    || [400, 'Bad Request', `subprotocol ${argument} required\n`],
  path: ({ url }) => url === argument || [404, 'Not Found', 'no such endpoint\n'],
  limit: () => server.clients.size < Number(argument) || [503, 'Service Unavailable', 'too many connections\n'],
};

function plainRequest(_, response) {
  if (policy === 'captive') {
    const page = '<html><head><title>Welcome to the network</title></head><body>Log in to go on</body></html>';
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(page);
  } else {
    response.writeHead(404).end();
  }
}

if (policy === 'hang') {
  options.autoPong = false;
}
const server = new WebSocketServer(options);

const behaviours = {
  // Closes who is one too many, after the upgrade.
  'limit-close': (socket) => server.clients.size > Number(argument) && socket.close(1013, 'try again later'),
  violation: (socket) => socket.close(1008, argument ?? 'policy violation'),
  pings: (socket) => {
    const timer = setInterval(() => socket.ping(), Number(argument));
    socket.on('close', () => clearInterval(timer));
  },
  // Ends a client that sends no app ping: {"type":"ping"}, answered by {"type":"pong"}.
  heartbeat: (socket) => {
    const late = () => socket.close(4408, 'heartbeat timeout');
    let timer = setTimeout(late, Number(argument));
    socket.on('message', (data) => {
      if (!data.toString().includes('"ping"')) return;
      clearTimeout(timer);
      timer = setTimeout(late, Number(argument));
      socket.send(JSON.stringify({ ...JSON.parse(data.toString()), type: 'pong' }));
    });
    socket.on('close', () => clearTimeout(timer));
  },
  // Relays messages to a server, and answers Pings itself, as `ws` does.
  edge: (socket) => {
    const app = new WebSocket(`ws://${argument}/`);
    const waiting = [];
    app.on('open', () => waiting.splice(0).forEach((data) => app.send(data)));
    app.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    app.on('error', () => {});
    socket.on('message', (data, isBinary) => {
      const message = isBinary ? data : data.toString();
      app.readyState === WebSocket.OPEN ? app.send(message) : waiting.push(message);
    });
    socket.on('close', () => app.terminate());
  },
  // Reads nothing.
  hang: (socket) => socket.pause(),
};

function refuse(stream, [status, reason, body, header]) {
  const headers = header ? `${header}\r\n` : '';
  stream.end(`HTTP/1.1 ${status} ${reason}\r\n${headers}Content-Type: text/plain\r\n`
    + `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

function upgrade(request, stream, head) {
  stream.on('error', () => {});
  if (policy === 'silent') return;
  const verdict = refusals[policy]?.(request) ?? true;
  if (verdict !== true) {
    refuse(stream, verdict);
    return;
  }
  server.handleUpgrade(request, stream, head, (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => policy in refusals && socket.send(data, { binary: isBinary }));
    behaviours[policy]?.(socket);
  });
}

// Without this listener, an upgrade is answered as any request is.
if (policy !== 'captive') {
  http.on('upgrade', upgrade);
}
require('./until_stdin_ends')(http);
