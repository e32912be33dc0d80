
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'wscheck' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'wscheck'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'wscheck' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Find out what is wrong with an endpoint, at which hop, and what to change; `wscheck URL` alone is a quick one')
            [CompletionResult]::new('ping', 'ping', [CompletionResultType]::ParameterValue, 'Measure a connection: RTT, jitter, unanswered heartbeats and status')
            [CompletionResult]::new('probe-idle', 'probe-idle', [CompletionResultType]::ParameterValue, 'Find the idle timeout of a path, what cuts the connection, and what keeps it open')
            [CompletionResult]::new('listen', 'listen', [CompletionResultType]::ParameterValue, 'Observe the heartbeats that the server sends by itself: kind, interval, timer')
            [CompletionResult]::new('probe-zombie', 'probe-zombie', [CompletionResultType]::ParameterValue, 'Measure how long the server keeps dead clients, and how it detects them')
            [CompletionResult]::new('exporter', 'exporter', [CompletionResultType]::ParameterValue, 'Serve metrics to Prometheus: of connections that are kept, and of probes (/probe as blackbox_exporter has it)')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run the checks of a file (wscheck.toml), side by side, and report on all of them')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Run `ping` against a test server inside this process (about five seconds)')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run a test server that misbehaves on request, to test a client')
            [CompletionResult]::new('test-client', 'test-client', [CompletionResultType]::ParameterValue, 'Run your client against a test server that misbehaves, and judge what it does')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Show an archived run (JSON or NDJSON) in any format, or several runs of ping as one')
            [CompletionResult]::new('compare', 'compare', [CompletionResultType]::ParameterValue, 'Compare two archived runs, figure by figure, and tell changes from chance')
            [CompletionResult]::new('timeouts', 'timeouts', [CompletionResultType]::ParameterValue, 'List known timeouts of proxies, clouds, NATs and servers, and how to change them')
            [CompletionResult]::new('presets', 'presets', [CompletionResultType]::ParameterValue, 'List the heartbeat protocols of services and libraries')
            [CompletionResult]::new('products', 'products', [CompletionResultType]::ParameterValue, 'List known products and services: their heartbeats, their timeouts, and how they treat dead clients')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of the -o json and -o ndjson output, or of a file of checks')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print shell completions')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page (roff) of wscheck or of one command')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'wscheck;doctor' {
            [CompletionResult]::new('--max', '--max', [CompletionResultType]::ParameterName, 'Maximum time of --thorough')
            [CompletionResult]::new('--only', '--only', [CompletionResultType]::ParameterName, 'Make only these checks (repeatable, or separated by commas)')
            [CompletionResult]::new('--skip', '--skip', [CompletionResultType]::ParameterName, 'Leave these checks out (repeatable, or separated by commas)')
            [CompletionResult]::new('--bundle', '--bundle', [CompletionResultType]::ParameterName, 'Write what a maintainer or vendor needs to FILE.tgz: report, events, versions; secrets are redacted')
            [CompletionResult]::new('--via', '--via', [CompletionResultType]::ParameterName, 'Try the same URL at this point of the path, too: pod=localhost:8080, or pod=unix:PATH (repeatable, the nearest to the server first)')
            [CompletionResult]::new('--app-ping', '--app-ping', [CompletionResultType]::ParameterName, 'Message to send as app heartbeat: text with {seq}, {seq1}, {id}, {now_ms} and {now_s}; text:PING\n takes escapes, binary:PING is a binary message, hex:c000 is bytes')
            [CompletionResult]::new('--app-pong', '--app-pong', [CompletionResultType]::ParameterName, 'Pattern of the answer: JSON fields that the message contains, also after a prefix (42["pong"]); literal text; text:, binary: and hex: as in --app-ping, with ? and * as wildcards; {any} matches every message (repeatable: one must match)')
            [CompletionResult]::new('--send', '--send', [CompletionResultType]::ParameterName, 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file and so keeps secrets out of the process list (a final newline is dropped); @@ starts a text with @')
            [CompletionResult]::new('--await', '--await', [CompletionResultType]::ParameterName, 'Wait for a message that matches PATTERN before the first heartbeat')
            [CompletionResult]::new('--await-timeout', '--await-timeout', [CompletionResultType]::ParameterName, 'Maximum time to wait for the --await message [default: 10s]')
            [CompletionResult]::new('--preset', '--preset', [CompletionResultType]::ParameterName, 'Use the heartbeat protocol of a service or library (`wscheck presets` lists them); auto detects it. Other options override the preset')
            [CompletionResult]::new('--framing', '--framing', [CompletionResultType]::ParameterName, 'How messages are packed: message (one each), lines (split at LF or CRLF), records (split at 0x1E) [default: message, or the preset''s]')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one per line (repeatable)')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one per line (repeatable)')
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'Send this Origin header, as a browser does')
            [CompletionResult]::new('--subprotocol', '--subprotocol', [CompletionResultType]::ParameterName, 'Offer a subprotocol (repeatable, most preferred first)')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Credentials for HTTP Basic authentication')
            [CompletionResult]::new('--resolve', '--resolve', [CompletionResultType]::ParameterName, 'Use this address for a host and port instead of DNS; a link-local address needs its interface: fe80::1%eth0 (repeatable)')
            [CompletionResult]::new('--unix-socket', '--unix-socket', [CompletionResultType]::ParameterName, 'Connect to this Unix socket instead of the URL''s host')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Connect to this host and port instead of the URL''s, without a proxy; Host, TLS and the request stay those of the URL')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Local addresses to connect from, in turn; each has some 28000 ports per server address; a link-local address needs its interface: fe80::1%eth0')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Maximum time to open a connection, from DNS to the upgrade')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'Maximum size of a message from the server')
            [CompletionResult]::new('--tcp-keepalive', '--tcp-keepalive', [CompletionResultType]::ParameterName, 'Send TCP keepalive probes after this much silence, and at this interval')
            [CompletionResult]::new('--user-timeout', '--user-timeout', [CompletionResultType]::ParameterName, 'Give up when the peer''s TCP has acknowledged nothing for this long (Linux); none leaves it to the system (about 15 minutes) [default: for ping three timeouts, at least 30s; otherwise none]')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Source of timestamps: the kernel where available (Linux), else this program')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Connect through this proxy: http://, https://, socks4://, socks5:// or socks5h://, with USER:PASSWORD@ if needed; none ignores HTTP(S)_PROXY, ALL_PROXY and NO_PROXY of the environment')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in FILE (PEM) instead of the system''s (repeatable)')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Client certificate (PEM)')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the client certificate (PEM)')
            [CompletionResult]::new('--server-name', '--server-name', [CompletionResultType]::ParameterName, 'Server name for SNI and certificate verification, instead of the URL''s host')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)')
            [CompletionResult]::new('--trace', '--trace', [CompletionResultType]::ParameterName, 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour')
            [CompletionResult]::new('--quick', '--quick', [CompletionResultType]::ParameterName, 'Take some 20 seconds: idle timeouts up to 10 seconds [default: up to 90 seconds, idle timeouts up to 65 seconds]')
            [CompletionResult]::new('--thorough', '--thorough', [CompletionResultType]::ParameterName, 'Also find out what keeps the path open and how long the server keeps dead clients; takes up to --max')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Warnings fail the run, too')
            [CompletionResult]::new('--list-checks', '--list-checks', [CompletionResultType]::ParameterName, 'List the checks and run none')
            [CompletionResult]::new('--each-address', '--each-address', [CompletionResultType]::ParameterName, 'Try the same URL at each address of the name')
            [CompletionResult]::new('--no-answer', '--no-answer', [CompletionResultType]::ParameterName, 'Do not answer the server''s own app pings')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept any server certificate; the report says that it was not verified')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any server certificate; the report says that it was not verified')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--compact', '--compact', [CompletionResultType]::ParameterName, 'Print the JSON document on one line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;ping' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Number of connections to each URL')
            [CompletionResult]::new('--connections', '--connections', [CompletionResultType]::ParameterName, 'Number of connections to each URL')
            [CompletionResult]::new('--ramp', '--ramp', [CompletionResultType]::ParameterName, 'Open connections at this rate (500/s, 1000/m), or all of them within this time (20s) [default: as fast as possible, 64 at a time]')
            [CompletionResult]::new('--worst', '--worst', [CompletionResultType]::ParameterName, 'With more than 10 connections, list the N worst')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Stop after this number of heartbeats of each kind on each connection [default: run until Ctrl-C]')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Stop after this number of heartbeats of each kind on each connection [default: run until Ctrl-C]')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Stop the run after this time; then wait up to the timeout for app answers that carry no id')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'Stop the run after this time; then wait up to the timeout for app answers that carry no id')
            [CompletionResult]::new('--heartbeat', '--heartbeat', [CompletionResultType]::ParameterName, 'Kind of heartbeat [default: protocol, or app if the preset defines an answer]')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Time between heartbeats of one kind on one connection (500ms, 1m30s; a plain number is seconds) [default: 1s, or the preset''s]')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time between heartbeats of one kind on one connection (500ms, 1m30s; a plain number is seconds) [default: 1s, or the preset''s]')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'Maximum time to wait for an answer: an answer after this time counts as late, no answer at all as missed [default: 10s, or the preset''s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Maximum time to wait for an answer: an answer after this time counts as late, no answer at all as missed [default: 10s, or the preset''s]')
            [CompletionResult]::new('--app-ping', '--app-ping', [CompletionResultType]::ParameterName, 'Message to send as app heartbeat: text with {seq}, {seq1}, {id}, {now_ms} and {now_s}; text:PING\n takes escapes, binary:PING is a binary message, hex:c000 is bytes')
            [CompletionResult]::new('--app-pong', '--app-pong', [CompletionResultType]::ParameterName, 'Pattern of the answer: JSON fields that the message contains, also after a prefix (42["pong"]); literal text; text:, binary: and hex: as in --app-ping, with ? and * as wildcards; {any} matches every message (repeatable: one must match)')
            [CompletionResult]::new('--send', '--send', [CompletionResultType]::ParameterName, 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file and so keeps secrets out of the process list (a final newline is dropped); @@ starts a text with @')
            [CompletionResult]::new('--await', '--await', [CompletionResultType]::ParameterName, 'Wait for a message that matches PATTERN before the first heartbeat')
            [CompletionResult]::new('--await-timeout', '--await-timeout', [CompletionResultType]::ParameterName, 'Maximum time to wait for the --await message [default: 10s]')
            [CompletionResult]::new('--preset', '--preset', [CompletionResultType]::ParameterName, 'Use the heartbeat protocol of a service or library (`wscheck presets` lists them); auto detects it. Other options override the preset')
            [CompletionResult]::new('--framing', '--framing', [CompletionResultType]::ParameterName, 'How messages are packed: message (one each), lines (split at LF or CRLF), records (split at 0x1E) [default: message, or the preset''s]')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one per line (repeatable)')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one per line (repeatable)')
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'Send this Origin header, as a browser does')
            [CompletionResult]::new('--subprotocol', '--subprotocol', [CompletionResultType]::ParameterName, 'Offer a subprotocol (repeatable, most preferred first)')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Credentials for HTTP Basic authentication')
            [CompletionResult]::new('--resolve', '--resolve', [CompletionResultType]::ParameterName, 'Use this address for a host and port instead of DNS; a link-local address needs its interface: fe80::1%eth0 (repeatable)')
            [CompletionResult]::new('--unix-socket', '--unix-socket', [CompletionResultType]::ParameterName, 'Connect to this Unix socket instead of the URL''s host')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Connect to this host and port instead of the URL''s, without a proxy; Host, TLS and the request stay those of the URL')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Local addresses to connect from, in turn; each has some 28000 ports per server address; a link-local address needs its interface: fe80::1%eth0')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Maximum time to open a connection, from DNS to the upgrade')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'Maximum size of a message from the server')
            [CompletionResult]::new('--tcp-keepalive', '--tcp-keepalive', [CompletionResultType]::ParameterName, 'Send TCP keepalive probes after this much silence, and at this interval')
            [CompletionResult]::new('--user-timeout', '--user-timeout', [CompletionResultType]::ParameterName, 'Give up when the peer''s TCP has acknowledged nothing for this long (Linux); none leaves it to the system (about 15 minutes) [default: for ping three timeouts, at least 30s; otherwise none]')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Source of timestamps: the kernel where available (Linux), else this program')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Connect through this proxy: http://, https://, socks4://, socks5:// or socks5h://, with USER:PASSWORD@ if needed; none ignores HTTP(S)_PROXY, ALL_PROXY and NO_PROXY of the environment')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in FILE (PEM) instead of the system''s (repeatable)')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Client certificate (PEM)')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the client certificate (PEM)')
            [CompletionResult]::new('--server-name', '--server-name', [CompletionResultType]::ParameterName, 'Server name for SNI and certificate verification, instead of the URL''s host')
            [CompletionResult]::new('--outage-after', '--outage-after', [CompletionResultType]::ParameterName, 'A silence of this length after a heartbeat left counts as an outage [default: the timeout]')
            [CompletionResult]::new('--reconnect-base', '--reconnect-base', [CompletionResultType]::ParameterName, 'Back-off before the first attempt; it doubles with each attempt, and the wait is a random part of it [default: 500ms]')
            [CompletionResult]::new('--reconnect-cap', '--reconnect-cap', [CompletionResultType]::ParameterName, 'Maximum back-off [default: 30s]')
            [CompletionResult]::new('--reconnect-attempts', '--reconnect-attempts', [CompletionResultType]::ParameterName, 'Give up after this number of attempts (or `unlimited`: never) without a connection that lasted [default: 10]')
            [CompletionResult]::new('--reconnect-reset-after', '--reconnect-reset-after', [CompletionResultType]::ParameterName, 'Reset back-off and attempts once a connection was open for this long and answered a heartbeat [default: 5s]')
            [CompletionResult]::new('--healthy', '--healthy', [CompletionResultType]::ParameterName, 'Maximum mean RTT of a healthy connection (of the whole run; in live lines of the window)')
            [CompletionResult]::new('--degraded', '--degraded', [CompletionResultType]::ParameterName, 'Maximum mean RTT of a degraded connection')
            [CompletionResult]::new('--poor', '--poor', [CompletionResultType]::ParameterName, 'Maximum mean RTT of a poor connection; above it is critical')
            [CompletionResult]::new('--dead-after', '--dead-after', [CompletionResultType]::ParameterName, 'Number of consecutive missed heartbeats after which a connection is dead')
            [CompletionResult]::new('--timeout-after', '--timeout-after', [CompletionResultType]::ParameterName, 'A run that ends with this number of consecutive missed heartbeats has status timeout')
            [CompletionResult]::new('--poor-loss', '--poor-loss', [CompletionResultType]::ParameterName, 'A run with more loss than this is at least poor (any loss makes it at least degraded)')
            [CompletionResult]::new('--critical-loss', '--critical-loss', [CompletionResultType]::ParameterName, 'A run with more loss than this is at least critical')
            [CompletionResult]::new('--loss-min-missed', '--loss-min-missed', [CompletionResultType]::ParameterName, 'Minimum number of missed heartbeats before loss makes a run poor or critical')
            [CompletionResult]::new('--window', '--window', [CompletionResultType]::ParameterName, 'Size of the rolling window for the live status, in answered heartbeats')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'Exit 1 if the status of the run is this or worse: healthy, degraded, poor, critical, timeout, dead')
            [CompletionResult]::new('--fail-if', '--fail-if', [CompletionResultType]::ParameterName, 'Exit 1 if this expression is true: rtt.p95>200ms, loss>1%, jitter>20ms, tls.days_left<14 (repeatable; see Metrics below)')
            [CompletionResult]::new('--crit', '--crit', [CompletionResultType]::ParameterName, 'Exit 1 if this expression is true: rtt.p95>200ms, loss>1%, jitter>20ms, tls.days_left<14 (repeatable; see Metrics below)')
            [CompletionResult]::new('--warn', '--warn', [CompletionResultType]::ParameterName, 'Show a warning if this expression is true, but do not fail; with -o nagios the state is WARNING (repeatable)')
            [CompletionResult]::new('--expect-close', '--expect-close', [CompletionResultType]::ParameterName, 'Pass only if the peer closes every connection with one of these close codes: 1001, or 1012,4000. Such an end makes no connection dead')
            [CompletionResult]::new('--expect-refused', '--expect-refused', [CompletionResultType]::ParameterName, 'Pass only if every upgrade is refused with one of these HTTP statuses: 401, or 401,403. If one opens, the run ends after one heartbeat, unless --count or --deadline says otherwise')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)')
            [CompletionResult]::new('--trace', '--trace', [CompletionResultType]::ParameterName, 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour')
            [CompletionResult]::new('--all-connections', '--all-connections', [CompletionResultType]::ParameterName, 'List every connection in the JSON document, not only the worst of more than 100')
            [CompletionResult]::new('--adaptive', '--adaptive', [CompletionResultType]::ParameterName, 'Send the next heartbeat as soon as the previous one was answered, without an interval (like ping -A)')
            [CompletionResult]::new('--no-answer', '--no-answer', [CompletionResultType]::ParameterName, 'Do not answer the server''s own app pings')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept any server certificate; the report says that it was not verified')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any server certificate; the report says that it was not verified')
            [CompletionResult]::new('--reconnect', '--reconnect', [CompletionResultType]::ParameterName, 'Reopen a lost connection (a first opening that fails is not retried)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--compact', '--compact', [CompletionResultType]::ParameterName, 'Print the JSON document on one line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;probe-idle' {
            [CompletionResult]::new('--min', '--min', [CompletionResultType]::ParameterName, 'Minimum idle time to try')
            [CompletionResult]::new('--max', '--max', [CompletionResultType]::ParameterName, 'Maximum idle time to try; a search takes about four times as long (more with fewer than 13 connections, or with bisect); the first line gives the maximum')
            [CompletionResult]::new('--precision', '--precision', [CompletionResultType]::ParameterName, 'Stop when the timeout is known this exactly, as a time or a percentage (500ms, 2%) [default: 1s or 2%, whichever is larger]')
            [CompletionResult]::new('--strategy', '--strategy', [CompletionResultType]::ParameterName, 'Search with many idle connections at once (parallel), or one at a time by binary search (bisect)')
            [CompletionResult]::new('--repeat', '--repeat', [CompletionResultType]::ParameterName, 'Number of connections that must end at the same idle time to confirm it')
            [CompletionResult]::new('--max-connections', '--max-connections', [CompletionResultType]::ParameterName, 'Maximum number of concurrent connections; the first line of output says how many a search opens in total')
            [CompletionResult]::new('--answer-timeout', '--answer-timeout', [CompletionResultType]::ParameterName, 'Maximum time to wait for an answer; without one the connection counts as dead')
            [CompletionResult]::new('--heartbeat', '--heartbeat', [CompletionResultType]::ParameterName, 'Heartbeat that tests a connection after its idle time, and keeps the control connection active [default: protocol, or app if the preset defines an answer]')
            [CompletionResult]::new('--app-ping', '--app-ping', [CompletionResultType]::ParameterName, 'Message to send as app heartbeat: text with {seq}, {seq1}, {id}, {now_ms} and {now_s}; text:PING\n takes escapes, binary:PING is a binary message, hex:c000 is bytes')
            [CompletionResult]::new('--app-pong', '--app-pong', [CompletionResultType]::ParameterName, 'Pattern of the answer: JSON fields that the message contains, also after a prefix (42["pong"]); literal text; text:, binary: and hex: as in --app-ping, with ? and * as wildcards; {any} matches every message (repeatable: one must match)')
            [CompletionResult]::new('--send', '--send', [CompletionResultType]::ParameterName, 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file and so keeps secrets out of the process list (a final newline is dropped); @@ starts a text with @')
            [CompletionResult]::new('--await', '--await', [CompletionResultType]::ParameterName, 'Wait for a message that matches PATTERN before the first heartbeat')
            [CompletionResult]::new('--await-timeout', '--await-timeout', [CompletionResultType]::ParameterName, 'Maximum time to wait for the --await message [default: 10s]')
            [CompletionResult]::new('--preset', '--preset', [CompletionResultType]::ParameterName, 'Use the heartbeat protocol of a service or library (`wscheck presets` lists them); auto detects it. Other options override the preset')
            [CompletionResult]::new('--framing', '--framing', [CompletionResultType]::ParameterName, 'How messages are packed: message (one each), lines (split at LF or CRLF), records (split at 0x1E) [default: message, or the preset''s]')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'Exit 1 if the timeout is not as expected: >=55s, >1m, <=10m, <1h')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one per line (repeatable)')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one per line (repeatable)')
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'Send this Origin header, as a browser does')
            [CompletionResult]::new('--subprotocol', '--subprotocol', [CompletionResultType]::ParameterName, 'Offer a subprotocol (repeatable, most preferred first)')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Credentials for HTTP Basic authentication')
            [CompletionResult]::new('--resolve', '--resolve', [CompletionResultType]::ParameterName, 'Use this address for a host and port instead of DNS; a link-local address needs its interface: fe80::1%eth0 (repeatable)')
            [CompletionResult]::new('--unix-socket', '--unix-socket', [CompletionResultType]::ParameterName, 'Connect to this Unix socket instead of the URL''s host')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Connect to this host and port instead of the URL''s, without a proxy; Host, TLS and the request stay those of the URL')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Local addresses to connect from, in turn; each has some 28000 ports per server address; a link-local address needs its interface: fe80::1%eth0')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Maximum time to open a connection, from DNS to the upgrade')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'Maximum size of a message from the server')
            [CompletionResult]::new('--tcp-keepalive', '--tcp-keepalive', [CompletionResultType]::ParameterName, 'Send TCP keepalive probes after this much silence, and at this interval')
            [CompletionResult]::new('--user-timeout', '--user-timeout', [CompletionResultType]::ParameterName, 'Give up when the peer''s TCP has acknowledged nothing for this long (Linux); none leaves it to the system (about 15 minutes) [default: for ping three timeouts, at least 30s; otherwise none]')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Source of timestamps: the kernel where available (Linux), else this program')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Connect through this proxy: http://, https://, socks4://, socks5:// or socks5h://, with USER:PASSWORD@ if needed; none ignores HTTP(S)_PROXY, ALL_PROXY and NO_PROXY of the environment')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in FILE (PEM) instead of the system''s (repeatable)')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Client certificate (PEM)')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the client certificate (PEM)')
            [CompletionResult]::new('--server-name', '--server-name', [CompletionResultType]::ParameterName, 'Server name for SNI and certificate verification, instead of the URL''s host')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)')
            [CompletionResult]::new('--trace', '--trace', [CompletionResultType]::ParameterName, 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour')
            [CompletionResult]::new('--two-ended', '--two-ended', [CompletionResultType]::ParameterName, 'Let the server send first after the idle time, to find the direction that is cut; needs `wscheck serve` as the server')
            [CompletionResult]::new('--allow-messages', '--allow-messages', [CompletionResultType]::ParameterName, 'Allow ordinary text messages if no app heartbeat is known. If connections that send Ping frames all end at one age, another connection sends messages too: this distinguishes a lifetime limit from a timer that only messages reset')
            [CompletionResult]::new('--no-answer', '--no-answer', [CompletionResultType]::ParameterName, 'Do not answer the server''s own app pings')
            [CompletionResult]::new('--refresh', '--refresh', [CompletionResultType]::ParameterName, 'Test which traffic keeps the path open: Ping frames, unsolicited Pongs, TCP keepalive, app messages')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Verify the recommended interval: keep a connection open with it for two timeouts')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept any server certificate; the report says that it was not verified')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any server certificate; the report says that it was not verified')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--compact', '--compact', [CompletionResultType]::ParameterName, 'Print the JSON document on one line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;listen' {
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Listen for this long; an interval needs three heartbeats, or two if the first came one interval after the opening')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Stop after this number of heartbeats of one kind')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Stop after this number of heartbeats of one kind')
            [CompletionResult]::new('--talk', '--talk', [CompletionResultType]::ParameterName, 'Send a message between heartbeats, once the interval is known, to see whether client traffic postpones them')
            [CompletionResult]::new('--app-ping', '--app-ping', [CompletionResultType]::ParameterName, 'Pattern of a further server message that is a heartbeat, besides the known shapes: JSON fields, literal text, or hex:c000')
            [CompletionResult]::new('--app-pong', '--app-pong', [CompletionResultType]::ParameterName, 'Answer to send for --app-ping: text with the {seq}, {id} and {now_ms} of the ping [default: no answer]')
            [CompletionResult]::new('--send', '--send', [CompletionResultType]::ParameterName, 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file and so keeps secrets out of the process list (a final newline is dropped); @@ starts a text with @')
            [CompletionResult]::new('--await', '--await', [CompletionResultType]::ParameterName, 'Wait for a message that matches PATTERN before the first heartbeat')
            [CompletionResult]::new('--await-timeout', '--await-timeout', [CompletionResultType]::ParameterName, 'Maximum time to wait for the --await message [default: 10s]')
            [CompletionResult]::new('--preset', '--preset', [CompletionResultType]::ParameterName, 'Use the heartbeat protocol of a service or library (`wscheck presets` lists them); auto detects it. Other options override the preset')
            [CompletionResult]::new('--framing', '--framing', [CompletionResultType]::ParameterName, 'How messages are packed: message (one each), lines (split at LF or CRLF), records (split at 0x1E) [default: message, or the preset''s]')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one per line (repeatable)')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one per line (repeatable)')
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'Send this Origin header, as a browser does')
            [CompletionResult]::new('--subprotocol', '--subprotocol', [CompletionResultType]::ParameterName, 'Offer a subprotocol (repeatable, most preferred first)')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Credentials for HTTP Basic authentication')
            [CompletionResult]::new('--resolve', '--resolve', [CompletionResultType]::ParameterName, 'Use this address for a host and port instead of DNS; a link-local address needs its interface: fe80::1%eth0 (repeatable)')
            [CompletionResult]::new('--unix-socket', '--unix-socket', [CompletionResultType]::ParameterName, 'Connect to this Unix socket instead of the URL''s host')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Connect to this host and port instead of the URL''s, without a proxy; Host, TLS and the request stay those of the URL')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Local addresses to connect from, in turn; each has some 28000 ports per server address; a link-local address needs its interface: fe80::1%eth0')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Maximum time to open a connection, from DNS to the upgrade')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'Maximum size of a message from the server')
            [CompletionResult]::new('--tcp-keepalive', '--tcp-keepalive', [CompletionResultType]::ParameterName, 'Send TCP keepalive probes after this much silence, and at this interval')
            [CompletionResult]::new('--user-timeout', '--user-timeout', [CompletionResultType]::ParameterName, 'Give up when the peer''s TCP has acknowledged nothing for this long (Linux); none leaves it to the system (about 15 minutes) [default: for ping three timeouts, at least 30s; otherwise none]')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Source of timestamps: the kernel where available (Linux), else this program')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Connect through this proxy: http://, https://, socks4://, socks5:// or socks5h://, with USER:PASSWORD@ if needed; none ignores HTTP(S)_PROXY, ALL_PROXY and NO_PROXY of the environment')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in FILE (PEM) instead of the system''s (repeatable)')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Client certificate (PEM)')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the client certificate (PEM)')
            [CompletionResult]::new('--server-name', '--server-name', [CompletionResultType]::ParameterName, 'Server name for SNI and certificate verification, instead of the URL''s host')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)')
            [CompletionResult]::new('--trace', '--trace', [CompletionResultType]::ParameterName, 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour')
            [CompletionResult]::new('--no-answer', '--no-answer', [CompletionResultType]::ParameterName, 'Answer nothing: after the opening messages, send no Pong and no message')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept any server certificate; the report says that it was not verified')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any server certificate; the report says that it was not verified')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--compact', '--compact', [CompletionResultType]::ParameterName, 'Print the JSON document on one line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;probe-zombie' {
            [CompletionResult]::new('--max', '--max', [CompletionResultType]::ParameterName, 'Maximum time to wait for the server to close a client')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'Exit 1 if dead clients are not closed as expected: <=60s, <2m, >=30s')
            [CompletionResult]::new('--every', '--every', [CompletionResultType]::ParameterName, 'Interval at which the control connection sends a Ping and a message, and the pings-only client a Ping [default: 1/22 of --max, at least 220ms and at most 4.4s: not a round number, so that it does not coincide with the server''s interval]')
            [CompletionResult]::new('--say', '--say', [CompletionResultType]::ParameterName, 'Message that each client sends once before it falls silent, and the control connection repeats: text with {seq}, {id} and {now_ms}, or hex:c000 for binary [default: a JSON ping, or the preset''s]')
            [CompletionResult]::new('--answer-timeout', '--answer-timeout', [CompletionResultType]::ParameterName, 'Maximum time without any answer to the control connection before it counts as dead (a pause of one second more than --every makes the run inconclusive)')
            [CompletionResult]::new('--app-ping', '--app-ping', [CompletionResultType]::ParameterName, 'Pattern of a further server message that is a heartbeat, besides the known shapes: JSON fields, literal text, or hex:c000')
            [CompletionResult]::new('--app-pong', '--app-pong', [CompletionResultType]::ParameterName, 'Answer to send for --app-ping: text with the {seq}, {id} and {now_ms} of the ping [default: no answer]')
            [CompletionResult]::new('--send', '--send', [CompletionResultType]::ParameterName, 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file and so keeps secrets out of the process list (a final newline is dropped); @@ starts a text with @')
            [CompletionResult]::new('--await', '--await', [CompletionResultType]::ParameterName, 'Wait for a message that matches PATTERN before the first heartbeat')
            [CompletionResult]::new('--await-timeout', '--await-timeout', [CompletionResultType]::ParameterName, 'Maximum time to wait for the --await message [default: 10s]')
            [CompletionResult]::new('--preset', '--preset', [CompletionResultType]::ParameterName, 'Use the heartbeat protocol of a service or library (`wscheck presets` lists them); auto detects it. Other options override the preset')
            [CompletionResult]::new('--framing', '--framing', [CompletionResultType]::ParameterName, 'How messages are packed: message (one each), lines (split at LF or CRLF), records (split at 0x1E) [default: message, or the preset''s]')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one per line (repeatable)')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one per line (repeatable)')
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'Send this Origin header, as a browser does')
            [CompletionResult]::new('--subprotocol', '--subprotocol', [CompletionResultType]::ParameterName, 'Offer a subprotocol (repeatable, most preferred first)')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Credentials for HTTP Basic authentication')
            [CompletionResult]::new('--resolve', '--resolve', [CompletionResultType]::ParameterName, 'Use this address for a host and port instead of DNS; a link-local address needs its interface: fe80::1%eth0 (repeatable)')
            [CompletionResult]::new('--unix-socket', '--unix-socket', [CompletionResultType]::ParameterName, 'Connect to this Unix socket instead of the URL''s host')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Connect to this host and port instead of the URL''s, without a proxy; Host, TLS and the request stay those of the URL')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Local addresses to connect from, in turn; each has some 28000 ports per server address; a link-local address needs its interface: fe80::1%eth0')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Maximum time to open a connection, from DNS to the upgrade')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'Maximum size of a message from the server')
            [CompletionResult]::new('--tcp-keepalive', '--tcp-keepalive', [CompletionResultType]::ParameterName, 'Send TCP keepalive probes after this much silence, and at this interval')
            [CompletionResult]::new('--user-timeout', '--user-timeout', [CompletionResultType]::ParameterName, 'Give up when the peer''s TCP has acknowledged nothing for this long (Linux); none leaves it to the system (about 15 minutes) [default: for ping three timeouts, at least 30s; otherwise none]')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Source of timestamps: the kernel where available (Linux), else this program')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Connect through this proxy: http://, https://, socks4://, socks5:// or socks5h://, with USER:PASSWORD@ if needed; none ignores HTTP(S)_PROXY, ALL_PROXY and NO_PROXY of the environment')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in FILE (PEM) instead of the system''s (repeatable)')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Client certificate (PEM)')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the client certificate (PEM)')
            [CompletionResult]::new('--server-name', '--server-name', [CompletionResultType]::ParameterName, 'Server name for SNI and certificate verification, instead of the URL''s host')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)')
            [CompletionResult]::new('--trace', '--trace', [CompletionResultType]::ParameterName, 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept any server certificate; the report says that it was not verified')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any server certificate; the report says that it was not verified')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--compact', '--compact', [CompletionResultType]::ParameterName, 'Print the JSON document on one line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;exporter' {
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Address and port to listen on; port 0 takes a free one')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file (TOML) with [[target]] and [module.NAME]')
            [CompletionResult]::new('--allow', '--allow', [CompletionResultType]::ParameterName, 'The targets that /probe may probe with the module `websocket`: HOST[:PORT], or ws[s]://HOST[:PORT][/PATH], with * for any text (repeatable)')
            [CompletionResult]::new('--server-name', '--server-name', [CompletionResultType]::ParameterName, 'Also answer requests whose Host is this name, where wscheck listens on loopback: behind a proxy that keeps the Host (repeatable)')
            [CompletionResult]::new('--max-probes', '--max-probes', [CompletionResultType]::ParameterName, 'Maximum number of probes at once')
            [CompletionResult]::new('--basic-auth-file', '--basic-auth-file', [CompletionResultType]::ParameterName, 'Answer only requests with the user name and password in this file: USER:PASSWORD')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Answer only requests with the bearer token in this file')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Serve https with this certificate chain (PEM)')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the certificate (PEM)')
            [CompletionResult]::new('--check-config', '--check-config', [CompletionResultType]::ParameterName, 'Look for mistakes in the configuration and start nothing')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;run' {
            [CompletionResult]::new('--only', '--only', [CompletionResultType]::ParameterName, 'Run only the check of this name (repeatable)')
            [CompletionResult]::new('--max-connections', '--max-connections', [CompletionResultType]::ParameterName, 'The most connections of all checks at once [default: 64, or what the file says]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)')
            [CompletionResult]::new('--trace', '--trace', [CompletionResultType]::ParameterName, 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour')
            [CompletionResult]::new('--list', '--list', [CompletionResultType]::ParameterName, 'List the checks and run none')
            [CompletionResult]::new('--check-config', '--check-config', [CompletionResultType]::ParameterName, 'Look for mistakes in the file and run nothing')
            [CompletionResult]::new('--serial', '--serial', [CompletionResultType]::ParameterName, 'Run one check after another')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--compact', '--compact', [CompletionResultType]::ParameterName, 'Print the JSON document on one line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;demo' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)')
            [CompletionResult]::new('--trace', '--trace', [CompletionResultType]::ParameterName, 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--compact', '--compact', [CompletionResultType]::ParameterName, 'Print the JSON document on one line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;serve' {
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Address to listen on; port 0 takes a free port')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Write the port number to this file once the server listens')
            [CompletionResult]::new('--status-addr', '--status-addr', [CompletionResultType]::ParameterName, 'Serve /clients (JSON) and /metrics (Prometheus text) at this address')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Serve for this long, then print the report; without it the server runs until it is stopped')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'Fail unless this is true of the clients at the end, such as ''reconnects>=1'' or ''reconnect.delay<=2s'' (repeatable; --help lists the metrics)')
            [CompletionResult]::new('--max-clients', '--max-clients', [CompletionResultType]::ParameterName, 'Maximum number of clients; further ones are refused with 503')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'Maximum size of a message, in bytes')
            [CompletionResult]::new('--echo', '--echo', [CompletionResultType]::ParameterName, 'Send each message back to its sender')
            [CompletionResult]::new('--greet', '--greet', [CompletionResultType]::ParameterName, 'Send this message to each client after the upgrade')
            [CompletionResult]::new('--require', '--require', [CompletionResultType]::ParameterName, 'Close a client with 4401 if its first message does not match')
            [CompletionResult]::new('--heartbeat', '--heartbeat', [CompletionResultType]::ParameterName, 'Kind of heartbeat that the server sends')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time between heartbeats; clients are spread over it')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Maximum time to wait for an answer')
            [CompletionResult]::new('--max-missed', '--max-missed', [CompletionResultType]::ParameterName, 'Terminate a client after this number of consecutive missed heartbeats; 0: never')
            [CompletionResult]::new('--any-traffic-counts', '--any-traffic-counts', [CompletionResultType]::ParameterName, 'Accept any frame from the client as a sign of life, not only the answer')
            [CompletionResult]::new('--app-ping', '--app-ping', [CompletionResultType]::ParameterName, 'Message that the server sends as app heartbeat, with {seq} {id} {now_ms}')
            [CompletionResult]::new('--app-pong', '--app-pong', [CompletionResultType]::ParameterName, 'Pattern of the answer')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Write the CA certificate of --tls to this file [default: wscheck-ca.pem]')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Serve wss:// with this certificate chain (PEM)')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the certificate (PEM)')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)')
            [CompletionResult]::new('--trace', '--trace', [CompletionResultType]::ParameterName, 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour')
            [CompletionResult]::new('--fault-share', '--fault-share', [CompletionResultType]::ParameterName, 'Share of the connections that get the faults, as a percentage (20%) or a fraction (0.2)')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Random seed: the same seed gives the same faults')
            [CompletionResult]::new('--delay', '--delay', [CompletionResultType]::ParameterName, 'delay pongs by T; other answers are not delayed')
            [CompletionResult]::new('--jitter', '--jitter', [CompletionResultType]::ParameterName, 'delay each pong by a random time, uniform from 0 to J; or normal:J (half-normal, deviation J), exponential:J (mean J)')
            [CompletionResult]::new('--pong-loss', '--pong-loss', [CompletionResultType]::ParameterName, 'drop this share of the pongs (20% or 0.2); with 20%, one pong of every five, chosen at random')
            [CompletionResult]::new('--supersede', '--supersede', [CompletionResultType]::ParameterName, 'answer only the last of every N pings (default 2), at once: the pongs of the others are dropped (ping counts them as missed)')
            [CompletionResult]::new('--merge-pongs', '--merge-pongs', [CompletionResultType]::ParameterName, 'hold the pings that come within T, then answer only the latest of them, T after it came (ping counts the others as superseded)')
            [CompletionResult]::new('--unsolicited-pong', '--unsolicited-pong', [CompletionResultType]::ParameterName, 'send an unsolicited pong every T')
            [CompletionResult]::new('--stall', '--stall', [CompletionResultType]::ParameterName, 'stop reading and writing at age T, and leave the socket open')
            [CompletionResult]::new('--mute', '--mute', [CompletionResultType]::ParameterName, 'from age T on read everything and answer nothing')
            [CompletionResult]::new('--close-after', '--close-after', [CompletionResultType]::ParameterName, 'send a close frame at age T, code 1000 unless another is given')
            [CompletionResult]::new('--fin-after', '--fin-after', [CompletionResultType]::ParameterName, 'close TCP at age T without a close frame (FIN)')
            [CompletionResult]::new('--rst-after', '--rst-after', [CompletionResultType]::ParameterName, 'reset TCP at age T (RST)')
            [CompletionResult]::new('--half-close', '--half-close', [CompletionResultType]::ParameterName, 'send FIN at age T, and keep reading')
            [CompletionResult]::new('--idle-timeout', '--idle-timeout', [CompletionResultType]::ParameterName, 'cut a connection that was idle for T; with a range, each connection has its own T')
            [CompletionResult]::new('--idle-cut', '--idle-cut', [CompletionResultType]::ParameterName, 'how it is cut: close[:CODE] (1000), fin (default), half-close, rst, silent (stays open, discards everything), rst-on-use (silent, then RST on the next data), mute (reads, sends nothing), stall (stops reading)')
            [CompletionResult]::new('--idle-resets', '--idle-resets', [CompletionResultType]::ParameterName, 'which side''s bytes reset it: either (default), client, server, or both (each direction has its own timer)')
            [CompletionResult]::new('--linger', '--linger', [CompletionResultType]::ParameterName, 'at the idle timeout start to discard everything, and cut the connection T later')
            [CompletionResult]::new('--lifetime', '--lifetime', [CompletionResultType]::ParameterName, 'cut every connection at age T, however active; cuts as for --idle-cut')
            [CompletionResult]::new('--chatter', '--chatter', [CompletionResultType]::ParameterName, 'send a message every T')
            [CompletionResult]::new('--ping-flood', '--ping-flood', [CompletionResultType]::ParameterName, 'send RATE pings a second (default 1000)')
            [CompletionResult]::new('--refuse', '--refuse', [CompletionResultType]::ParameterName, 'answer the upgrade with this HTTP status')
            [CompletionResult]::new('--redirect', '--redirect', [CompletionResultType]::ParameterName, 'answer the upgrade with 302 and this Location')
            [CompletionResult]::new('--slow-upgrade', '--slow-upgrade', [CompletionResultType]::ParameterName, 'delay the upgrade response by T')
            [CompletionResult]::new('--trickle', '--trickle', [CompletionResultType]::ParameterName, 'after the upgrade send only one byte every T (default 1s)')
            [CompletionResult]::new('--tell-health', '--tell-health', [CompletionResultType]::ParameterName, 'Send each client its health_status when it changes')
            [CompletionResult]::new('--skip-if-active', '--skip-if-active', [CompletionResultType]::ParameterName, 'Postpone the heartbeat of an active client to 1 to 1.5 intervals after its last message')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Serve wss:// with a new self-signed certificate')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--compact', '--compact', [CompletionResultType]::ParameterName, 'Print the JSON document on one line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('--list-faults', '--list-faults', [CompletionResultType]::ParameterName, 'List the faults and exit')
            [CompletionResult]::new('--wrong-payload', '--wrong-payload', [CompletionResultType]::ParameterName, 'answer pings with a wrong payload')
            [CompletionResult]::new('--duplicate-pongs', '--duplicate-pongs', [CompletionResultType]::ParameterName, 'answer each ping twice')
            [CompletionResult]::new('--messages-only', '--messages-only', [CompletionResultType]::ParameterName, 'pings and pongs do not reset the idle timeout, only messages do')
            [CompletionResult]::new('--wrong-accept', '--wrong-accept', [CompletionResultType]::ParameterName, 'answer the upgrade with a wrong Sec-WebSocket-Accept')
            [CompletionResult]::new('--endless-header', '--endless-header', [CompletionResultType]::ParameterName, 'answer the upgrade with a header that never ends')
            [CompletionResult]::new('--lenient-upgrade', '--lenient-upgrade', [CompletionResultType]::ParameterName, 'also accept upgrades in HTTP/1.0 or without a Host header (RFC 6455 4.2.1 forbids both)')
            [CompletionResult]::new('--garbage', '--garbage', [CompletionResultType]::ParameterName, 'send bytes that are not WebSocket frames right after the upgrade')
            [CompletionResult]::new('--huge-frame', '--huge-frame', [CompletionResultType]::ParameterName, 'send the head of a frame that claims 2^62 bytes right after the upgrade')
            [CompletionResult]::new('--masked-frame', '--masked-frame', [CompletionResultType]::ParameterName, 'send a masked frame right after the upgrade (a server must not mask)')
            [CompletionResult]::new('--invalid-utf8', '--invalid-utf8', [CompletionResultType]::ParameterName, 'send a text message that is not UTF-8 right after the upgrade')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;test-client' {
            [CompletionResult]::new('--fault', '--fault', [CompletionResultType]::ParameterName, 'Test against this fault (repeatable)')
            [CompletionResult]::new('--after', '--after', [CompletionResultType]::ParameterName, 'Age of a connection at which its fault begins; the delay of slow-upgrade')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Maximum time for one fault; a test ends earlier when the client has come back and answered a ping, or exits')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'Fail unless this is true of the client, such as ''noticed<=10s'' (repeatable); it replaces the fault''s own criteria about the same metric and adds to the others (--help lists both)')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time between the server''s pings')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Maximum time for the client to answer a ping')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file and then writes to stderr)')
            [CompletionResult]::new('--trace', '--trace', [CompletionResultType]::ParameterName, 'Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour')
            [CompletionResult]::new('--matrix', '--matrix', [CompletionResultType]::ParameterName, 'Test against every fault')
            [CompletionResult]::new('--one-at-a-time', '--one-at-a-time', [CompletionResultType]::ParameterName, 'Test one fault after another instead of side by side')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--compact', '--compact', [CompletionResultType]::ParameterName, 'Print the JSON document on one line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the report, no live lines; of several targets only the table and the result')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also print what the other end sends, and the details of each of several targets')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;report' {
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'Exit 1 if the status of the whole is this or worse, whatever the runs were told')
            [CompletionResult]::new('--fail-if', '--fail-if', [CompletionResultType]::ParameterName, 'Exit 1 if this expression is true of the whole: rtt.p95>200ms, loss>1% (repeatable; instead of those of the runs)')
            [CompletionResult]::new('--crit', '--crit', [CompletionResultType]::ParameterName, 'Exit 1 if this expression is true of the whole: rtt.p95>200ms, loss>1% (repeatable; instead of those of the runs)')
            [CompletionResult]::new('--warn', '--warn', [CompletionResultType]::ParameterName, 'Show a warning if this expression is true of the whole, but do not fail (repeatable; instead of those of the runs)')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Also write the report in this format to a file: junit=wscheck.xml (repeatable)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--compact', '--compact', [CompletionResultType]::ParameterName, 'Print the JSON document on one line')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print the details of each of several targets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print the details of each of several targets')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;compare' {
            [CompletionResult]::new('--fail-if', '--fail-if', [CompletionResultType]::ParameterName, 'Exit 1 if a figure changed by more than this: rtt.p95>+20%, sent<-10% (repeatable). A change that chance may explain is inconclusive (exit 4)')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document at the end (json), one event per line with the document last (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin''s output and exit codes), prometheus (text format)')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Also write the report in this format to a file: junit=wscheck.xml (repeatable)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--compact', '--compact', [CompletionResultType]::ParameterName, 'Print the JSON document on one line')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print the details of each of several targets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print the details of each of several targets')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;timeouts' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document (json), or one entry per line with the document last (ndjson)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document (json), or one entry per line with the document last (ndjson)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;presets' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document (json), or one entry per line with the document last (ndjson)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document (json), or one entry per line with the document last (ndjson)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;products' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document (json), or one entry per line with the document last (ndjson)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format on stdout: text (human), one document (json), or one entry per line with the document last (ndjson)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;schema' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;man' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;help' {
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Find out what is wrong with an endpoint, at which hop, and what to change; `wscheck URL` alone is a quick one')
            [CompletionResult]::new('ping', 'ping', [CompletionResultType]::ParameterValue, 'Measure a connection: RTT, jitter, unanswered heartbeats and status')
            [CompletionResult]::new('probe-idle', 'probe-idle', [CompletionResultType]::ParameterValue, 'Find the idle timeout of a path, what cuts the connection, and what keeps it open')
            [CompletionResult]::new('listen', 'listen', [CompletionResultType]::ParameterValue, 'Observe the heartbeats that the server sends by itself: kind, interval, timer')
            [CompletionResult]::new('probe-zombie', 'probe-zombie', [CompletionResultType]::ParameterValue, 'Measure how long the server keeps dead clients, and how it detects them')
            [CompletionResult]::new('exporter', 'exporter', [CompletionResultType]::ParameterValue, 'Serve metrics to Prometheus: of connections that are kept, and of probes (/probe as blackbox_exporter has it)')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run the checks of a file (wscheck.toml), side by side, and report on all of them')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Run `ping` against a test server inside this process (about five seconds)')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run a test server that misbehaves on request, to test a client')
            [CompletionResult]::new('test-client', 'test-client', [CompletionResultType]::ParameterValue, 'Run your client against a test server that misbehaves, and judge what it does')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Show an archived run (JSON or NDJSON) in any format, or several runs of ping as one')
            [CompletionResult]::new('compare', 'compare', [CompletionResultType]::ParameterValue, 'Compare two archived runs, figure by figure, and tell changes from chance')
            [CompletionResult]::new('timeouts', 'timeouts', [CompletionResultType]::ParameterValue, 'List known timeouts of proxies, clouds, NATs and servers, and how to change them')
            [CompletionResult]::new('presets', 'presets', [CompletionResultType]::ParameterValue, 'List the heartbeat protocols of services and libraries')
            [CompletionResult]::new('products', 'products', [CompletionResultType]::ParameterValue, 'List known products and services: their heartbeats, their timeouts, and how they treat dead clients')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of the -o json and -o ndjson output, or of a file of checks')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print shell completions')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page (roff) of wscheck or of one command')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'wscheck;help;doctor' {
            break
        }
        'wscheck;help;ping' {
            break
        }
        'wscheck;help;probe-idle' {
            break
        }
        'wscheck;help;listen' {
            break
        }
        'wscheck;help;probe-zombie' {
            break
        }
        'wscheck;help;exporter' {
            break
        }
        'wscheck;help;run' {
            break
        }
        'wscheck;help;demo' {
            break
        }
        'wscheck;help;serve' {
            break
        }
        'wscheck;help;test-client' {
            break
        }
        'wscheck;help;report' {
            break
        }
        'wscheck;help;compare' {
            break
        }
        'wscheck;help;timeouts' {
            break
        }
        'wscheck;help;presets' {
            break
        }
        'wscheck;help;products' {
            break
        }
        'wscheck;help;schema' {
            break
        }
        'wscheck;help;completions' {
            break
        }
        'wscheck;help;man' {
            break
        }
        'wscheck;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
