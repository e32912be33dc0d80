# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_wscheck_global_optspecs
    string join \n h/help V/version
end

function __fish_wscheck_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_wscheck_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_wscheck_using_subcommand
    set -l cmd (__fish_wscheck_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c wscheck -n "__fish_wscheck_needs_command" -s h -l help -d 'Print help'
complete -c wscheck -n "__fish_wscheck_needs_command" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "doctor" -d 'Find out what is wrong with an endpoint, at which hop, and what to change; `wscheck URL` alone is a quick one'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "ping" -d 'Measure a connection: RTT, jitter, unanswered heartbeats and status'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "watch" -d 'Keep connections and watch them: outages with their length and cause, as they happen, until it is stopped'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "probe-idle" -d 'Find the idle timeout of a path, what cuts the connection, and what keeps it open'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "listen" -d 'Observe the heartbeats that the server sends by itself: kind, interval, timer'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "probe-zombie" -d 'Measure how long the server keeps dead clients, and how it detects them'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "exporter" -d 'Serve metrics to Prometheus: of connections that are kept, and of probes (/probe as blackbox_exporter has it)'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "run" -d 'Run the checks of a file (wscheck.toml), side by side, and report on all of them'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "demo" -d 'Run `ping` against a test server inside this process (about five seconds)'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "serve" -d 'Run a test server that misbehaves on request, to test a client'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "test-client" -d 'Run your client against a test server that misbehaves, and judge what it does'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "report" -d 'Show an archived run (JSON or NDJSON) in any format, or several runs of ping as one'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "compare" -d 'Compare two archived runs, figure by figure, and tell changes from chance'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "timeouts" -d 'List known timeouts of proxies, clouds, NATs and servers, and how to change them'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "presets" -d 'List the heartbeat protocols of services and libraries'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "products" -d 'List known products and services: their heartbeats, their timeouts, and how they treat dead clients'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "schema" -d 'Print the JSON Schema of the -o json and -o ndjson output, or of a file of checks'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "completions" -d 'Print shell completions'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "man" -d 'Print the manual page (roff) of wscheck or of one command'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l max -d 'Maximum time of --thorough' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l only -d 'Make only these checks (repeatable, or separated by commas)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l skip -d 'Leave these checks out (repeatable, or separated by commas)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l bundle -d 'Write what a maintainer or vendor needs to FILE.tgz: report, events, versions; secrets are redacted' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l via -d 'Try the same URL at this point of the path, too: pod=localhost:8080, or pod=unix:PATH (repeatable, the nearest to the server first)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l app-ping -d 'Message to send as app heartbeat: text with {seq}, {seq1}, {id}, {now_ms} and {now_s}; text:PING\\n takes escapes, binary:PING is a binary message, hex:c000 is bytes' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l app-pong -d 'Pattern of the answer: JSON fields that the message contains, also after a prefix (42["pong"]); literal text; text:, binary: and hex: as in --app-ping, with ? and * as wildcards; {any} matches every message (repeatable: one must match)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l send -d 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file and so keeps secrets out of the process list (a final newline is dropped; ping and watch read it anew before each opening); @@ starts a text with @' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l await -d 'Wait for a message that matches PATTERN before the first heartbeat' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l await-timeout -d 'Maximum time to wait for the --await message [default: 10s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l preset -d 'Use the heartbeat protocol of a service or library (`wscheck presets` lists them); auto detects it. Other options override the preset' -r -f -a "text\t'text ping and pong'
jsonrpc\t'JSON-RPC 2.0, by a method that need not exist'
json\t'JSON {"type":"ping"} and {"type":"pong"}'
json-id\t'JSON {"type":"ping","id":N} with the same id in the answer'
text-upper\t'text PING and PONG'
graphql-ws\t'GraphQL over WebSocket (graphql-transport-ws)'
subscriptions-transport-ws\t'Apollo\'s old GraphQL subscriptions (subprotocol graphql-ws)'
engine.io\t'Engine.IO 4'
socket.io\t'Socket.IO 3 and 4, which speak Engine.IO 4'
engine.io-3\t'Engine.IO 3 and Socket.IO 2'
centrifugo\t'Centrifugo, JSON'
ddp\t'Meteor DDP'
mqtt\t'MQTT 3.1.1 over WebSocket'
stomp\t'STOMP 1.2 over WebSocket'
nats\t'NATS over WebSocket'
sockjs\t'SockJS, WebSocket transport'
xmpp\t'XMPP over WebSocket (RFC 7395)'
nostr\t'Nostr relay'
phoenix\t'Phoenix Channels, serializer V2'
phoenix-v1\t'Phoenix Channels, serializer V1'
signalr\t'ASP.NET Core SignalR, JSON hub protocol'
action-cable\t'Rails Action Cable'
reverb\t'Laravel Reverb, which speaks Pusher\'s protocol'
webpack-dev-server\t'webpack-dev-server'
vite\t'Vite\'s HMR'
gatewayworker\t'GatewayWorker (Workerman)'
jupyter\t'Jupyter Server, kernel channels'
kubernetes\t'Kubernetes exec and attach'
home-assistant\t'Home Assistant'
obs\t'OBS Studio (obs-websocket 5)'
pusher\t'Pusher Channels, protocol 7'
ably\t'Ably realtime, JSON'
discord\t'Discord Gateway'
slack\t'Slack Socket Mode'
firebase\t'Firebase Realtime Database'
twitch-eventsub\t'Twitch EventSub'
helius\t'Helius parsed streams'
binance\t'Binance spot streams'
binance-api\t'Binance WebSocket API'
kraken\t'Kraken Spot v2'
okx\t'OKX v5'
bybit\t'Bybit v5'
kucoin\t'KuCoin'
gateio\t'Gate.io spot v4'
huobi\t'HTX (Huobi) spot market'
mexc\t'MEXC spot'
mexc-futures\t'MEXC futures'
hyperliquid\t'Hyperliquid'
deribit\t'Deribit'
crypto.com\t'Crypto.com'
bullish\t'Bullish'
polymarket\t'Polymarket, market channel'
polymarket-live\t'Polymarket live data'
auto\t'Detect the protocol of the server'"
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l framing -d 'How messages are packed: message (one each), lines (split at LF or CRLF), records (split at 0x1E) [default: message, or the preset\'s]' -r -f -a "message\t''
lines\t''
records\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -s H -l header -d 'Add a request header; @FILE reads one per line (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l origin -d 'Send this Origin header, as a browser does' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l subprotocol -d 'Offer a subprotocol (repeatable, most preferred first)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l http -d 'Which HTTP opens the WebSocket: 1.1; 2, by extended CONNECT (RFC 8441), without TLS with prior knowledge; auto takes what the server chooses by ALPN' -r -f -a "1.1\t''
2\t''
auto\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l compress -d 'Offer to compress messages, as browsers do (permessage-deflate, RFC 7692); PARAMS replace their parameters, for example \'client_no_context_takeover; server_max_window_bits=10\'' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l user -d 'Credentials for HTTP Basic authentication' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l resolve -d 'Use this address for a host and port instead of DNS; a link-local address needs its interface: fe80::1%eth0 (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l unix-socket -d 'Connect to this Unix socket instead of the URL\'s host' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l connect-to -d 'Connect to this host and port instead of the URL\'s, without a proxy; Host, TLS and the request stay those of the URL' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l bind -d 'Local addresses to connect from, in turn; each has some 28000 ports per server address; a link-local address needs its interface: fe80::1%eth0' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l connect-timeout -d 'Maximum time to open a connection, from DNS to the upgrade' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l max-message-size -d 'Maximum size of a message from the server' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l tcp-keepalive -d 'Send TCP keepalive probes after this much silence, and at this interval' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l user-timeout -d 'Give up when the peer\'s TCP has acknowledged nothing for this long (Linux); none leaves it to the system (about 15 minutes) [default: for ping three timeouts, at least 30s; otherwise none]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l timestamps -d 'Source of timestamps: the kernel where available (Linux), else this program' -r -f -a "auto\t''
kernel\t''
user\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l proxy -d 'Connect through this proxy: http://, https://, socks4://, socks5:// or socks5h://, with USER:PASSWORD@ if needed; none ignores HTTP(S)_PROXY, ALL_PROXY and NO_PROXY of the environment' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l cacert -d 'Trust the certificates in FILE (PEM) instead of the system\'s (repeatable)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l cert -d 'Client certificate (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l key -d 'Private key of the client certificate (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l server-name -d 'Server name for SNI and certificate verification, instead of the URL\'s host' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -s o -l output -d 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin\'s output and exit codes), prometheus (text format)' -r -f -a "human\t''
json\t''
ndjson\t''
markdown\t''
html\t''
junit\t''
github\t''
nagios\t''
prometheus\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l report -d 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l trace -d 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l quick -d 'Take some 20 seconds: idle timeouts up to 10 seconds [default: up to 90 seconds, idle timeouts up to 65 seconds]'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l thorough -d 'Also find out what keeps the path open and how long the server keeps dead clients; takes up to --max'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l strict -d 'Warnings fail the run, too'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l list-checks -d 'List the checks and run none'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l each-address -d 'Try the same URL at each address of the name'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l no-answer -d 'Do not answer the server\'s own app pings'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -s k -l insecure -d 'Accept any server certificate; the report says that it was not verified'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -l compact -d 'Print the JSON document on one line'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -s q -l quiet -d 'Print only the report, no live lines; of several targets only the table and the result'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -s v -l verbose -d 'Also print what the other end sends, and the details of each of several targets'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s n -l connections -d 'Number of connections to each URL' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l ramp -d 'Open connections at this rate (500/s, 1000/m), or all of them within this time (20s) [default: as fast as possible, 64 at a time]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l worst -d 'With more than 10 connections, list the N worst' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l streams-per-connection -d 'Let this many WebSockets share a connection of HTTP/2 (with --http 2)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s c -l count -d 'Stop after this number of heartbeats of each kind on each connection [default: run until Ctrl-C]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s w -l deadline -d 'Stop the run after this time; then wait up to the timeout for app answers that carry no id' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l heartbeat -d 'Kind of heartbeat [default: protocol, or app if the preset defines an answer]' -r -f -a "protocol\t'Ping frames and their Pongs (RFC 6455 5.5.2)'
app\t'Messages and the messages that answer them'
both\t'Both on the same connection, with separate figures'"
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s i -l interval -d 'Time between heartbeats of one kind on one connection (500ms, 1m30s; a plain number is seconds) [default: 1s, or the preset\'s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s W -l timeout -d 'Maximum time to wait for an answer: an answer after this time counts as late, no answer at all as missed [default: 10s, or the preset\'s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l app-ping -d 'Message to send as app heartbeat: text with {seq}, {seq1}, {id}, {now_ms} and {now_s}; text:PING\\n takes escapes, binary:PING is a binary message, hex:c000 is bytes' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l app-pong -d 'Pattern of the answer: JSON fields that the message contains, also after a prefix (42["pong"]); literal text; text:, binary: and hex: as in --app-ping, with ? and * as wildcards; {any} matches every message (repeatable: one must match)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l send -d 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file and so keeps secrets out of the process list (a final newline is dropped; ping and watch read it anew before each opening); @@ starts a text with @' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l await -d 'Wait for a message that matches PATTERN before the first heartbeat' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l await-timeout -d 'Maximum time to wait for the --await message [default: 10s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l preset -d 'Use the heartbeat protocol of a service or library (`wscheck presets` lists them); auto detects it. Other options override the preset' -r -f -a "text\t'text ping and pong'
jsonrpc\t'JSON-RPC 2.0, by a method that need not exist'
json\t'JSON {"type":"ping"} and {"type":"pong"}'
json-id\t'JSON {"type":"ping","id":N} with the same id in the answer'
text-upper\t'text PING and PONG'
graphql-ws\t'GraphQL over WebSocket (graphql-transport-ws)'
subscriptions-transport-ws\t'Apollo\'s old GraphQL subscriptions (subprotocol graphql-ws)'
engine.io\t'Engine.IO 4'
socket.io\t'Socket.IO 3 and 4, which speak Engine.IO 4'
engine.io-3\t'Engine.IO 3 and Socket.IO 2'
centrifugo\t'Centrifugo, JSON'
ddp\t'Meteor DDP'
mqtt\t'MQTT 3.1.1 over WebSocket'
stomp\t'STOMP 1.2 over WebSocket'
nats\t'NATS over WebSocket'
sockjs\t'SockJS, WebSocket transport'
xmpp\t'XMPP over WebSocket (RFC 7395)'
nostr\t'Nostr relay'
phoenix\t'Phoenix Channels, serializer V2'
phoenix-v1\t'Phoenix Channels, serializer V1'
signalr\t'ASP.NET Core SignalR, JSON hub protocol'
action-cable\t'Rails Action Cable'
reverb\t'Laravel Reverb, which speaks Pusher\'s protocol'
webpack-dev-server\t'webpack-dev-server'
vite\t'Vite\'s HMR'
gatewayworker\t'GatewayWorker (Workerman)'
jupyter\t'Jupyter Server, kernel channels'
kubernetes\t'Kubernetes exec and attach'
home-assistant\t'Home Assistant'
obs\t'OBS Studio (obs-websocket 5)'
pusher\t'Pusher Channels, protocol 7'
ably\t'Ably realtime, JSON'
discord\t'Discord Gateway'
slack\t'Slack Socket Mode'
firebase\t'Firebase Realtime Database'
twitch-eventsub\t'Twitch EventSub'
helius\t'Helius parsed streams'
binance\t'Binance spot streams'
binance-api\t'Binance WebSocket API'
kraken\t'Kraken Spot v2'
okx\t'OKX v5'
bybit\t'Bybit v5'
kucoin\t'KuCoin'
gateio\t'Gate.io spot v4'
huobi\t'HTX (Huobi) spot market'
mexc\t'MEXC spot'
mexc-futures\t'MEXC futures'
hyperliquid\t'Hyperliquid'
deribit\t'Deribit'
crypto.com\t'Crypto.com'
bullish\t'Bullish'
polymarket\t'Polymarket, market channel'
polymarket-live\t'Polymarket live data'
auto\t'Detect the protocol of the server'"
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l framing -d 'How messages are packed: message (one each), lines (split at LF or CRLF), records (split at 0x1E) [default: message, or the preset\'s]' -r -f -a "message\t''
lines\t''
records\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s H -l header -d 'Add a request header; @FILE reads one per line (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l origin -d 'Send this Origin header, as a browser does' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l subprotocol -d 'Offer a subprotocol (repeatable, most preferred first)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l http -d 'Which HTTP opens the WebSocket: 1.1; 2, by extended CONNECT (RFC 8441), without TLS with prior knowledge; auto takes what the server chooses by ALPN' -r -f -a "1.1\t''
2\t''
auto\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l compress -d 'Offer to compress messages, as browsers do (permessage-deflate, RFC 7692); PARAMS replace their parameters, for example \'client_no_context_takeover; server_max_window_bits=10\'' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l user -d 'Credentials for HTTP Basic authentication' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l resolve -d 'Use this address for a host and port instead of DNS; a link-local address needs its interface: fe80::1%eth0 (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l unix-socket -d 'Connect to this Unix socket instead of the URL\'s host' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l connect-to -d 'Connect to this host and port instead of the URL\'s, without a proxy; Host, TLS and the request stay those of the URL' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l bind -d 'Local addresses to connect from, in turn; each has some 28000 ports per server address; a link-local address needs its interface: fe80::1%eth0' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l connect-timeout -d 'Maximum time to open a connection, from DNS to the upgrade' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l max-message-size -d 'Maximum size of a message from the server' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l tcp-keepalive -d 'Send TCP keepalive probes after this much silence, and at this interval' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l user-timeout -d 'Give up when the peer\'s TCP has acknowledged nothing for this long (Linux); none leaves it to the system (about 15 minutes) [default: for ping three timeouts, at least 30s; otherwise none]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l timestamps -d 'Source of timestamps: the kernel where available (Linux), else this program' -r -f -a "auto\t''
kernel\t''
user\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l proxy -d 'Connect through this proxy: http://, https://, socks4://, socks5:// or socks5h://, with USER:PASSWORD@ if needed; none ignores HTTP(S)_PROXY, ALL_PROXY and NO_PROXY of the environment' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l cacert -d 'Trust the certificates in FILE (PEM) instead of the system\'s (repeatable)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l cert -d 'Client certificate (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l key -d 'Private key of the client certificate (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l server-name -d 'Server name for SNI and certificate verification, instead of the URL\'s host' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l headers-file -d 'Add the request headers in this file, one per line; it is read anew before each opening, so that a token may expire' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l url-command -d 'Run this command before each opening, and open the URL on the first line that it prints; URL only names the target in the report. No shell runs it, and --connect-timeout bounds it' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l outage-after -d 'A silence of this length after a heartbeat left counts as an outage [default: the timeout]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l reconnect-base -d 'Back-off before the first attempt; it doubles with each attempt, and the wait is a random part of it [default: 500ms]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l reconnect-cap -d 'Maximum back-off [default: 30s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l reconnect-attempts -d 'Give up after this number of attempts (or `unlimited`: never) without a connection that lasted [default: 10]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l reconnect-reset-after -d 'Reset back-off and attempts once a connection was open for this long and answered a heartbeat [default: 5s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l healthy -d 'Maximum mean RTT of a healthy connection (of the whole run; in live lines of the window)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l degraded -d 'Maximum mean RTT of a degraded connection' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l poor -d 'Maximum mean RTT of a poor connection; above it is critical' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l dead-after -d 'Number of consecutive missed heartbeats after which a connection is dead' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l timeout-after -d 'A run that ends with this number of consecutive missed heartbeats has status timeout' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l poor-loss -d 'A run with more loss than this is at least poor (any loss makes it at least degraded)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l critical-loss -d 'A run with more loss than this is at least critical' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l loss-min-missed -d 'Minimum number of missed heartbeats before loss makes a run poor or critical' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l window -d 'Size of the rolling window for the live status, in answered heartbeats' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l fail-on -d 'Exit 1 if the status of the run is this or worse: healthy, degraded, poor, critical, timeout, dead' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l fail-if -l crit -d 'Exit 1 if this expression is true: rtt.p95>200ms, loss>1%, jitter>20ms, tls.days_left<14 (repeatable; see Metrics below)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l warn -d 'Show a warning if this expression is true, but do not fail; with -o nagios the state is WARNING (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l expect-close -d 'Pass only if the peer closes every connection with one of these close codes: 1001, or 1012,4000. Such an end makes no connection dead' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l expect-refused -d 'Pass only if every upgrade is refused with one of these HTTP statuses: 401, or 401,403. If one opens, the run ends after one heartbeat, unless --count or --deadline says otherwise' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s o -l output -d 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin\'s output and exit codes), prometheus (text format)' -r -f -a "human\t''
json\t''
ndjson\t''
markdown\t''
html\t''
junit\t''
github\t''
nagios\t''
prometheus\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l report -d 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l trace -d 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l all-connections -d 'List every connection in the JSON document, not only the worst of more than 100'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l adaptive -d 'Send the next heartbeat as soon as the previous one was answered, without an interval (like ping -A)'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l h2-ping -d 'Also send PING frames of HTTP/2, one at a time: their RTT ends where HTTP/2 does, perhaps at a proxy before the server (with --http 2 or auto)'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l no-answer -d 'Do not answer the server\'s own app pings'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s k -l insecure -d 'Accept any server certificate; the report says that it was not verified'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l reconnect -d 'Reopen a lost connection (a first opening that fails is not retried)'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l compact -d 'Print the JSON document on one line'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s q -l quiet -d 'Print only the report, no live lines; of several targets only the table and the result'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s v -l verbose -d 'Also print what the other end sends, and the details of each of several targets'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -s n -l connections -d 'Number of connections to each URL' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l ramp -d 'Open connections at this rate (500/s, 1000/m), or all of them within this time (20s) [default: as fast as possible, 64 at a time]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l worst -d 'With more than 10 connections, list the N worst' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l streams-per-connection -d 'Let this many WebSockets share a connection of HTTP/2 (with --http 2)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -s c -l count -d 'Stop after this number of heartbeats of each kind on each connection [default: run until Ctrl-C]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -s w -l deadline -d 'Stop the run after this time; then wait up to the timeout for app answers that carry no id' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l heartbeat -d 'Kind of heartbeat [default: protocol, or app if the preset defines an answer]' -r -f -a "protocol\t'Ping frames and their Pongs (RFC 6455 5.5.2)'
app\t'Messages and the messages that answer them'
both\t'Both on the same connection, with separate figures'"
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -s W -l timeout -d 'Maximum time to wait for an answer: an answer after this time counts as late, no answer at all as missed [default: 10s, or the preset\'s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l app-ping -d 'Message to send as app heartbeat: text with {seq}, {seq1}, {id}, {now_ms} and {now_s}; text:PING\\n takes escapes, binary:PING is a binary message, hex:c000 is bytes' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l app-pong -d 'Pattern of the answer: JSON fields that the message contains, also after a prefix (42["pong"]); literal text; text:, binary: and hex: as in --app-ping, with ? and * as wildcards; {any} matches every message (repeatable: one must match)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l send -d 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file and so keeps secrets out of the process list (a final newline is dropped; ping and watch read it anew before each opening); @@ starts a text with @' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l await -d 'Wait for a message that matches PATTERN before the first heartbeat' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l await-timeout -d 'Maximum time to wait for the --await message [default: 10s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l preset -d 'Use the heartbeat protocol of a service or library (`wscheck presets` lists them); auto detects it. Other options override the preset' -r -f -a "text\t'text ping and pong'
jsonrpc\t'JSON-RPC 2.0, by a method that need not exist'
json\t'JSON {"type":"ping"} and {"type":"pong"}'
json-id\t'JSON {"type":"ping","id":N} with the same id in the answer'
text-upper\t'text PING and PONG'
graphql-ws\t'GraphQL over WebSocket (graphql-transport-ws)'
subscriptions-transport-ws\t'Apollo\'s old GraphQL subscriptions (subprotocol graphql-ws)'
engine.io\t'Engine.IO 4'
socket.io\t'Socket.IO 3 and 4, which speak Engine.IO 4'
engine.io-3\t'Engine.IO 3 and Socket.IO 2'
centrifugo\t'Centrifugo, JSON'
ddp\t'Meteor DDP'
mqtt\t'MQTT 3.1.1 over WebSocket'
stomp\t'STOMP 1.2 over WebSocket'
nats\t'NATS over WebSocket'
sockjs\t'SockJS, WebSocket transport'
xmpp\t'XMPP over WebSocket (RFC 7395)'
nostr\t'Nostr relay'
phoenix\t'Phoenix Channels, serializer V2'
phoenix-v1\t'Phoenix Channels, serializer V1'
signalr\t'ASP.NET Core SignalR, JSON hub protocol'
action-cable\t'Rails Action Cable'
reverb\t'Laravel Reverb, which speaks Pusher\'s protocol'
webpack-dev-server\t'webpack-dev-server'
vite\t'Vite\'s HMR'
gatewayworker\t'GatewayWorker (Workerman)'
jupyter\t'Jupyter Server, kernel channels'
kubernetes\t'Kubernetes exec and attach'
home-assistant\t'Home Assistant'
obs\t'OBS Studio (obs-websocket 5)'
pusher\t'Pusher Channels, protocol 7'
ably\t'Ably realtime, JSON'
discord\t'Discord Gateway'
slack\t'Slack Socket Mode'
firebase\t'Firebase Realtime Database'
twitch-eventsub\t'Twitch EventSub'
helius\t'Helius parsed streams'
binance\t'Binance spot streams'
binance-api\t'Binance WebSocket API'
kraken\t'Kraken Spot v2'
okx\t'OKX v5'
bybit\t'Bybit v5'
kucoin\t'KuCoin'
gateio\t'Gate.io spot v4'
huobi\t'HTX (Huobi) spot market'
mexc\t'MEXC spot'
mexc-futures\t'MEXC futures'
hyperliquid\t'Hyperliquid'
deribit\t'Deribit'
crypto.com\t'Crypto.com'
bullish\t'Bullish'
polymarket\t'Polymarket, market channel'
polymarket-live\t'Polymarket live data'
auto\t'Detect the protocol of the server'"
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l framing -d 'How messages are packed: message (one each), lines (split at LF or CRLF), records (split at 0x1E) [default: message, or the preset\'s]' -r -f -a "message\t''
lines\t''
records\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -s H -l header -d 'Add a request header; @FILE reads one per line (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l origin -d 'Send this Origin header, as a browser does' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l subprotocol -d 'Offer a subprotocol (repeatable, most preferred first)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l http -d 'Which HTTP opens the WebSocket: 1.1; 2, by extended CONNECT (RFC 8441), without TLS with prior knowledge; auto takes what the server chooses by ALPN' -r -f -a "1.1\t''
2\t''
auto\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l compress -d 'Offer to compress messages, as browsers do (permessage-deflate, RFC 7692); PARAMS replace their parameters, for example \'client_no_context_takeover; server_max_window_bits=10\'' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l user -d 'Credentials for HTTP Basic authentication' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l resolve -d 'Use this address for a host and port instead of DNS; a link-local address needs its interface: fe80::1%eth0 (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l unix-socket -d 'Connect to this Unix socket instead of the URL\'s host' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l connect-to -d 'Connect to this host and port instead of the URL\'s, without a proxy; Host, TLS and the request stay those of the URL' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l bind -d 'Local addresses to connect from, in turn; each has some 28000 ports per server address; a link-local address needs its interface: fe80::1%eth0' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l connect-timeout -d 'Maximum time to open a connection, from DNS to the upgrade' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l max-message-size -d 'Maximum size of a message from the server' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l tcp-keepalive -d 'Send TCP keepalive probes after this much silence, and at this interval' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l user-timeout -d 'Give up when the peer\'s TCP has acknowledged nothing for this long (Linux); none leaves it to the system (about 15 minutes) [default: for ping three timeouts, at least 30s; otherwise none]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l timestamps -d 'Source of timestamps: the kernel where available (Linux), else this program' -r -f -a "auto\t''
kernel\t''
user\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l proxy -d 'Connect through this proxy: http://, https://, socks4://, socks5:// or socks5h://, with USER:PASSWORD@ if needed; none ignores HTTP(S)_PROXY, ALL_PROXY and NO_PROXY of the environment' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l cacert -d 'Trust the certificates in FILE (PEM) instead of the system\'s (repeatable)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l cert -d 'Client certificate (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l key -d 'Private key of the client certificate (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l server-name -d 'Server name for SNI and certificate verification, instead of the URL\'s host' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l headers-file -d 'Add the request headers in this file, one per line; it is read anew before each opening, so that a token may expire' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l url-command -d 'Run this command before each opening, and open the URL on the first line that it prints; URL only names the target in the report. No shell runs it, and --connect-timeout bounds it' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l outage-after -d 'A silence of this length after a heartbeat left counts as an outage [default: the timeout]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l reconnect-base -d 'Back-off before the first attempt; it doubles with each attempt, and the wait is a random part of it [default: 500ms]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l reconnect-cap -d 'Maximum back-off [default: 30s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l reconnect-reset-after -d 'Reset back-off and attempts once a connection was open for this long and answered a heartbeat [default: 5s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l healthy -d 'Maximum mean RTT of a healthy connection (of the whole run; in live lines of the window)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l degraded -d 'Maximum mean RTT of a degraded connection' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l poor -d 'Maximum mean RTT of a poor connection; above it is critical' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l dead-after -d 'Number of consecutive missed heartbeats after which a connection is dead' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l timeout-after -d 'A run that ends with this number of consecutive missed heartbeats has status timeout' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l poor-loss -d 'A run with more loss than this is at least poor (any loss makes it at least degraded)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l critical-loss -d 'A run with more loss than this is at least critical' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l loss-min-missed -d 'Minimum number of missed heartbeats before loss makes a run poor or critical' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l window -d 'Size of the rolling window for the live status, in answered heartbeats' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l fail-on -d 'Exit 1 if the status of the run is this or worse: healthy, degraded, poor, critical, timeout, dead' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l fail-if -l crit -d 'Exit 1 if this expression is true: rtt.p95>200ms, loss>1%, jitter>20ms, tls.days_left<14 (repeatable; see Metrics below)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l warn -d 'Show a warning if this expression is true, but do not fail; with -o nagios the state is WARNING (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -s o -l output -d 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin\'s output and exit codes), prometheus (text format)' -r -f -a "human\t''
json\t''
ndjson\t''
markdown\t''
html\t''
junit\t''
github\t''
nagios\t''
prometheus\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l report -d 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l trace -d 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l config -d 'Watch the targets of this configuration file (TOML), each a [[target]]' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l degraded-interval -d 'Interval while the status is worse than healthy; the first such heartbeat follows a missed one at once [default: 1s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l on-change -d 'Run this command for each change, with the event as JSON on its stdin; no shell runs it' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l log -d 'Write every event to this file, a line of JSON each; `wscheck report` makes a report of it' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l log-size -d 'Size at which the log is renamed to FILE.1 and begun anew' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l log-files -d 'Number of earlier logs that are kept' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l metrics -d 'Serve the metrics of the targets, and a live page of them, on this address; port 0 takes a free one' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -s i -l interval -d 'Time between heartbeats of one kind on one connection (500ms, 1m30s; a plain number is seconds) [default: 5s, or the preset\'s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l reconnect-attempts -d 'Give up after this number of attempts without a connection that lasted [default: unlimited]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l expect-close -d 'Pass only if the peer closes every connection with one of these close codes: 1001, or 1012,4000. Such an end makes no connection dead' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l expect-refused -d 'Pass only if every upgrade is refused with one of these HTTP statuses: 401, or 401,403. If one opens, the run ends after one heartbeat, unless --count or --deadline says otherwise' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l all-connections -d 'List every connection in the JSON document, not only the worst of more than 100'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l h2-ping -d 'Also send PING frames of HTTP/2, one at a time: their RTT ends where HTTP/2 does, perhaps at a proxy before the server (with --http 2 or auto)'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l no-answer -d 'Do not answer the server\'s own app pings'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -s k -l insecure -d 'Accept any server certificate; the report says that it was not verified'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l compact -d 'Print the JSON document on one line'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -s q -l quiet -d 'Print only the report, no live lines; of several targets only the table and the result'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -s v -l verbose -d 'Also print what the other end sends, and the details of each of several targets'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l no-tui -d 'Print lines instead of the live view, which is shown on a terminal'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l reconnect -d 'Reopen a lost connection (a first opening that fails is not retried)'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -l adaptive -d 'Send the next heartbeat as soon as the previous one was answered, without an interval (like ping -A)'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand watch" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l min -d 'Minimum idle time to try' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l max -d 'Maximum idle time to try; a search takes about four times as long (more with fewer than 13 connections, or with bisect); the first line gives the maximum' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l precision -d 'Stop when the timeout is known this exactly, as a time or a percentage (500ms, 2%) [default: 1s or 2%, whichever is larger]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l strategy -d 'Search with many idle connections at once (parallel), or one at a time by binary search (bisect)' -r -f -a "parallel\t''
bisect\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l repeat -d 'Number of connections that must end at the same idle time to confirm it' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l max-connections -d 'Maximum number of concurrent connections; the first line of output says how many a search opens in total' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l answer-timeout -d 'Maximum time to wait for an answer; without one the connection counts as dead' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l heartbeat -d 'Heartbeat that tests a connection after its idle time, and keeps the control connection active [default: protocol, or app if the preset defines an answer]' -r -f -a "protocol\t'Ping frames and their Pongs (RFC 6455 5.5.2)'
app\t'Messages and the messages that answer them'"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l app-ping -d 'Message to send as app heartbeat: text with {seq}, {seq1}, {id}, {now_ms} and {now_s}; text:PING\\n takes escapes, binary:PING is a binary message, hex:c000 is bytes' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l app-pong -d 'Pattern of the answer: JSON fields that the message contains, also after a prefix (42["pong"]); literal text; text:, binary: and hex: as in --app-ping, with ? and * as wildcards; {any} matches every message (repeatable: one must match)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l send -d 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file and so keeps secrets out of the process list (a final newline is dropped; ping and watch read it anew before each opening); @@ starts a text with @' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l await -d 'Wait for a message that matches PATTERN before the first heartbeat' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l await-timeout -d 'Maximum time to wait for the --await message [default: 10s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l preset -d 'Use the heartbeat protocol of a service or library (`wscheck presets` lists them); auto detects it. Other options override the preset' -r -f -a "text\t'text ping and pong'
jsonrpc\t'JSON-RPC 2.0, by a method that need not exist'
json\t'JSON {"type":"ping"} and {"type":"pong"}'
json-id\t'JSON {"type":"ping","id":N} with the same id in the answer'
text-upper\t'text PING and PONG'
graphql-ws\t'GraphQL over WebSocket (graphql-transport-ws)'
subscriptions-transport-ws\t'Apollo\'s old GraphQL subscriptions (subprotocol graphql-ws)'
engine.io\t'Engine.IO 4'
socket.io\t'Socket.IO 3 and 4, which speak Engine.IO 4'
engine.io-3\t'Engine.IO 3 and Socket.IO 2'
centrifugo\t'Centrifugo, JSON'
ddp\t'Meteor DDP'
mqtt\t'MQTT 3.1.1 over WebSocket'
stomp\t'STOMP 1.2 over WebSocket'
nats\t'NATS over WebSocket'
sockjs\t'SockJS, WebSocket transport'
xmpp\t'XMPP over WebSocket (RFC 7395)'
nostr\t'Nostr relay'
phoenix\t'Phoenix Channels, serializer V2'
phoenix-v1\t'Phoenix Channels, serializer V1'
signalr\t'ASP.NET Core SignalR, JSON hub protocol'
action-cable\t'Rails Action Cable'
reverb\t'Laravel Reverb, which speaks Pusher\'s protocol'
webpack-dev-server\t'webpack-dev-server'
vite\t'Vite\'s HMR'
gatewayworker\t'GatewayWorker (Workerman)'
jupyter\t'Jupyter Server, kernel channels'
kubernetes\t'Kubernetes exec and attach'
home-assistant\t'Home Assistant'
obs\t'OBS Studio (obs-websocket 5)'
pusher\t'Pusher Channels, protocol 7'
ably\t'Ably realtime, JSON'
discord\t'Discord Gateway'
slack\t'Slack Socket Mode'
firebase\t'Firebase Realtime Database'
twitch-eventsub\t'Twitch EventSub'
helius\t'Helius parsed streams'
binance\t'Binance spot streams'
binance-api\t'Binance WebSocket API'
kraken\t'Kraken Spot v2'
okx\t'OKX v5'
bybit\t'Bybit v5'
kucoin\t'KuCoin'
gateio\t'Gate.io spot v4'
huobi\t'HTX (Huobi) spot market'
mexc\t'MEXC spot'
mexc-futures\t'MEXC futures'
hyperliquid\t'Hyperliquid'
deribit\t'Deribit'
crypto.com\t'Crypto.com'
bullish\t'Bullish'
polymarket\t'Polymarket, market channel'
polymarket-live\t'Polymarket live data'
auto\t'Detect the protocol of the server'"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l framing -d 'How messages are packed: message (one each), lines (split at LF or CRLF), records (split at 0x1E) [default: message, or the preset\'s]' -r -f -a "message\t''
lines\t''
records\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l expect -d 'Exit 1 if the timeout is not as expected: >=55s, >1m, <=10m, <1h' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s H -l header -d 'Add a request header; @FILE reads one per line (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l origin -d 'Send this Origin header, as a browser does' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l subprotocol -d 'Offer a subprotocol (repeatable, most preferred first)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l http -d 'Which HTTP opens the WebSocket: 1.1; 2, by extended CONNECT (RFC 8441), without TLS with prior knowledge; auto takes what the server chooses by ALPN' -r -f -a "1.1\t''
2\t''
auto\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l compress -d 'Offer to compress messages, as browsers do (permessage-deflate, RFC 7692); PARAMS replace their parameters, for example \'client_no_context_takeover; server_max_window_bits=10\'' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l user -d 'Credentials for HTTP Basic authentication' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l resolve -d 'Use this address for a host and port instead of DNS; a link-local address needs its interface: fe80::1%eth0 (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l unix-socket -d 'Connect to this Unix socket instead of the URL\'s host' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l connect-to -d 'Connect to this host and port instead of the URL\'s, without a proxy; Host, TLS and the request stay those of the URL' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l bind -d 'Local addresses to connect from, in turn; each has some 28000 ports per server address; a link-local address needs its interface: fe80::1%eth0' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l connect-timeout -d 'Maximum time to open a connection, from DNS to the upgrade' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l max-message-size -d 'Maximum size of a message from the server' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l tcp-keepalive -d 'Send TCP keepalive probes after this much silence, and at this interval' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l user-timeout -d 'Give up when the peer\'s TCP has acknowledged nothing for this long (Linux); none leaves it to the system (about 15 minutes) [default: for ping three timeouts, at least 30s; otherwise none]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l timestamps -d 'Source of timestamps: the kernel where available (Linux), else this program' -r -f -a "auto\t''
kernel\t''
user\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l proxy -d 'Connect through this proxy: http://, https://, socks4://, socks5:// or socks5h://, with USER:PASSWORD@ if needed; none ignores HTTP(S)_PROXY, ALL_PROXY and NO_PROXY of the environment' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l cacert -d 'Trust the certificates in FILE (PEM) instead of the system\'s (repeatable)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l cert -d 'Client certificate (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l key -d 'Private key of the client certificate (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l server-name -d 'Server name for SNI and certificate verification, instead of the URL\'s host' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s o -l output -d 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin\'s output and exit codes), prometheus (text format)' -r -f -a "human\t''
json\t''
ndjson\t''
markdown\t''
html\t''
junit\t''
github\t''
nagios\t''
prometheus\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l report -d 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l trace -d 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l two-ended -d 'Let the server send first after the idle time, to find the direction that is cut; needs `wscheck serve` as the server'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l allow-messages -d 'Allow ordinary text messages if no app heartbeat is known. If connections that send Ping frames all end at one age, another connection sends messages too: this distinguishes a lifetime limit from a timer that only messages reset'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l no-answer -d 'Do not answer the server\'s own app pings'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l refresh -d 'Test which traffic keeps the path open: Ping frames, unsolicited Pongs, TCP keepalive, app messages'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l verify -d 'Verify the recommended interval: keep a connection open with it for two timeouts'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s k -l insecure -d 'Accept any server certificate; the report says that it was not verified'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l compact -d 'Print the JSON document on one line'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s q -l quiet -d 'Print only the report, no live lines; of several targets only the table and the result'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s v -l verbose -d 'Also print what the other end sends, and the details of each of several targets'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l for -d 'Listen for this long; an interval needs three heartbeats, or two if the first came one interval after the opening' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s c -l count -d 'Stop after this number of heartbeats of one kind' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l talk -d 'Send a message between heartbeats, once the interval is known, to see whether client traffic postpones them' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l app-ping -d 'Pattern of a further server message that is a heartbeat, besides the known shapes: JSON fields, literal text, or hex:c000' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l app-pong -d 'Answer to send for --app-ping: text with the {seq}, {id} and {now_ms} of the ping [default: no answer]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l send -d 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file and so keeps secrets out of the process list (a final newline is dropped; ping and watch read it anew before each opening); @@ starts a text with @' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l await -d 'Wait for a message that matches PATTERN before the first heartbeat' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l await-timeout -d 'Maximum time to wait for the --await message [default: 10s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l preset -d 'Use the heartbeat protocol of a service or library (`wscheck presets` lists them); auto detects it. Other options override the preset' -r -f -a "text\t'text ping and pong'
jsonrpc\t'JSON-RPC 2.0, by a method that need not exist'
json\t'JSON {"type":"ping"} and {"type":"pong"}'
json-id\t'JSON {"type":"ping","id":N} with the same id in the answer'
text-upper\t'text PING and PONG'
graphql-ws\t'GraphQL over WebSocket (graphql-transport-ws)'
subscriptions-transport-ws\t'Apollo\'s old GraphQL subscriptions (subprotocol graphql-ws)'
engine.io\t'Engine.IO 4'
socket.io\t'Socket.IO 3 and 4, which speak Engine.IO 4'
engine.io-3\t'Engine.IO 3 and Socket.IO 2'
centrifugo\t'Centrifugo, JSON'
ddp\t'Meteor DDP'
mqtt\t'MQTT 3.1.1 over WebSocket'
stomp\t'STOMP 1.2 over WebSocket'
nats\t'NATS over WebSocket'
sockjs\t'SockJS, WebSocket transport'
xmpp\t'XMPP over WebSocket (RFC 7395)'
nostr\t'Nostr relay'
phoenix\t'Phoenix Channels, serializer V2'
phoenix-v1\t'Phoenix Channels, serializer V1'
signalr\t'ASP.NET Core SignalR, JSON hub protocol'
action-cable\t'Rails Action Cable'
reverb\t'Laravel Reverb, which speaks Pusher\'s protocol'
webpack-dev-server\t'webpack-dev-server'
vite\t'Vite\'s HMR'
gatewayworker\t'GatewayWorker (Workerman)'
jupyter\t'Jupyter Server, kernel channels'
kubernetes\t'Kubernetes exec and attach'
home-assistant\t'Home Assistant'
obs\t'OBS Studio (obs-websocket 5)'
pusher\t'Pusher Channels, protocol 7'
ably\t'Ably realtime, JSON'
discord\t'Discord Gateway'
slack\t'Slack Socket Mode'
firebase\t'Firebase Realtime Database'
twitch-eventsub\t'Twitch EventSub'
helius\t'Helius parsed streams'
binance\t'Binance spot streams'
binance-api\t'Binance WebSocket API'
kraken\t'Kraken Spot v2'
okx\t'OKX v5'
bybit\t'Bybit v5'
kucoin\t'KuCoin'
gateio\t'Gate.io spot v4'
huobi\t'HTX (Huobi) spot market'
mexc\t'MEXC spot'
mexc-futures\t'MEXC futures'
hyperliquid\t'Hyperliquid'
deribit\t'Deribit'
crypto.com\t'Crypto.com'
bullish\t'Bullish'
polymarket\t'Polymarket, market channel'
polymarket-live\t'Polymarket live data'
auto\t'Detect the protocol of the server'"
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l framing -d 'How messages are packed: message (one each), lines (split at LF or CRLF), records (split at 0x1E) [default: message, or the preset\'s]' -r -f -a "message\t''
lines\t''
records\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s H -l header -d 'Add a request header; @FILE reads one per line (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l origin -d 'Send this Origin header, as a browser does' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l subprotocol -d 'Offer a subprotocol (repeatable, most preferred first)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l http -d 'Which HTTP opens the WebSocket: 1.1; 2, by extended CONNECT (RFC 8441), without TLS with prior knowledge; auto takes what the server chooses by ALPN' -r -f -a "1.1\t''
2\t''
auto\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l compress -d 'Offer to compress messages, as browsers do (permessage-deflate, RFC 7692); PARAMS replace their parameters, for example \'client_no_context_takeover; server_max_window_bits=10\'' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l user -d 'Credentials for HTTP Basic authentication' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l resolve -d 'Use this address for a host and port instead of DNS; a link-local address needs its interface: fe80::1%eth0 (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l unix-socket -d 'Connect to this Unix socket instead of the URL\'s host' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l connect-to -d 'Connect to this host and port instead of the URL\'s, without a proxy; Host, TLS and the request stay those of the URL' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l bind -d 'Local addresses to connect from, in turn; each has some 28000 ports per server address; a link-local address needs its interface: fe80::1%eth0' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l connect-timeout -d 'Maximum time to open a connection, from DNS to the upgrade' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l max-message-size -d 'Maximum size of a message from the server' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l tcp-keepalive -d 'Send TCP keepalive probes after this much silence, and at this interval' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l user-timeout -d 'Give up when the peer\'s TCP has acknowledged nothing for this long (Linux); none leaves it to the system (about 15 minutes) [default: for ping three timeouts, at least 30s; otherwise none]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l timestamps -d 'Source of timestamps: the kernel where available (Linux), else this program' -r -f -a "auto\t''
kernel\t''
user\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l proxy -d 'Connect through this proxy: http://, https://, socks4://, socks5:// or socks5h://, with USER:PASSWORD@ if needed; none ignores HTTP(S)_PROXY, ALL_PROXY and NO_PROXY of the environment' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l cacert -d 'Trust the certificates in FILE (PEM) instead of the system\'s (repeatable)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l cert -d 'Client certificate (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l key -d 'Private key of the client certificate (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l server-name -d 'Server name for SNI and certificate verification, instead of the URL\'s host' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s o -l output -d 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin\'s output and exit codes), prometheus (text format)' -r -f -a "human\t''
json\t''
ndjson\t''
markdown\t''
html\t''
junit\t''
github\t''
nagios\t''
prometheus\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l report -d 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l trace -d 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l no-answer -d 'Answer nothing: after the opening messages, send no Pong and no message'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s k -l insecure -d 'Accept any server certificate; the report says that it was not verified'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l compact -d 'Print the JSON document on one line'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s q -l quiet -d 'Print only the report, no live lines; of several targets only the table and the result'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s v -l verbose -d 'Also print what the other end sends, and the details of each of several targets'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l max -d 'Maximum time to wait for the server to close a client' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l expect -d 'Exit 1 if dead clients are not closed as expected: <=60s, <2m, >=30s' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l every -d 'Interval at which the control connection sends a Ping and a message, and the pings-only client a Ping [default: 1/22 of --max, at least 220ms and at most 4.4s: not a round number, so that it does not coincide with the server\'s interval]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l say -d 'Message that each client sends once before it falls silent, and the control connection repeats: text with {seq}, {id} and {now_ms}, or hex:c000 for binary [default: a JSON ping, or the preset\'s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l answer-timeout -d 'Maximum time without any answer to the control connection before it counts as dead (a pause of one second more than --every makes the run inconclusive)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l app-ping -d 'Pattern of a further server message that is a heartbeat, besides the known shapes: JSON fields, literal text, or hex:c000' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l app-pong -d 'Answer to send for --app-ping: text with the {seq}, {id} and {now_ms} of the ping [default: no answer]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l send -d 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file and so keeps secrets out of the process list (a final newline is dropped; ping and watch read it anew before each opening); @@ starts a text with @' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l await -d 'Wait for a message that matches PATTERN before the first heartbeat' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l await-timeout -d 'Maximum time to wait for the --await message [default: 10s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l preset -d 'Use the heartbeat protocol of a service or library (`wscheck presets` lists them); auto detects it. Other options override the preset' -r -f -a "text\t'text ping and pong'
jsonrpc\t'JSON-RPC 2.0, by a method that need not exist'
json\t'JSON {"type":"ping"} and {"type":"pong"}'
json-id\t'JSON {"type":"ping","id":N} with the same id in the answer'
text-upper\t'text PING and PONG'
graphql-ws\t'GraphQL over WebSocket (graphql-transport-ws)'
subscriptions-transport-ws\t'Apollo\'s old GraphQL subscriptions (subprotocol graphql-ws)'
engine.io\t'Engine.IO 4'
socket.io\t'Socket.IO 3 and 4, which speak Engine.IO 4'
engine.io-3\t'Engine.IO 3 and Socket.IO 2'
centrifugo\t'Centrifugo, JSON'
ddp\t'Meteor DDP'
mqtt\t'MQTT 3.1.1 over WebSocket'
stomp\t'STOMP 1.2 over WebSocket'
nats\t'NATS over WebSocket'
sockjs\t'SockJS, WebSocket transport'
xmpp\t'XMPP over WebSocket (RFC 7395)'
nostr\t'Nostr relay'
phoenix\t'Phoenix Channels, serializer V2'
phoenix-v1\t'Phoenix Channels, serializer V1'
signalr\t'ASP.NET Core SignalR, JSON hub protocol'
action-cable\t'Rails Action Cable'
reverb\t'Laravel Reverb, which speaks Pusher\'s protocol'
webpack-dev-server\t'webpack-dev-server'
vite\t'Vite\'s HMR'
gatewayworker\t'GatewayWorker (Workerman)'
jupyter\t'Jupyter Server, kernel channels'
kubernetes\t'Kubernetes exec and attach'
home-assistant\t'Home Assistant'
obs\t'OBS Studio (obs-websocket 5)'
pusher\t'Pusher Channels, protocol 7'
ably\t'Ably realtime, JSON'
discord\t'Discord Gateway'
slack\t'Slack Socket Mode'
firebase\t'Firebase Realtime Database'
twitch-eventsub\t'Twitch EventSub'
helius\t'Helius parsed streams'
binance\t'Binance spot streams'
binance-api\t'Binance WebSocket API'
kraken\t'Kraken Spot v2'
okx\t'OKX v5'
bybit\t'Bybit v5'
kucoin\t'KuCoin'
gateio\t'Gate.io spot v4'
huobi\t'HTX (Huobi) spot market'
mexc\t'MEXC spot'
mexc-futures\t'MEXC futures'
hyperliquid\t'Hyperliquid'
deribit\t'Deribit'
crypto.com\t'Crypto.com'
bullish\t'Bullish'
polymarket\t'Polymarket, market channel'
polymarket-live\t'Polymarket live data'
auto\t'Detect the protocol of the server'"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l framing -d 'How messages are packed: message (one each), lines (split at LF or CRLF), records (split at 0x1E) [default: message, or the preset\'s]' -r -f -a "message\t''
lines\t''
records\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s H -l header -d 'Add a request header; @FILE reads one per line (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l origin -d 'Send this Origin header, as a browser does' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l subprotocol -d 'Offer a subprotocol (repeatable, most preferred first)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l http -d 'Which HTTP opens the WebSocket: 1.1; 2, by extended CONNECT (RFC 8441), without TLS with prior knowledge; auto takes what the server chooses by ALPN' -r -f -a "1.1\t''
2\t''
auto\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l compress -d 'Offer to compress messages, as browsers do (permessage-deflate, RFC 7692); PARAMS replace their parameters, for example \'client_no_context_takeover; server_max_window_bits=10\'' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l user -d 'Credentials for HTTP Basic authentication' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l resolve -d 'Use this address for a host and port instead of DNS; a link-local address needs its interface: fe80::1%eth0 (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l unix-socket -d 'Connect to this Unix socket instead of the URL\'s host' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l connect-to -d 'Connect to this host and port instead of the URL\'s, without a proxy; Host, TLS and the request stay those of the URL' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l bind -d 'Local addresses to connect from, in turn; each has some 28000 ports per server address; a link-local address needs its interface: fe80::1%eth0' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l connect-timeout -d 'Maximum time to open a connection, from DNS to the upgrade' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l max-message-size -d 'Maximum size of a message from the server' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l tcp-keepalive -d 'Send TCP keepalive probes after this much silence, and at this interval' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l user-timeout -d 'Give up when the peer\'s TCP has acknowledged nothing for this long (Linux); none leaves it to the system (about 15 minutes) [default: for ping three timeouts, at least 30s; otherwise none]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l timestamps -d 'Source of timestamps: the kernel where available (Linux), else this program' -r -f -a "auto\t''
kernel\t''
user\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l proxy -d 'Connect through this proxy: http://, https://, socks4://, socks5:// or socks5h://, with USER:PASSWORD@ if needed; none ignores HTTP(S)_PROXY, ALL_PROXY and NO_PROXY of the environment' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l cacert -d 'Trust the certificates in FILE (PEM) instead of the system\'s (repeatable)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l cert -d 'Client certificate (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l key -d 'Private key of the client certificate (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l server-name -d 'Server name for SNI and certificate verification, instead of the URL\'s host' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s o -l output -d 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin\'s output and exit codes), prometheus (text format)' -r -f -a "human\t''
json\t''
ndjson\t''
markdown\t''
html\t''
junit\t''
github\t''
nagios\t''
prometheus\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l report -d 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l trace -d 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s k -l insecure -d 'Accept any server certificate; the report says that it was not verified'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l compact -d 'Print the JSON document on one line'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s q -l quiet -d 'Print only the report, no live lines; of several targets only the table and the result'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s v -l verbose -d 'Also print what the other end sends, and the details of each of several targets'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand exporter" -l listen -d 'Address and port to listen on; port 0 takes a free one' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand exporter" -l config -d 'Configuration file (TOML) with [[target]] and [module.NAME]' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand exporter" -l allow -d 'The targets that /probe may probe with the module `websocket`: HOST[:PORT], or ws[s]://HOST[:PORT][/PATH], with * for any text (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand exporter" -l server-name -d 'Also answer requests whose Host is this name, where wscheck listens on loopback: behind a proxy that keeps the Host (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand exporter" -l max-probes -d 'Maximum number of probes at once' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand exporter" -l basic-auth-file -d 'Answer only requests with the user name and password in this file: USER:PASSWORD' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand exporter" -l token-file -d 'Answer only requests with the bearer token in this file' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand exporter" -l cert -d 'Serve https with this certificate chain (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand exporter" -l key -d 'Private key of the certificate (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand exporter" -l check-config -d 'Look for mistakes in the configuration and start nothing'
complete -c wscheck -n "__fish_wscheck_using_subcommand exporter" -s h -l help -d 'Print help'
complete -c wscheck -n "__fish_wscheck_using_subcommand exporter" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -l only -d 'Run only the check of this name (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -l max-connections -d 'The most connections of all checks at once [default: 64, or what the file says]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -s o -l output -d 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin\'s output and exit codes), prometheus (text format)' -r -f -a "human\t''
json\t''
ndjson\t''
markdown\t''
html\t''
junit\t''
github\t''
nagios\t''
prometheus\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -l report -d 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -l trace -d 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -l list -d 'List the checks and run none'
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -l check-config -d 'Look for mistakes in the file and run nothing'
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -l serial -d 'Run one check after another'
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -l compact -d 'Print the JSON document on one line'
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -s q -l quiet -d 'Print only the report, no live lines; of several targets only the table and the result'
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -s v -l verbose -d 'Also print what the other end sends, and the details of each of several targets'
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand run" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -s o -l output -d 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin\'s output and exit codes), prometheus (text format)' -r -f -a "human\t''
json\t''
ndjson\t''
markdown\t''
html\t''
junit\t''
github\t''
nagios\t''
prometheus\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -l report -d 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -l trace -d 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -l compact -d 'Print the JSON document on one line'
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -s q -l quiet -d 'Print only the report, no live lines; of several targets only the table and the result'
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -s v -l verbose -d 'Also print what the other end sends, and the details of each of several targets'
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l bind -d 'Address to listen on; port 0 takes a free port' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l port-file -d 'Write the port number to this file once the server listens' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l status-addr -d 'Serve /clients (JSON) and /metrics (Prometheus text) at this address' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l for -d 'Serve for this long, then print the report; without it the server runs until it is stopped' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l expect -d 'Fail unless this is true of the clients at the end, such as \'reconnects>=1\' or \'reconnect.delay<=2s\' (repeatable; --help lists the metrics)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l max-clients -d 'Maximum number of clients; further ones are refused with 503' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l max-message-size -d 'Maximum size of a message, in bytes' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l echo -d 'Send each message back to its sender' -r -f -a "true\t''
false\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l greet -d 'Send this message to each client after the upgrade' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l require -d 'Close a client with 4401 if its first message does not match' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l heartbeat -d 'Kind of heartbeat that the server sends' -r -f -a "protocol\t''
app\t''
both\t''
none\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l interval -d 'Time between heartbeats; clients are spread over it' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l timeout -d 'Maximum time to wait for an answer' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l max-missed -d 'Terminate a client after this number of consecutive missed heartbeats; 0: never' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l any-traffic-counts -d 'Accept any frame from the client as a sign of life, not only the answer' -r -f -a "true\t''
false\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l app-ping -d 'Message that the server sends as app heartbeat, with {seq} {id} {now_ms}' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l app-pong -d 'Pattern of the answer' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l ca-file -d 'Write the CA certificate of --tls to this file [default: wscheck-ca.pem]' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l cert -d 'Serve wss:// with this certificate chain (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l key -d 'Private key of the certificate (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -s o -l output -d 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin\'s output and exit codes), prometheus (text format)' -r -f -a "human\t''
json\t''
ndjson\t''
markdown\t''
html\t''
junit\t''
github\t''
nagios\t''
prometheus\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l report -d 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l trace -d 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l fault-share -d 'Share of the connections that get the faults, as a percentage (20%) or a fraction (0.2)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l seed -d 'Random seed: the same seed gives the same faults' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l delay -d 'delay pongs by T; other answers are not delayed' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l jitter -d 'delay each pong by a random time, uniform from 0 to J; or normal:J (half-normal, deviation J), exponential:J (mean J)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l pong-loss -d 'drop this share of the pongs (20% or 0.2); with 20%, one pong of every five, chosen at random' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l supersede -d 'answer only the last of every N pings (default 2), at once: the pongs of the others are dropped (ping counts them as missed)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l merge-pongs -d 'hold the pings that come within T, then answer only the latest of them, T after it came (ping counts the others as superseded)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l unsolicited-pong -d 'send an unsolicited pong every T' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l stall -d 'stop reading and writing at age T, and leave the socket open; over HTTP/2 the stream\'s window runs out' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l mute -d 'from age T on read everything and answer nothing' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l close-after -d 'send a close frame at age T, code 1000 unless another is given' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l fin-after -d 'close TCP at age T without a close frame (FIN); over HTTP/2 the stream (END_STREAM)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l rst-after -d 'reset TCP at age T (RST); over HTTP/2 the stream (RST_STREAM CANCEL)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l half-close -d 'send FIN at age T, and keep reading; over HTTP/2 END_STREAM' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l idle-timeout -d 'cut a connection that was idle for T; with a range, each connection has its own T' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l idle-cut -d 'how it is cut: close[:CODE] (1000), fin (default), half-close, rst, silent (stays open, discards everything), rst-on-use (silent, then RST on the next data), mute (reads, sends nothing), stall (stops reading)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l idle-resets -d 'which side\'s bytes reset it: either (default), client, server, or both (each direction has its own timer)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l linger -d 'at the idle timeout start to discard everything, and cut the connection T later' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l lifetime -d 'cut every connection at age T, however active; cuts as for --idle-cut' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l chatter -d 'send a message every T' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l ping-flood -d 'send RATE pings a second (default 1000)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l refuse -d 'answer the upgrade with this HTTP status' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l redirect -d 'answer the upgrade with 302 and this Location' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l slow-upgrade -d 'delay the upgrade response by T' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l deflate -d 'agree to compress messages (permessage-deflate, RFC 7692) as the client offers it; PARAMS replace the parameters of the answer, right or wrong' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l trickle -d 'after the upgrade send only one byte every T (default 1s)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l h2-reset -d 'with --h2: answer the CONNECT of a WebSocket by RST_STREAM with this code: a name of RFC 9113 section 7, or a number' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l goaway-after -d 'with --h2: send GOAWAY (NO_ERROR) T after the first WebSocket of a connection opened, and close the connection at once, like a hop that restarts' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l h2-window -d 'with --h2: the window of each stream (default 65535); with 0 a client can never send' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l h2 -d 'Speak HTTP/2 beside HTTP/1.1: WebSockets by extended CONNECT (RFC 8441), with TLS by ALPN, else with prior knowledge'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l tell-health -d 'Send each client its health_status when it changes'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l skip-if-active -d 'Postpone the heartbeat of an active client to 1 to 1.5 intervals after its last message'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l tls -d 'Serve wss:// with a new self-signed certificate'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l compact -d 'Print the JSON document on one line'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -s q -l quiet -d 'Print only the report, no live lines; of several targets only the table and the result'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -s v -l verbose -d 'Also print what the other end sends, and the details of each of several targets'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l list-faults -d 'List the faults and exit'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l wrong-payload -d 'answer pings with a wrong payload'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l duplicate-pongs -d 'answer each ping twice'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l messages-only -d 'pings and pongs do not reset the idle timeout, only messages do'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l wrong-accept -d 'answer the upgrade with a wrong Sec-WebSocket-Accept (HTTP/1.1 only)'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l endless-header -d 'answer the upgrade with a header that never ends (HTTP/1.1 only)'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l lenient-upgrade -d 'also accept upgrades in HTTP/1.0 or without a Host header (RFC 6455 4.2.1 forbids both)'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l deflate-bomb -d 'agree to compress, and send a message right after the upgrade that decompresses to 1 GiB'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l rsv1-without-agreement -d 'send a compressed message right after the upgrade although compression was not agreed'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l garbage -d 'send bytes that are not WebSocket frames right after the upgrade'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l huge-frame -d 'send the head of a frame that claims 2^62 bytes right after the upgrade'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l masked-frame -d 'send a masked frame right after the upgrade (a server must not mask)'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l invalid-utf8 -d 'send a text message that is not UTF-8 right after the upgrade'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l no-connect-protocol -d 'with --h2: leave out SETTINGS_ENABLE_CONNECT_PROTOCOL, and reset an extended CONNECT (PROTOCOL_ERROR)'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -l fault -d 'Test against this fault (repeatable)' -r -f -a "silent\t''
stall\t''
mute\t''
close\t''
rst\t''
half-close\t''
slow-upgrade\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -l after -d 'Age of a connection at which its fault begins; the delay of slow-upgrade' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -l for -d 'Maximum time for one fault; a test ends earlier when the client has come back and answered a ping, or exits' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -l expect -d 'Fail unless this is true of the client, such as \'noticed<=10s\' (repeatable); it replaces the fault\'s own criteria about the same metric and adds to the others (--help lists both)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -l interval -d 'Time between the server\'s pings' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -l timeout -d 'Maximum time for the client to answer a ping' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -s o -l output -d 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin\'s output and exit codes), prometheus (text format)' -r -f -a "human\t''
json\t''
ndjson\t''
markdown\t''
html\t''
junit\t''
github\t''
nagios\t''
prometheus\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -l report -d 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -l trace -d 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -l matrix -d 'Test against every fault'
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -l one-at-a-time -d 'Test one fault after another instead of side by side'
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -l compact -d 'Print the JSON document on one line'
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -s q -l quiet -d 'Print only the report, no live lines; of several targets only the table and the result'
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -s v -l verbose -d 'Also print what the other end sends, and the details of each of several targets'
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand test-client" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand report" -l fail-on -d 'Exit 1 if the status of the whole is this or worse, whatever the runs were told' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand report" -l fail-if -l crit -d 'Exit 1 if this expression is true of the whole: rtt.p95>200ms, loss>1% (repeatable; instead of those of the runs)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand report" -l warn -d 'Show a warning if this expression is true of the whole, but do not fail (repeatable; instead of those of the runs)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand report" -s o -l output -d 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin\'s output and exit codes), prometheus (text format)' -r -f -a "human\t''
json\t''
ndjson\t''
markdown\t''
html\t''
junit\t''
github\t''
nagios\t''
prometheus\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand report" -l report -d 'Also write the report in this format to a file: junit=wscheck.xml (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand report" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand report" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand report" -l compact -d 'Print the JSON document on one line'
complete -c wscheck -n "__fish_wscheck_using_subcommand report" -s v -l verbose -d 'Print the details of each of several targets'
complete -c wscheck -n "__fish_wscheck_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand report" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand compare" -l fail-if -d 'Exit 1 if a figure changed by more than this: rtt.p95>+20%, sent<-10% (repeatable). A change that chance may explain is inconclusive (exit 4)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand compare" -s o -l output -d 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin\'s output and exit codes), prometheus (text format)' -r -f -a "human\t''
json\t''
ndjson\t''
markdown\t''
html\t''
junit\t''
github\t''
nagios\t''
prometheus\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand compare" -l report -d 'Also write the report in this format to a file: junit=wscheck.xml (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand compare" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand compare" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand compare" -l compact -d 'Print the JSON document on one line'
complete -c wscheck -n "__fish_wscheck_using_subcommand compare" -s v -l verbose -d 'Print the details of each of several targets'
complete -c wscheck -n "__fish_wscheck_using_subcommand compare" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand compare" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand timeouts" -s o -l output -d 'Output format on stdout: text (human), one document (json), or one entry per line with the document last (ndjson)' -r -f -a "human\t''
json\t''
ndjson\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand timeouts" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand timeouts" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand timeouts" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand timeouts" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand presets" -s o -l output -d 'Output format on stdout: text (human), one document (json), or one entry per line with the document last (ndjson)' -r -f -a "human\t''
json\t''
ndjson\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand presets" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand presets" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand presets" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand presets" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand products" -s o -l output -d 'Output format on stdout: text (human), one document (json), or one entry per line with the document last (ndjson)' -r -f -a "human\t''
json\t''
ndjson\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand products" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand products" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand products" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand products" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand schema" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand completions" -s h -l help -d 'Print help'
complete -c wscheck -n "__fish_wscheck_using_subcommand completions" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand man" -s h -l help -d 'Print help'
complete -c wscheck -n "__fish_wscheck_using_subcommand man" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "doctor" -d 'Find out what is wrong with an endpoint, at which hop, and what to change; `wscheck URL` alone is a quick one'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "ping" -d 'Measure a connection: RTT, jitter, unanswered heartbeats and status'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "watch" -d 'Keep connections and watch them: outages with their length and cause, as they happen, until it is stopped'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "probe-idle" -d 'Find the idle timeout of a path, what cuts the connection, and what keeps it open'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "listen" -d 'Observe the heartbeats that the server sends by itself: kind, interval, timer'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "probe-zombie" -d 'Measure how long the server keeps dead clients, and how it detects them'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "exporter" -d 'Serve metrics to Prometheus: of connections that are kept, and of probes (/probe as blackbox_exporter has it)'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "run" -d 'Run the checks of a file (wscheck.toml), side by side, and report on all of them'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "demo" -d 'Run `ping` against a test server inside this process (about five seconds)'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "serve" -d 'Run a test server that misbehaves on request, to test a client'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "test-client" -d 'Run your client against a test server that misbehaves, and judge what it does'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "report" -d 'Show an archived run (JSON or NDJSON) in any format, or several runs of ping as one'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "compare" -d 'Compare two archived runs, figure by figure, and tell changes from chance'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "timeouts" -d 'List known timeouts of proxies, clouds, NATs and servers, and how to change them'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "presets" -d 'List the heartbeat protocols of services and libraries'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "products" -d 'List known products and services: their heartbeats, their timeouts, and how they treat dead clients'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "schema" -d 'Print the JSON Schema of the -o json and -o ndjson output, or of a file of checks'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "completions" -d 'Print shell completions'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "man" -d 'Print the manual page (roff) of wscheck or of one command'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from doctor ping watch probe-idle listen probe-zombie exporter run demo serve test-client report compare timeouts presets products schema completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
