
use builtin;
use str;

set edit:completion:arg-completer[wscheck] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'wscheck'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'wscheck'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand ping 'Is this path healthy: how fast, how steady, how many heartbeats go unanswered?'
            cand probe-idle 'How long may this path be idle before something cuts it, what cuts it, and what keeps it open?'
            cand demo 'Show what `ping` does, on a test server inside this process (about five seconds)'
            cand serve 'Does my client cope with a slow, lossy, silent or closing server? A server that misbehaves on order'
            cand timeouts 'Which proxies, clouds, NATs and servers cut connections: when, how, what resets them, what to change'
            cand schema 'Print the JSON Schema of everything that -o json and -o ndjson print'
            cand completions 'Print the completions for a shell'
            cand man 'Print the manual page (roff) of wscheck or of one of its commands'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'wscheck;ping'= {
            cand -n 'Connections to each URL'
            cand --connections 'Connections to each URL'
            cand -c 'Heartbeats of each kind on each connection; without it, until Ctrl-C'
            cand --count 'Heartbeats of each kind on each connection; without it, until Ctrl-C'
            cand -w 'End the whole run after this, whatever is still outstanding'
            cand --deadline 'End the whole run after this, whatever is still outstanding'
            cand --heartbeat 'Which heartbeats to run'
            cand -i 'Time between heartbeats of a kind on a connection (500ms, 1m30s; plain numbers are seconds)'
            cand --interval 'Time between heartbeats of a kind on a connection (500ms, 1m30s; plain numbers are seconds)'
            cand -W 'How long an answer may take; what comes later is late, what never comes is missed'
            cand --timeout 'How long an answer may take; what comes later is late, what never comes is missed'
            cand --app-ping 'The app heartbeat''s ask: text with {seq}, {id} and {now_ms}, or hex:c000 for binary'
            cand --app-pong 'What answers it: JSON fields a message must contain, literal text, or hex:c000'
            cand --send 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable)'
            cand --await 'Begin heartbeats only when a message matching PATTERN has come'
            cand --await-timeout 'How long the awaited message may take [default: 10s]'
            cand -H 'Add a request header; @FILE reads one a line (repeatable)'
            cand --header 'Add a request header; @FILE reads one a line (repeatable)'
            cand --origin 'The Origin header, as a browser would send it'
            cand --subprotocol 'Offer a subprotocol (repeatable, in order of preference)'
            cand --user 'Credentials for HTTP Basic authentication'
            cand --resolve 'Use this address for a host and port instead of asking the resolver (repeatable)'
            cand --unix-socket 'Connect to a Unix socket, whatever the URL''s host'
            cand --bind 'The local address to connect from'
            cand --connect-timeout 'How long the opening may take, from the name to the upgrade'
            cand --max-message-size 'The largest message accepted from the server'
            cand --tcp-keepalive 'Send TCP keepalive probes after so much silence, and as often'
            cand --proxy 'http://, https://, socks4://, socks5:// or socks5h:// proxy, with USER:PASSWORD@ where it wants them; none ignores the environment''s HTTP(S)_PROXY, ALL_PROXY and NO_PROXY'
            cand --cacert 'Trust the certificates in FILE (PEM) instead of the system''s (repeatable)'
            cand --cert 'Our certificate (PEM), for servers that ask for one'
            cand --key 'Its private key (PEM)'
            cand --server-name 'The name to ask for (SNI) and to verify, instead of the URL''s host'
            cand --reconnect-base 'Backoff before the first attempt; it doubles with each, and a random share of it is waited [default: 500ms]'
            cand --reconnect-cap 'The longest backoff [default: 30s]'
            cand --reconnect-attempts 'Attempts in a row before giving up [default: 10]'
            cand --healthy 'Healthy up to this mean RTT of the window'
            cand --degraded 'Degraded up to this'
            cand --poor 'Poor up to this, critical above'
            cand --dead-after 'Dead after so many heartbeats missed in a row'
            cand --window 'Answered heartbeats in the rolling window'
            cand --fail-on 'Exit 1 when the status is this or worse: healthy degraded poor critical timeout dead'
            cand --fail-if 'Exit 1 when this is true: rtt.p95>200ms, loss>1%, jitter>20ms, tls.days_left<14 (repeatable)'
            cand -o 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)'
            cand --output 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)'
            cand --color 'When to use colour'
            cand --no-answer 'Leave the server''s own app pings unanswered'
            cand -4 'Use IPv4 addresses only'
            cand --ipv4 'Use IPv4 addresses only'
            cand -6 'Use IPv6 addresses only'
            cand --ipv6 'Use IPv6 addresses only'
            cand -k 'Accept any certificate; the report says that it was not verified'
            cand --insecure 'Accept any certificate; the report says that it was not verified'
            cand --reconnect 'Open a connection again when it was lost (a first opening that fails is not repeated)'
            cand --json 'Short for -o json'
            cand -q 'Only the summary, no line per heartbeat'
            cand --quiet 'Only the summary, no line per heartbeat'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'wscheck;probe-idle'= {
            cand --min 'The shortest silence that is tried'
            cand --max 'The longest silence that is tried'
            cand --precision 'How narrow the bracket must become, as a time or as a part of it (500ms, 2%) [default: 1 s or 2 %, whichever is larger]'
            cand --strategy 'How the bracket is narrowed: many silences at once (parallel), or the classical binary search, one at a time (bisect)'
            cand --repeat 'How many samples make an end certain; one is an anecdote'
            cand --max-connections 'Connections at once, at most'
            cand --answer-timeout 'How long an answer may take; then the connection is taken for dead'
            cand --heartbeat 'What a connection is asked after its silence, and the control all the time'
            cand --app-ping 'The app heartbeat''s ask: text with {seq}, {id} and {now_ms}, or hex:c000 for binary'
            cand --app-pong 'What answers it: JSON fields a message must contain, literal text, or hex:c000'
            cand --send 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable)'
            cand --await 'Begin heartbeats only when a message matching PATTERN has come'
            cand --await-timeout 'How long the awaited message may take [default: 10s]'
            cand --expect 'Exit 1 when the timeout is not as expected: >=55s, >1m, <=10m, <1h'
            cand -H 'Add a request header; @FILE reads one a line (repeatable)'
            cand --header 'Add a request header; @FILE reads one a line (repeatable)'
            cand --origin 'The Origin header, as a browser would send it'
            cand --subprotocol 'Offer a subprotocol (repeatable, in order of preference)'
            cand --user 'Credentials for HTTP Basic authentication'
            cand --resolve 'Use this address for a host and port instead of asking the resolver (repeatable)'
            cand --unix-socket 'Connect to a Unix socket, whatever the URL''s host'
            cand --bind 'The local address to connect from'
            cand --connect-timeout 'How long the opening may take, from the name to the upgrade'
            cand --max-message-size 'The largest message accepted from the server'
            cand --tcp-keepalive 'Send TCP keepalive probes after so much silence, and as often'
            cand --proxy 'http://, https://, socks4://, socks5:// or socks5h:// proxy, with USER:PASSWORD@ where it wants them; none ignores the environment''s HTTP(S)_PROXY, ALL_PROXY and NO_PROXY'
            cand --cacert 'Trust the certificates in FILE (PEM) instead of the system''s (repeatable)'
            cand --cert 'Our certificate (PEM), for servers that ask for one'
            cand --key 'Its private key (PEM)'
            cand --server-name 'The name to ask for (SNI) and to verify, instead of the URL''s host'
            cand -o 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)'
            cand --output 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)'
            cand --color 'When to use colour'
            cand --two-ended 'Have the server speak first after the silence, which tells in which direction the path is cut; the server must be `wscheck serve`'
            cand --no-answer 'Leave the server''s own app pings unanswered'
            cand --refresh 'Try what keeps the path open: Ping frames, unsolicited Pongs, TCP keepalive, app messages'
            cand --verify 'Hold a connection at the prescribed interval past two timeouts'
            cand -4 'Use IPv4 addresses only'
            cand --ipv4 'Use IPv4 addresses only'
            cand -6 'Use IPv6 addresses only'
            cand --ipv6 'Use IPv6 addresses only'
            cand -k 'Accept any certificate; the report says that it was not verified'
            cand --insecure 'Accept any certificate; the report says that it was not verified'
            cand --json 'Short for -o json'
            cand -q 'Only the summary, no line per heartbeat'
            cand --quiet 'Only the summary, no line per heartbeat'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'wscheck;demo'= {
            cand -o 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)'
            cand --output 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)'
            cand --color 'When to use colour'
            cand --json 'Short for -o json'
            cand -q 'Only the summary, no line per heartbeat'
            cand --quiet 'Only the summary, no line per heartbeat'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'wscheck;serve'= {
            cand --bind 'Where to listen; port 0 takes a free one'
            cand --port-file 'Write the port''s number to this file, once the server listens'
            cand --status-addr 'Show the clients as JSON at /clients and Prometheus text at /metrics, here'
            cand --max-clients 'More clients than these are answered 503'
            cand --max-message-size 'The most bytes of a message'
            cand --echo 'Send messages back to who sent them'
            cand --greet 'Send this message to each client as soon as it is there'
            cand --require 'Close a client with 4401 whose first message does not match'
            cand --heartbeat 'Which heartbeats the server sends'
            cand --interval 'From one heartbeat to the next; clients are spread over it'
            cand --timeout 'How long an answer may take'
            cand --max-missed 'Terminate a client that misses so many in a row; 0: never'
            cand --any-traffic-counts 'Any frame from the client proves it alive, not only the answer'
            cand --app-ping 'What the server asks by app heartbeats, with {seq} {id} {now_ms}'
            cand --app-pong 'What answers it'
            cand --ca-file 'Where the certificate to trust is written with --tls'
            cand --cert 'Serve wss:// with this certificate chain (PEM)'
            cand --key 'The certificate''s private key (PEM)'
            cand -o 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)'
            cand --output 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)'
            cand --fault-share 'The share of the connections that the faults happen to'
            cand --seed 'Where randomness begins: the same seed gives the same faults'
            cand --delay 'answer pings T late; other answers do not wait for it'
            cand --jitter 'add a random delay, uniform from 0 to J; or normal:J (half-normal, deviation J), exponential:J (mean J)'
            cand --pong-loss 'leave this share of the pings unanswered, at random'
            cand --supersede 'answer only the latest of every N pings, as RFC 6455 5.5.3 allows'
            cand --unsolicited-pong 'send a pong that nobody asked for every T'
            cand --stall 'stop reading and writing at age T, and leave the socket open'
            cand --mute 'from age T on read everything and answer nothing'
            cand --close-after 'send a close frame at age T, code 1000 unless another is given'
            cand --fin-after 'close TCP at age T without a close frame (FIN)'
            cand --rst-after 'reset TCP at age T (RST)'
            cand --half-close 'send FIN at age T, and go on taking what the client sends'
            cand --idle-timeout 'cut a connection that was idle for T; with a range, each connection has its own T'
            cand --idle-cut 'how it is cut: close[:CODE], fin (default), half-close, rst, silent (stays open, swallows everything), rst-on-use'
            cand --idle-resets 'whose bytes keep it alive: either (default), client, server, or both (each direction has its own timer)'
            cand --linger 'let go at the idle timeout, and cut only T later: in between everything is swallowed'
            cand --lifetime 'cut every connection at age T, however active; cuts as for --idle-cut'
            cand --chatter 'send a message every T'
            cand --ping-flood 'send RATE pings a second'
            cand --refuse 'answer the upgrade with this HTTP status'
            cand --redirect 'answer the upgrade with 302 and this Location'
            cand --slow-upgrade 'hold the answer to the upgrade back for T'
            cand --trickle 'after the upgrade send only one byte every T'
            cand --tell-health 'Tell each client its health_status whenever it changes'
            cand --skip-if-active 'A client that has just sent a message gets its next heartbeat 1 to 1.5 intervals after it'
            cand --tls 'Serve wss:// with a certificate made on the spot'
            cand --json 'Short for -o json'
            cand --list-faults 'List the faults and exit'
            cand --wrong-payload 'answer pings with another payload than theirs'
            cand --duplicate-pongs 'answer each ping twice'
            cand --messages-only 'pings and pongs do not reset the idle timeout, only messages do'
            cand --wrong-accept 'answer the upgrade with a wrong Sec-WebSocket-Accept'
            cand --endless-header 'answer the upgrade with a header that never ends'
            cand --garbage 'send bytes that are no frames right after the upgrade'
            cand --huge-frame 'send the head of a frame that claims 2^62 bytes right after the upgrade'
            cand --masked-frame 'send a masked frame right after the upgrade, which a server must not'
            cand --invalid-utf8 'send a text message that is not UTF-8 right after the upgrade'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'wscheck;timeouts'= {
            cand -o 'How the table is printed on stdout: for people (human), as one document (json), or as one timer a line, the document last (ndjson)'
            cand --output 'How the table is printed on stdout: for people (human), as one document (json), or as one timer a line, the document last (ndjson)'
            cand --color 'When to use colour'
            cand --json 'Short for -o json'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'wscheck;schema'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'wscheck;completions'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'wscheck;man'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'wscheck;help'= {
            cand ping 'Is this path healthy: how fast, how steady, how many heartbeats go unanswered?'
            cand probe-idle 'How long may this path be idle before something cuts it, what cuts it, and what keeps it open?'
            cand demo 'Show what `ping` does, on a test server inside this process (about five seconds)'
            cand serve 'Does my client cope with a slow, lossy, silent or closing server? A server that misbehaves on order'
            cand timeouts 'Which proxies, clouds, NATs and servers cut connections: when, how, what resets them, what to change'
            cand schema 'Print the JSON Schema of everything that -o json and -o ndjson print'
            cand completions 'Print the completions for a shell'
            cand man 'Print the manual page (roff) of wscheck or of one of its commands'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'wscheck;help;ping'= {
        }
        &'wscheck;help;probe-idle'= {
        }
        &'wscheck;help;demo'= {
        }
        &'wscheck;help;serve'= {
        }
        &'wscheck;help;timeouts'= {
        }
        &'wscheck;help;schema'= {
        }
        &'wscheck;help;completions'= {
        }
        &'wscheck;help;man'= {
        }
        &'wscheck;help;help'= {
        }
    ]
    $completions[$command]
}
