// webpack-dev-server, whose socket is at /ws; it pings every second.
const { writeFileSync, mkdtempSync, rmSync } = require('fs');
const { tmpdir } = require('os');
const { join } = require('path');
const webpack = require('webpack');
const WebpackDevServer = require('webpack-dev-server');

const root = mkdtempSync(join(tmpdir(), 'webpack-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));
writeFileSync(join(root, 'index.js'), '');

const compiler = webpack({
  mode: 'development', context: root, entry: './index.js', output: { path: root }, infrastructureLogging: { level: 'error' },
});
const dev = new WebpackDevServer({ host: '127.0.0.1', port: 0, static: false, setupExitSignals: false }, compiler);
dev.start().then(() => console.log(`PORT ${dev.server.address().port}`));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
