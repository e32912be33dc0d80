// Connects to the URL given and listens until the end; ws answers pings by itself.
const WebSocket = require("ws");
const socket = new WebSocket(process.argv[2]);
socket.on("error", (error) => console.log("error:", error.message));
socket.on("close", (code) => console.log("ended:", code));
