// Connects to the URL given by Node's own WebSocket (undici), which answers pings by itself.
const socket = new WebSocket(process.argv[2]);
socket.onerror = (event) => console.log("error:", event.message);
socket.onclose = (event) => console.log("ended:", event.code);
