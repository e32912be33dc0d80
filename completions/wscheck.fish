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
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "ping" -d 'Is this path healthy: how fast, how steady, how many heartbeats go unanswered?'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "probe-idle" -d 'How long may this path be idle before something cuts it, what cuts it, and what keeps it open?'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "listen" -d 'Does the server send heartbeats of its own: which kind, how often, counted from what?'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "probe-zombie" -d 'How long does the server keep a dead client, and how does it find out?'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "demo" -d 'Show what `ping` does, on a test server inside this process (about five seconds)'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "serve" -d 'Does my client cope with a slow, lossy, silent or closing server? A server that misbehaves on order'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "timeouts" -d 'Which proxies, clouds, NATs and servers cut connections: when, how, what resets them, what to change'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "presets" -d 'How services and libraries speak heartbeats: what to ask, what answers, what must not be sent'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "schema" -d 'Print the JSON Schema of everything that -o json and -o ndjson print'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "completions" -d 'Print the completions for a shell'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "man" -d 'Print the manual page (roff) of wscheck or of one of its commands'
complete -c wscheck -n "__fish_wscheck_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s n -l connections -d 'Connections to each URL' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l ramp -d 'Open connections at this rate (500/s, 1000/m), or all of them within this time (20s); without it, as fast as 64 at a time can be' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l worst -d 'Of more than 10 connections, list so many that fared worst' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s c -l count -d 'Heartbeats of each kind on each connection; without it, until Ctrl-C' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s w -l deadline -d 'End the whole run after this; app answers without an id are then waited for, up to the timeout' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l heartbeat -d 'Which heartbeats to run [default: protocol, or app with a preset that has an answer]' -r -f -a "protocol\t'Ping frames and their Pongs (RFC 6455 5.5.2)'
app\t'Messages and the messages that answer them'
both\t'Both on the same connection, with separate figures'"
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s i -l interval -d 'Time between heartbeats of a kind on a connection (500ms, 1m30s; plain numbers are seconds) [default: 1s, or the preset\'s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s W -l timeout -d 'How long an answer may take; what comes later is late, what never comes is missed [default: 10s, or the preset\'s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l app-ping -d 'The app heartbeat\'s ask: text with {seq}, {seq1}, {id}, {now_ms} and {now_s}; text:PING\\n has escapes, binary:PING is a binary message, hex:c000 bytes' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l app-pong -d 'What answers it: JSON fields a message must contain, also behind a prefix (42["pong"]); literal text; text:, binary: and hex: as in --app-ping, ? and * for open bytes; {any} for anything (repeatable: any of them)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l send -d 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file, which keeps secrets out of the process list (one newline at its end is not sent), @@ begins a text with @' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l await -d 'Begin heartbeats only when a message matching PATTERN has come' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l await-timeout -d 'How long the awaited message may take [default: 10s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l preset -d 'Speak as this service or library does: hello, subprotocol, query, framing, ask and answer, intervals (`wscheck presets` lists them); auto finds out what the server seems to speak. What else is said on the command line holds' -r -f -a "json\t'JSON {"type":"ping"} and {"type":"pong"}'
json-id\t'JSON {"type":"ping","id":N} whose id comes back'
text\t'text ping and pong'
text-upper\t'text PING and PONG'
jsonrpc\t'JSON-RPC 2.0, by a method that need not exist'
engine.io\t'Engine.IO 4'
socket.io\t'Socket.IO 3 and 4, which speak Engine.IO 4'
engine.io-3\t'Engine.IO 3 and Socket.IO 2'
phoenix\t'Phoenix Channels, serializer V2'
phoenix-v1\t'Phoenix Channels, serializer V1'
action-cable\t'Rails Action Cable'
graphql-ws\t'GraphQL over WebSocket (graphql-transport-ws)'
subscriptions-transport-ws\t'Apollo\'s old GraphQL subscriptions (subprotocol graphql-ws)'
signalr\t'ASP.NET Core SignalR, JSON hub protocol'
centrifugo\t'Centrifugo, JSON'
mqtt\t'MQTT 3.1.1 over WebSocket'
stomp\t'STOMP 1.2 over WebSocket'
nats\t'NATS over WebSocket'
sockjs\t'SockJS, WebSocket transport'
ddp\t'Meteor DDP'
xmpp\t'XMPP over WebSocket (RFC 7395)'
vite\t'Vite\'s HMR'
webpack-dev-server\t'webpack-dev-server'
gatewayworker\t'GatewayWorker (Workerman)'
jupyter\t'Jupyter Server, kernel channels'
kubernetes\t'Kubernetes exec and attach'
pusher\t'Pusher Channels, protocol 7'
reverb\t'Laravel Reverb, which speaks Pusher\'s protocol'
ably\t'Ably realtime, JSON'
discord\t'Discord Gateway'
slack\t'Slack Socket Mode'
home-assistant\t'Home Assistant'
firebase\t'Firebase Realtime Database'
obs\t'OBS Studio (obs-websocket 5)'
nostr\t'Nostr relay'
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
auto\t'What the server seems to speak'"
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l framing -d 'What one message may hold: message (one thing), lines (LF or CRLF), records (0x1E) [default: message, or the preset\'s]' -r -f -a "message\t''
lines\t''
records\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s H -l header -d 'Add a request header; @FILE reads one a line (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l origin -d 'The Origin header, as a browser would send it' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l subprotocol -d 'Offer a subprotocol (repeatable, in order of preference)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l user -d 'Credentials for HTTP Basic authentication' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l resolve -d 'Use this address for a host and port instead of asking the resolver; a link-local one with its network interface: fe80::1%eth0 (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l unix-socket -d 'Connect to a Unix socket, whatever the URL\'s host' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l bind -d 'The local addresses to connect from, in turn: one has some 28000 ports towards one server' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l connect-timeout -d 'How long the opening may take, from the name to the upgrade' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l max-message-size -d 'The largest message accepted from the server' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l tcp-keepalive -d 'Send TCP keepalive probes after so much silence, and as often' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l user-timeout -d 'Give a connection up whose peer has not acknowledged anything for so long; none leaves that to the system, which takes a quarter of an hour' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l timestamps -d 'Who stamps what leaves and arrives; auto: the kernel as far as it does (Linux)' -r -f -a "auto\t''
kernel\t''
user\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l proxy -d 'http://, https://, socks4://, socks5:// or socks5h:// proxy, with USER:PASSWORD@ where it wants them; none ignores the environment\'s HTTP(S)_PROXY, ALL_PROXY and NO_PROXY' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l cacert -d 'Trust the certificates in FILE (PEM) instead of the system\'s (repeatable)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l cert -d 'Our certificate (PEM), for servers that ask for one' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l key -d 'Its private key (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l server-name -d 'The name to ask for (SNI) and to verify, instead of the URL\'s host' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l reconnect-base -d 'Backoff before the first attempt; it doubles with each, and a random share of it is waited [default: 500ms]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l reconnect-cap -d 'The longest backoff [default: 30s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l reconnect-attempts -d 'Attempts in a row, with no connection that lasted, before giving up [default: 10]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l reconnect-reset-after -d 'A connection lasted if it was open for this long and a heartbeat was answered on it; only then backoff and attempts start again [default: 5s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l healthy -d 'Healthy up to this mean RTT: of all answered heartbeats for the run, of the window in live lines' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l degraded -d 'Degraded up to this' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l poor -d 'Poor up to this, critical above' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l dead-after -d 'Dead after this many heartbeats missed in a row, with no answer since' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l timeout-after -d 'A run is timeout if it ends with this many heartbeats missed in a row' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l poor-loss -d 'A run with more loss than this is at least poor; one missed heartbeat makes it degraded' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l critical-loss -d 'A run with more loss than this is at least critical' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l loss-min-missed -d 'Loss makes a run poor or critical only if this many heartbeats or more were missed' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l window -d 'Answered heartbeats in the rolling window of live lines' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l fail-on -d 'Exit 1 when the status of the run is this or worse: healthy degraded poor critical timeout dead' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l fail-if -d 'Exit 1 when this is true: rtt.p95>200ms, loss>1%, jitter>20ms, tls.days_left<14 (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s o -l output -d 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)' -r -f -a "human\t''
json\t''
ndjson\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l adaptive -d 'Send the next heartbeat as soon as the last was answered, in place of an interval (as ping -A)'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l no-answer -d 'Leave the server\'s own app pings unanswered'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s k -l insecure -d 'Accept any certificate; the report says that it was not verified'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l reconnect -d 'Open a connection again when it was lost (a first opening that fails is not repeated)'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s q -l quiet -d 'Only the summary, no line per heartbeat'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand ping" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l min -d 'The shortest silence that is tried' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l max -d 'The longest silence that is tried; the whole search takes at most four times as long, and some time for answers; longer with fewer than 13 connections, or with bisect' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l precision -d 'How narrow the bracket must become, as a time or as a part of it (500ms, 2%) [default: 1 s or 2 %, whichever is larger]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l strategy -d 'How the bracket is narrowed: many silences at once (parallel), or the classical binary search, one at a time (bisect)' -r -f -a "parallel\t''
bisect\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l repeat -d 'How many samples make an end certain; one is an anecdote' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l max-connections -d 'Connections at once, at most; in all there are at most twelve times as many (120 at least), one for each silence that is tried first, and 30' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l answer-timeout -d 'How long an answer may take; then the connection is taken for dead' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l heartbeat -d 'What a connection is asked after its silence, and the control all the time [default: protocol, or app with a preset that has an answer]' -r -f -a "protocol\t'Ping frames and their Pongs (RFC 6455 5.5.2)'
app\t'Messages and the messages that answer them'"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l app-ping -d 'The app heartbeat\'s ask: text with {seq}, {seq1}, {id}, {now_ms} and {now_s}; text:PING\\n has escapes, binary:PING is a binary message, hex:c000 bytes' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l app-pong -d 'What answers it: JSON fields a message must contain, also behind a prefix (42["pong"]); literal text; text:, binary: and hex: as in --app-ping, ? and * for open bytes; {any} for anything (repeatable: any of them)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l send -d 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file, which keeps secrets out of the process list (one newline at its end is not sent), @@ begins a text with @' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l await -d 'Begin heartbeats only when a message matching PATTERN has come' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l await-timeout -d 'How long the awaited message may take [default: 10s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l preset -d 'Speak as this service or library does: hello, subprotocol, query, framing, ask and answer, intervals (`wscheck presets` lists them); auto finds out what the server seems to speak. What else is said on the command line holds' -r -f -a "json\t'JSON {"type":"ping"} and {"type":"pong"}'
json-id\t'JSON {"type":"ping","id":N} whose id comes back'
text\t'text ping and pong'
text-upper\t'text PING and PONG'
jsonrpc\t'JSON-RPC 2.0, by a method that need not exist'
engine.io\t'Engine.IO 4'
socket.io\t'Socket.IO 3 and 4, which speak Engine.IO 4'
engine.io-3\t'Engine.IO 3 and Socket.IO 2'
phoenix\t'Phoenix Channels, serializer V2'
phoenix-v1\t'Phoenix Channels, serializer V1'
action-cable\t'Rails Action Cable'
graphql-ws\t'GraphQL over WebSocket (graphql-transport-ws)'
subscriptions-transport-ws\t'Apollo\'s old GraphQL subscriptions (subprotocol graphql-ws)'
signalr\t'ASP.NET Core SignalR, JSON hub protocol'
centrifugo\t'Centrifugo, JSON'
mqtt\t'MQTT 3.1.1 over WebSocket'
stomp\t'STOMP 1.2 over WebSocket'
nats\t'NATS over WebSocket'
sockjs\t'SockJS, WebSocket transport'
ddp\t'Meteor DDP'
xmpp\t'XMPP over WebSocket (RFC 7395)'
vite\t'Vite\'s HMR'
webpack-dev-server\t'webpack-dev-server'
gatewayworker\t'GatewayWorker (Workerman)'
jupyter\t'Jupyter Server, kernel channels'
kubernetes\t'Kubernetes exec and attach'
pusher\t'Pusher Channels, protocol 7'
reverb\t'Laravel Reverb, which speaks Pusher\'s protocol'
ably\t'Ably realtime, JSON'
discord\t'Discord Gateway'
slack\t'Slack Socket Mode'
home-assistant\t'Home Assistant'
firebase\t'Firebase Realtime Database'
obs\t'OBS Studio (obs-websocket 5)'
nostr\t'Nostr relay'
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
auto\t'What the server seems to speak'"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l framing -d 'What one message may hold: message (one thing), lines (LF or CRLF), records (0x1E) [default: message, or the preset\'s]' -r -f -a "message\t''
lines\t''
records\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l expect -d 'Exit 1 when the timeout is not as expected: >=55s, >1m, <=10m, <1h' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s H -l header -d 'Add a request header; @FILE reads one a line (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l origin -d 'The Origin header, as a browser would send it' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l subprotocol -d 'Offer a subprotocol (repeatable, in order of preference)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l user -d 'Credentials for HTTP Basic authentication' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l resolve -d 'Use this address for a host and port instead of asking the resolver; a link-local one with its network interface: fe80::1%eth0 (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l unix-socket -d 'Connect to a Unix socket, whatever the URL\'s host' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l bind -d 'The local addresses to connect from, in turn: one has some 28000 ports towards one server' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l connect-timeout -d 'How long the opening may take, from the name to the upgrade' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l max-message-size -d 'The largest message accepted from the server' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l tcp-keepalive -d 'Send TCP keepalive probes after so much silence, and as often' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l user-timeout -d 'Give a connection up whose peer has not acknowledged anything for so long; none leaves that to the system, which takes a quarter of an hour' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l timestamps -d 'Who stamps what leaves and arrives; auto: the kernel as far as it does (Linux)' -r -f -a "auto\t''
kernel\t''
user\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l proxy -d 'http://, https://, socks4://, socks5:// or socks5h:// proxy, with USER:PASSWORD@ where it wants them; none ignores the environment\'s HTTP(S)_PROXY, ALL_PROXY and NO_PROXY' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l cacert -d 'Trust the certificates in FILE (PEM) instead of the system\'s (repeatable)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l cert -d 'Our certificate (PEM), for servers that ask for one' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l key -d 'Its private key (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l server-name -d 'The name to ask for (SNI) and to verify, instead of the URL\'s host' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s o -l output -d 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)' -r -f -a "human\t''
json\t''
ndjson\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l two-ended -d 'Have the server speak first after the silence, which tells in which direction the path is cut; the server must be `wscheck serve`'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l allow-messages -d 'Allow ordinary text messages where no app heartbeat is known: when connections that send Ping frames end at a certain age, a further one sends messages too, which tells a lifetime from a timer that only messages reset'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l no-answer -d 'Leave the server\'s own app pings unanswered'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l refresh -d 'Try what keeps the path open: Ping frames, unsolicited Pongs, TCP keepalive, app messages'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l verify -d 'Hold a connection at the prescribed interval past two timeouts'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s k -l insecure -d 'Accept any certificate; the report says that it was not verified'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s q -l quiet -d 'Only the summary, no line per heartbeat'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-idle" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l for -d 'Listen for so long; an interval is borne out by three heartbeats, or by two if the first came as long after the opening' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s c -l count -d 'Or until so many heartbeats of one kind were heard' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l talk -d 'Say something between heartbeats, once the interval is known, and see whether that moves them' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l app-ping -d 'A message of the server\'s that matches is its heartbeat too, besides the known shapes: JSON fields, literal text, or hex:c000' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l app-pong -d 'What answers it: text with the ping\'s own {seq}, {id} and {now_ms}; without, it is not answered' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l send -d 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file, which keeps secrets out of the process list (one newline at its end is not sent), @@ begins a text with @' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l await -d 'Begin heartbeats only when a message matching PATTERN has come' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l await-timeout -d 'How long the awaited message may take [default: 10s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l preset -d 'Speak as this service or library does: hello, subprotocol, query, framing, ask and answer, intervals (`wscheck presets` lists them); auto finds out what the server seems to speak. What else is said on the command line holds' -r -f -a "json\t'JSON {"type":"ping"} and {"type":"pong"}'
json-id\t'JSON {"type":"ping","id":N} whose id comes back'
text\t'text ping and pong'
text-upper\t'text PING and PONG'
jsonrpc\t'JSON-RPC 2.0, by a method that need not exist'
engine.io\t'Engine.IO 4'
socket.io\t'Socket.IO 3 and 4, which speak Engine.IO 4'
engine.io-3\t'Engine.IO 3 and Socket.IO 2'
phoenix\t'Phoenix Channels, serializer V2'
phoenix-v1\t'Phoenix Channels, serializer V1'
action-cable\t'Rails Action Cable'
graphql-ws\t'GraphQL over WebSocket (graphql-transport-ws)'
subscriptions-transport-ws\t'Apollo\'s old GraphQL subscriptions (subprotocol graphql-ws)'
signalr\t'ASP.NET Core SignalR, JSON hub protocol'
centrifugo\t'Centrifugo, JSON'
mqtt\t'MQTT 3.1.1 over WebSocket'
stomp\t'STOMP 1.2 over WebSocket'
nats\t'NATS over WebSocket'
sockjs\t'SockJS, WebSocket transport'
ddp\t'Meteor DDP'
xmpp\t'XMPP over WebSocket (RFC 7395)'
vite\t'Vite\'s HMR'
webpack-dev-server\t'webpack-dev-server'
gatewayworker\t'GatewayWorker (Workerman)'
jupyter\t'Jupyter Server, kernel channels'
kubernetes\t'Kubernetes exec and attach'
pusher\t'Pusher Channels, protocol 7'
reverb\t'Laravel Reverb, which speaks Pusher\'s protocol'
ably\t'Ably realtime, JSON'
discord\t'Discord Gateway'
slack\t'Slack Socket Mode'
home-assistant\t'Home Assistant'
firebase\t'Firebase Realtime Database'
obs\t'OBS Studio (obs-websocket 5)'
nostr\t'Nostr relay'
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
auto\t'What the server seems to speak'"
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l framing -d 'What one message may hold: message (one thing), lines (LF or CRLF), records (0x1E) [default: message, or the preset\'s]' -r -f -a "message\t''
lines\t''
records\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s H -l header -d 'Add a request header; @FILE reads one a line (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l origin -d 'The Origin header, as a browser would send it' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l subprotocol -d 'Offer a subprotocol (repeatable, in order of preference)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l user -d 'Credentials for HTTP Basic authentication' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l resolve -d 'Use this address for a host and port instead of asking the resolver; a link-local one with its network interface: fe80::1%eth0 (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l unix-socket -d 'Connect to a Unix socket, whatever the URL\'s host' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l bind -d 'The local addresses to connect from, in turn: one has some 28000 ports towards one server' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l connect-timeout -d 'How long the opening may take, from the name to the upgrade' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l max-message-size -d 'The largest message accepted from the server' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l tcp-keepalive -d 'Send TCP keepalive probes after so much silence, and as often' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l user-timeout -d 'Give a connection up whose peer has not acknowledged anything for so long; none leaves that to the system, which takes a quarter of an hour' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l timestamps -d 'Who stamps what leaves and arrives; auto: the kernel as far as it does (Linux)' -r -f -a "auto\t''
kernel\t''
user\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l proxy -d 'http://, https://, socks4://, socks5:// or socks5h:// proxy, with USER:PASSWORD@ where it wants them; none ignores the environment\'s HTTP(S)_PROXY, ALL_PROXY and NO_PROXY' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l cacert -d 'Trust the certificates in FILE (PEM) instead of the system\'s (repeatable)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l cert -d 'Our certificate (PEM), for servers that ask for one' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l key -d 'Its private key (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l server-name -d 'The name to ask for (SNI) and to verify, instead of the URL\'s host' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s o -l output -d 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)' -r -f -a "human\t''
json\t''
ndjson\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l no-answer -d 'Answer nothing: once greeted, no Pong leaves this machine, and no message'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s k -l insecure -d 'Accept any certificate; the report says that it was not verified'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s q -l quiet -d 'Only the summary, no line per heartbeat'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand listen" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l max -d 'Wait for so long at most until the server lets go of a client' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l expect -d 'Exit 1 when dead clients are not let go as expected: <=60s, <2m, >=30s' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l every -d 'How often the control sends a Ping and a message, and the client of Pings only a Ping [default: a 22nd of --max, 220ms at least and 4.4s at most: no round number, for those are the servers\']' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l say -d 'What each client says by a message once before it falls silent, and the control all the while: text with {seq}, {id} and {now_ms}, or hex:c000 for binary [default: a JSON ping, or what the preset says]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l answer-timeout -d 'How long the control may go without a sign of life before it counts as dead (answers that then pause for a second longer than --every make the run inconclusive)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l app-ping -d 'A message of the server\'s that matches is its heartbeat too, besides the known shapes: JSON fields, literal text, or hex:c000' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l app-pong -d 'What answers it: text with the ping\'s own {seq}, {id} and {now_ms}; without, it is not answered' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l send -d 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file, which keeps secrets out of the process list (one newline at its end is not sent), @@ begins a text with @' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l await -d 'Begin heartbeats only when a message matching PATTERN has come' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l await-timeout -d 'How long the awaited message may take [default: 10s]' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l preset -d 'Speak as this service or library does: hello, subprotocol, query, framing, ask and answer, intervals (`wscheck presets` lists them); auto finds out what the server seems to speak. What else is said on the command line holds' -r -f -a "json\t'JSON {"type":"ping"} and {"type":"pong"}'
json-id\t'JSON {"type":"ping","id":N} whose id comes back'
text\t'text ping and pong'
text-upper\t'text PING and PONG'
jsonrpc\t'JSON-RPC 2.0, by a method that need not exist'
engine.io\t'Engine.IO 4'
socket.io\t'Socket.IO 3 and 4, which speak Engine.IO 4'
engine.io-3\t'Engine.IO 3 and Socket.IO 2'
phoenix\t'Phoenix Channels, serializer V2'
phoenix-v1\t'Phoenix Channels, serializer V1'
action-cable\t'Rails Action Cable'
graphql-ws\t'GraphQL over WebSocket (graphql-transport-ws)'
subscriptions-transport-ws\t'Apollo\'s old GraphQL subscriptions (subprotocol graphql-ws)'
signalr\t'ASP.NET Core SignalR, JSON hub protocol'
centrifugo\t'Centrifugo, JSON'
mqtt\t'MQTT 3.1.1 over WebSocket'
stomp\t'STOMP 1.2 over WebSocket'
nats\t'NATS over WebSocket'
sockjs\t'SockJS, WebSocket transport'
ddp\t'Meteor DDP'
xmpp\t'XMPP over WebSocket (RFC 7395)'
vite\t'Vite\'s HMR'
webpack-dev-server\t'webpack-dev-server'
gatewayworker\t'GatewayWorker (Workerman)'
jupyter\t'Jupyter Server, kernel channels'
kubernetes\t'Kubernetes exec and attach'
pusher\t'Pusher Channels, protocol 7'
reverb\t'Laravel Reverb, which speaks Pusher\'s protocol'
ably\t'Ably realtime, JSON'
discord\t'Discord Gateway'
slack\t'Slack Socket Mode'
home-assistant\t'Home Assistant'
firebase\t'Firebase Realtime Database'
obs\t'OBS Studio (obs-websocket 5)'
nostr\t'Nostr relay'
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
auto\t'What the server seems to speak'"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l framing -d 'What one message may hold: message (one thing), lines (LF or CRLF), records (0x1E) [default: message, or the preset\'s]' -r -f -a "message\t''
lines\t''
records\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s H -l header -d 'Add a request header; @FILE reads one a line (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l origin -d 'The Origin header, as a browser would send it' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l subprotocol -d 'Offer a subprotocol (repeatable, in order of preference)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l user -d 'Credentials for HTTP Basic authentication' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l resolve -d 'Use this address for a host and port instead of asking the resolver; a link-local one with its network interface: fe80::1%eth0 (repeatable)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l unix-socket -d 'Connect to a Unix socket, whatever the URL\'s host' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l bind -d 'The local addresses to connect from, in turn: one has some 28000 ports towards one server' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l connect-timeout -d 'How long the opening may take, from the name to the upgrade' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l max-message-size -d 'The largest message accepted from the server' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l tcp-keepalive -d 'Send TCP keepalive probes after so much silence, and as often' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l user-timeout -d 'Give a connection up whose peer has not acknowledged anything for so long; none leaves that to the system, which takes a quarter of an hour' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l timestamps -d 'Who stamps what leaves and arrives; auto: the kernel as far as it does (Linux)' -r -f -a "auto\t''
kernel\t''
user\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l proxy -d 'http://, https://, socks4://, socks5:// or socks5h:// proxy, with USER:PASSWORD@ where it wants them; none ignores the environment\'s HTTP(S)_PROXY, ALL_PROXY and NO_PROXY' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l cacert -d 'Trust the certificates in FILE (PEM) instead of the system\'s (repeatable)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l cert -d 'Our certificate (PEM), for servers that ask for one' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l key -d 'Its private key (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l server-name -d 'The name to ask for (SNI) and to verify, instead of the URL\'s host' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s o -l output -d 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)' -r -f -a "human\t''
json\t''
ndjson\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s k -l insecure -d 'Accept any certificate; the report says that it was not verified'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s q -l quiet -d 'Only the summary, no line per heartbeat'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand probe-zombie" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -s o -l output -d 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)' -r -f -a "human\t''
json\t''
ndjson\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -s q -l quiet -d 'Only the summary, no line per heartbeat'
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand demo" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l bind -d 'Where to listen; port 0 takes a free one' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l port-file -d 'Write the port\'s number to this file, once the server listens' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l status-addr -d 'Show the clients as JSON at /clients and Prometheus text at /metrics, here' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l max-clients -d 'More clients than these are answered 503' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l max-message-size -d 'The most bytes of a message' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l echo -d 'Send messages back to who sent them' -r -f -a "true\t''
false\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l greet -d 'Send this message to each client as soon as it is there' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l require -d 'Close a client with 4401 whose first message does not match' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l heartbeat -d 'Which heartbeats the server sends' -r -f -a "protocol\t''
app\t''
both\t''
none\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l interval -d 'From one heartbeat to the next; clients are spread over it' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l timeout -d 'How long an answer may take' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l max-missed -d 'Terminate a client that misses so many in a row; 0: never' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l any-traffic-counts -d 'Any frame from the client proves it alive, not only the answer' -r -f -a "true\t''
false\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l app-ping -d 'What the server asks by app heartbeats, with {seq} {id} {now_ms}' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l app-pong -d 'What answers it' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l ca-file -d 'Where the certificate to trust is written with --tls' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l cert -d 'Serve wss:// with this certificate chain (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l key -d 'The certificate\'s private key (PEM)' -r -F
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -s o -l output -d 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)' -r -f -a "human\t''
json\t''
ndjson\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l fault-share -d 'The share of the connections that the faults happen to' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l seed -d 'Where randomness begins: the same seed gives the same faults' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l delay -d 'answer pings T late; other answers do not wait for it' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l jitter -d 'add a random delay, uniform from 0 to J; or normal:J (half-normal, deviation J), exponential:J (mean J)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l pong-loss -d 'drop this share of the pongs, spread evenly: with 20%, a random one of every five' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l supersede -d 'answer only the last of every N pings, at once: the pongs of the others are dropped (ping counts them as missed)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l merge-pongs -d 'hold the pings that come within T, then answer only the latest of them, T after it came (ping counts the others as superseded)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l unsolicited-pong -d 'send a pong that nobody asked for every T' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l stall -d 'stop reading and writing at age T, and leave the socket open' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l mute -d 'from age T on read everything and answer nothing' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l close-after -d 'send a close frame at age T, code 1000 unless another is given' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l fin-after -d 'close TCP at age T without a close frame (FIN)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l rst-after -d 'reset TCP at age T (RST)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l half-close -d 'send FIN at age T, and go on taking what the client sends' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l idle-timeout -d 'cut a connection that was idle for T; with a range, each connection has its own T' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l idle-cut -d 'how it is cut: close[:CODE], fin (default), half-close, rst, silent (stays open, swallows everything), rst-on-use' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l idle-resets -d 'whose bytes keep it alive: either (default), client, server, or both (each direction has its own timer)' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l linger -d 'let go at the idle timeout, and cut only T later: in between everything is swallowed' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l lifetime -d 'cut every connection at age T, however active; cuts as for --idle-cut' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l chatter -d 'send a message every T' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l ping-flood -d 'send RATE pings a second' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l refuse -d 'answer the upgrade with this HTTP status' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l redirect -d 'answer the upgrade with 302 and this Location' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l slow-upgrade -d 'hold the answer to the upgrade back for T' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l trickle -d 'after the upgrade send only one byte every T' -r
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l tell-health -d 'Tell each client its health_status whenever it changes'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l skip-if-active -d 'A client that has just sent a message gets its next heartbeat 1 to 1.5 intervals after it'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l tls -d 'Serve wss:// with a certificate made on the spot'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l list-faults -d 'List the faults and exit'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l wrong-payload -d 'answer pings with another payload than theirs'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l duplicate-pongs -d 'answer each ping twice'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l messages-only -d 'pings and pongs do not reset the idle timeout, only messages do'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l wrong-accept -d 'answer the upgrade with a wrong Sec-WebSocket-Accept'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l endless-header -d 'answer the upgrade with a header that never ends'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l lenient-upgrade -d 'also take upgrades in HTTP/1.0, or without a Host header, which RFC 6455 4.2.1 forbids'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l garbage -d 'send bytes that are no frames right after the upgrade'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l huge-frame -d 'send the head of a frame that claims 2^62 bytes right after the upgrade'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l masked-frame -d 'send a masked frame right after the upgrade, which a server must not'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -l invalid-utf8 -d 'send a text message that is not UTF-8 right after the upgrade'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -s h -l help -d 'Print help'
complete -c wscheck -n "__fish_wscheck_using_subcommand serve" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand timeouts" -s o -l output -d 'How the table is printed on stdout: for people (human), as one document (json), or as one timer a line, the document last (ndjson)' -r -f -a "human\t''
json\t''
ndjson\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand timeouts" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand timeouts" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand timeouts" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand timeouts" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand presets" -s o -l output -d 'How the table is printed on stdout: for people (human), as one document (json), or as one preset a line, the document last (ndjson)' -r -f -a "human\t''
json\t''
ndjson\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand presets" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c wscheck -n "__fish_wscheck_using_subcommand presets" -l json -d 'Short for -o json'
complete -c wscheck -n "__fish_wscheck_using_subcommand presets" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscheck -n "__fish_wscheck_using_subcommand presets" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand schema" -s h -l help -d 'Print help'
complete -c wscheck -n "__fish_wscheck_using_subcommand schema" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand completions" -s h -l help -d 'Print help'
complete -c wscheck -n "__fish_wscheck_using_subcommand completions" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand man" -s h -l help -d 'Print help'
complete -c wscheck -n "__fish_wscheck_using_subcommand man" -s V -l version -d 'Print version'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from ping probe-idle listen probe-zombie demo serve timeouts presets schema completions man help" -f -a "ping" -d 'Is this path healthy: how fast, how steady, how many heartbeats go unanswered?'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from ping probe-idle listen probe-zombie demo serve timeouts presets schema completions man help" -f -a "probe-idle" -d 'How long may this path be idle before something cuts it, what cuts it, and what keeps it open?'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from ping probe-idle listen probe-zombie demo serve timeouts presets schema completions man help" -f -a "listen" -d 'Does the server send heartbeats of its own: which kind, how often, counted from what?'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from ping probe-idle listen probe-zombie demo serve timeouts presets schema completions man help" -f -a "probe-zombie" -d 'How long does the server keep a dead client, and how does it find out?'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from ping probe-idle listen probe-zombie demo serve timeouts presets schema completions man help" -f -a "demo" -d 'Show what `ping` does, on a test server inside this process (about five seconds)'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from ping probe-idle listen probe-zombie demo serve timeouts presets schema completions man help" -f -a "serve" -d 'Does my client cope with a slow, lossy, silent or closing server? A server that misbehaves on order'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from ping probe-idle listen probe-zombie demo serve timeouts presets schema completions man help" -f -a "timeouts" -d 'Which proxies, clouds, NATs and servers cut connections: when, how, what resets them, what to change'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from ping probe-idle listen probe-zombie demo serve timeouts presets schema completions man help" -f -a "presets" -d 'How services and libraries speak heartbeats: what to ask, what answers, what must not be sent'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from ping probe-idle listen probe-zombie demo serve timeouts presets schema completions man help" -f -a "schema" -d 'Print the JSON Schema of everything that -o json and -o ndjson print'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from ping probe-idle listen probe-zombie demo serve timeouts presets schema completions man help" -f -a "completions" -d 'Print the completions for a shell'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from ping probe-idle listen probe-zombie demo serve timeouts presets schema completions man help" -f -a "man" -d 'Print the manual page (roff) of wscheck or of one of its commands'
complete -c wscheck -n "__fish_wscheck_using_subcommand help; and not __fish_seen_subcommand_from ping probe-idle listen probe-zombie demo serve timeouts presets schema completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
