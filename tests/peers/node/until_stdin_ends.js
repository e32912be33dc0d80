// Lets an HTTP server listen on a free port of 127.0.0.1, prints "PORT n", and ends when standard input does.
module.exports = (server) => {
  server.listen(0, '127.0.0.1', () => console.log(`PORT ${server.address().port}`));
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
};
