// A client as the README of ws recommends ("How to detect and close broken connections?"): it terminates a connection on
// which no ping came in time, and it reconnects with back-off.
const WebSocket = require("ws");

const PING_TIMEOUT = 2000; // the server pings every second
const FIRST_DELAY = 100;
const MAX_DELAY = 2000;

let delay = FIRST_DELAY;

function connect() {
  const socket = new WebSocket(process.env.WSCHECK_URL);
  let timer;
  const heartbeat = () => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.terminate(), PING_TIMEOUT);
  };
  socket.on("open", () => {
    delay = FIRST_DELAY;
    heartbeat();
  });
  socket.on("ping", heartbeat);
  socket.on("error", () => {}); // "close" follows
  socket.on("close", () => {
    clearTimeout(timer);
    setTimeout(connect, delay);
    delay = Math.min(delay * 2, MAX_DELAY);
  });
}

connect();
