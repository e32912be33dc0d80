// A plain client on Node's ws: ADDRESS CONNECTIONS INTERVAL_MS COUNT.
//
// Each connection sends a Ping, waits for its Pong and sets a timer for the next.
// Prints a line PORT SEQ RTT_NS for each heartbeat of a single connection.

const WebSocket = require('ws');

const OPENING = 64;
const [address, ...numbers] = process.argv.slice(2);
const [connections, interval, count] = numbers.map(Number);

const open = () =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${address}/`, { perMessageDeflate: false });
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });

const fail = (error) => {
  console.error(error);
  process.exit(1);
};

function beats(socket, first) {
  const port = socket._socket.localPort;
  const lines = [];
  let seq = 0;
  let sent;
  const ping = () => {
    const payload = Buffer.alloc(8);
    payload.writeBigUInt64BE(BigInt(seq));
    sent = process.hrtime.bigint();
    socket.ping(payload);
  };
  const plan = () => setTimeout(ping, Math.max(0, first + seq * interval - performance.now()));
  socket.on('pong', () => {
    const rtt = process.hrtime.bigint() - sent;
    if (connections === 1) lines.push(`${port} ${seq} ${rtt}\n`);
    seq += 1;
    if (seq < count) return plan();
    process.stdout.write(lines.join(''));
    socket.close();
  });
  socket.on('close', () => seq < count && fail('the connection ended'));
  plan();
}

async function main() {
  const sockets = [];
  while (sockets.length < connections) {
    const more = Math.min(OPENING, connections - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: more }, open))));
  }
  const start = performance.now();
  sockets.forEach((socket, index) => beats(socket, start + (interval * index) / connections));
}

main().catch(fail);
