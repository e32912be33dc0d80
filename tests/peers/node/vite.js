// Vite's development server, whose hot-reload socket is at / (subprotocol vite-hmr).
const { mkdtempSync, rmSync } = require('fs');
const { createServer } = require('http');
const { tmpdir } = require('os');
const { join } = require('path');

const root = mkdtempSync(join(tmpdir(), 'vite-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

(async () => {
  const { createServer: vite } = await import('vite');
  const server = createServer();
  const hmr = { server };
  const dev = await vite({ root, configFile: false, logLevel: 'error', cacheDir: root, server: { middlewareMode: true, hmr, watch: null } });
  server.on('request', dev.middlewares);
  require('./until_stdin_ends')(server);
})();
