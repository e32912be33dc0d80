// Opens a WebSocket over HTTP/2 (RFC 8441) at the URL given by Node's own module, and answers pings by itself.
const http2 = require("node:http2");
const url = new URL(process.argv[2]);
const session = http2.connect(`http://${url.host}`);
session.on("error", (error) => console.log("error:", error.message));
session.once("remoteSettings", (settings) => {
  if (!settings.enableConnectProtocol) throw new Error("extended CONNECT is not allowed");
  const stream = session.request({
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":path": url.pathname,
    "sec-websocket-version": "13",
  }, { endStream: false });
  let received = Buffer.alloc(0);
  stream.on("response", (headers) => console.log("status:", headers[":status"]));
  stream.on("data", (data) => {
    received = Buffer.concat([received, data]);
    while (received.length >= 2 && received.length >= 2 + received[1]) {
      const payload = received.subarray(2, 2 + received[1]);
      // A pong, masked with zeros.
      if (received[0] === 0x89) stream.write(Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
      received = received.subarray(2 + payload.length);
    }
  });
  stream.on("error", (error) => console.log("error:", error.message));
});
