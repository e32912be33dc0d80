// An Ethereum node on a chain of its own, by Ganache.
const { server: ganache } = require('ganache');

const server = ganache({ logging: { quiet: true } });
server.listen(0, '127.0.0.1').then(() => console.log(`PORT ${server.address().port}`));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
