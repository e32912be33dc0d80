#!/usr/bin/env bash
# Installs the WebSocket servers that the tests measure, and the clients that test the test server: Node
# `ws`, Python `websockets`, Go gorilla/websocket, and headless Chromium. Debian's packages bring the
# languages and the browser; run as root, or with them installed.
set -euo pipefail
cd "$(dirname "$0")"

missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
command -v go >/dev/null || missing+=(golang-go)
[ -d /usr/share/gocode/src/github.com/gorilla/websocket ] || missing+=(golang-github-gorilla-websocket-dev)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
command -v chromium >/dev/null || missing+=(chromium)
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

(cd node && npm install --no-package-lock --no-audit --no-fund --silent)
[ -x python/.venv/bin/python ] || python3 -m venv python/.venv
python/.venv/bin/python -m pip install --quiet --disable-pip-version-check -r python/requirements.txt
(cd go && GO111MODULE=off GOPATH=/usr/share/gocode go build -o peer main.go)
echo "peers installed: node ws, python websockets, go gorilla/websocket, chromium"
