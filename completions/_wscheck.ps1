
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
            [CompletionResult]::new('ping', 'ping', [CompletionResultType]::ParameterValue, 'Is this path healthy: how fast, how steady, how many heartbeats go unanswered?')
            [CompletionResult]::new('probe-idle', 'probe-idle', [CompletionResultType]::ParameterValue, 'How long may this path be idle before something cuts it, what cuts it, and what keeps it open?')
            [CompletionResult]::new('listen', 'listen', [CompletionResultType]::ParameterValue, 'Does the server send heartbeats of its own: which kind, how often, counted from what?')
            [CompletionResult]::new('probe-zombie', 'probe-zombie', [CompletionResultType]::ParameterValue, 'How long does the server keep a dead client, and how does it find out?')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Show what `ping` does, on a test server inside this process (about five seconds)')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Does my client cope with a slow, lossy, silent or closing server? A server that misbehaves on order')
            [CompletionResult]::new('timeouts', 'timeouts', [CompletionResultType]::ParameterValue, 'Which proxies, clouds, NATs and servers cut connections: when, how, what resets them, what to change')
            [CompletionResult]::new('presets', 'presets', [CompletionResultType]::ParameterValue, 'How services and libraries speak heartbeats: what to ask, what answers, what must not be sent')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of everything that -o json and -o ndjson print')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completions for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page (roff) of wscheck or of one of its commands')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'wscheck;ping' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Connections to each URL')
            [CompletionResult]::new('--connections', '--connections', [CompletionResultType]::ParameterName, 'Connections to each URL')
            [CompletionResult]::new('--ramp', '--ramp', [CompletionResultType]::ParameterName, 'Open connections at this rate (500/s, 1000/m), or all of them within this time (20s); without it, as fast as 64 at a time can be')
            [CompletionResult]::new('--worst', '--worst', [CompletionResultType]::ParameterName, 'Of more than 10 connections, list so many that fared worst')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Heartbeats of each kind on each connection; without it, until Ctrl-C')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Heartbeats of each kind on each connection; without it, until Ctrl-C')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'End the whole run after this; app answers without an id are then waited for, up to the timeout')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'End the whole run after this; app answers without an id are then waited for, up to the timeout')
            [CompletionResult]::new('--heartbeat', '--heartbeat', [CompletionResultType]::ParameterName, 'Which heartbeats to run [default: protocol, or app with a preset that has an answer]')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Time between heartbeats of a kind on a connection (500ms, 1m30s; plain numbers are seconds) [default: 1s, or the preset''s]')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time between heartbeats of a kind on a connection (500ms, 1m30s; plain numbers are seconds) [default: 1s, or the preset''s]')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'How long an answer may take; what comes later is late, what never comes is missed [default: 10s, or the preset''s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long an answer may take; what comes later is late, what never comes is missed [default: 10s, or the preset''s]')
            [CompletionResult]::new('--app-ping', '--app-ping', [CompletionResultType]::ParameterName, 'The app heartbeat''s ask: text with {seq}, {seq1}, {id}, {now_ms} and {now_s}; text:PING\n has escapes, binary:PING is a binary message, hex:c000 bytes')
            [CompletionResult]::new('--app-pong', '--app-pong', [CompletionResultType]::ParameterName, 'What answers it: JSON fields a message must contain, also behind a prefix (42["pong"]); literal text; text:, binary: and hex: as in --app-ping, ? and * for open bytes; {any} for anything (repeatable: any of them)')
            [CompletionResult]::new('--send', '--send', [CompletionResultType]::ParameterName, 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file, which keeps secrets out of the process list (one newline at its end is not sent), @@ begins a text with @')
            [CompletionResult]::new('--await', '--await', [CompletionResultType]::ParameterName, 'Begin heartbeats only when a message matching PATTERN has come')
            [CompletionResult]::new('--await-timeout', '--await-timeout', [CompletionResultType]::ParameterName, 'How long the awaited message may take [default: 10s]')
            [CompletionResult]::new('--preset', '--preset', [CompletionResultType]::ParameterName, 'Speak as this service or library does: hello, subprotocol, query, framing, ask and answer, intervals (`wscheck presets` lists them); auto finds out what the server seems to speak. What else is said on the command line holds')
            [CompletionResult]::new('--framing', '--framing', [CompletionResultType]::ParameterName, 'What one message may hold: message (one thing), lines (LF or CRLF), records (0x1E) [default: message, or the preset''s]')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one a line (repeatable)')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one a line (repeatable)')
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'The Origin header, as a browser would send it')
            [CompletionResult]::new('--subprotocol', '--subprotocol', [CompletionResultType]::ParameterName, 'Offer a subprotocol (repeatable, in order of preference)')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Credentials for HTTP Basic authentication')
            [CompletionResult]::new('--resolve', '--resolve', [CompletionResultType]::ParameterName, 'Use this address for a host and port instead of asking the resolver; a link-local one with its network interface: fe80::1%eth0 (repeatable)')
            [CompletionResult]::new('--unix-socket', '--unix-socket', [CompletionResultType]::ParameterName, 'Connect to a Unix socket, whatever the URL''s host')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'The local addresses to connect from, in turn: one has some 28000 ports towards one server')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long the opening may take, from the name to the upgrade')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'The largest message accepted from the server')
            [CompletionResult]::new('--tcp-keepalive', '--tcp-keepalive', [CompletionResultType]::ParameterName, 'Send TCP keepalive probes after so much silence, and as often')
            [CompletionResult]::new('--user-timeout', '--user-timeout', [CompletionResultType]::ParameterName, 'Give a connection up whose peer has not acknowledged anything for so long; none leaves that to the system, which takes a quarter of an hour')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Who stamps what leaves and arrives; auto: the kernel as far as it does (Linux)')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'http://, https://, socks4://, socks5:// or socks5h:// proxy, with USER:PASSWORD@ where it wants them; none ignores the environment''s HTTP(S)_PROXY, ALL_PROXY and NO_PROXY')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in FILE (PEM) instead of the system''s (repeatable)')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Our certificate (PEM), for servers that ask for one')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Its private key (PEM)')
            [CompletionResult]::new('--server-name', '--server-name', [CompletionResultType]::ParameterName, 'The name to ask for (SNI) and to verify, instead of the URL''s host')
            [CompletionResult]::new('--reconnect-base', '--reconnect-base', [CompletionResultType]::ParameterName, 'Backoff before the first attempt; it doubles with each, and a random share of it is waited [default: 500ms]')
            [CompletionResult]::new('--reconnect-cap', '--reconnect-cap', [CompletionResultType]::ParameterName, 'The longest backoff [default: 30s]')
            [CompletionResult]::new('--reconnect-attempts', '--reconnect-attempts', [CompletionResultType]::ParameterName, 'Attempts in a row, with no connection that lasted, before giving up [default: 10]')
            [CompletionResult]::new('--reconnect-reset-after', '--reconnect-reset-after', [CompletionResultType]::ParameterName, 'A connection lasted if it was open for this long and a heartbeat was answered on it; only then backoff and attempts start again [default: 5s]')
            [CompletionResult]::new('--healthy', '--healthy', [CompletionResultType]::ParameterName, 'Healthy up to this mean RTT: of all answered heartbeats for the run, of the window in live lines')
            [CompletionResult]::new('--degraded', '--degraded', [CompletionResultType]::ParameterName, 'Degraded up to this')
            [CompletionResult]::new('--poor', '--poor', [CompletionResultType]::ParameterName, 'Poor up to this, critical above')
            [CompletionResult]::new('--dead-after', '--dead-after', [CompletionResultType]::ParameterName, 'Dead after this many heartbeats missed in a row, with no answer since')
            [CompletionResult]::new('--timeout-after', '--timeout-after', [CompletionResultType]::ParameterName, 'A run is timeout if it ends with this many heartbeats missed in a row')
            [CompletionResult]::new('--poor-loss', '--poor-loss', [CompletionResultType]::ParameterName, 'A run with more loss than this is at least poor; one missed heartbeat makes it degraded')
            [CompletionResult]::new('--critical-loss', '--critical-loss', [CompletionResultType]::ParameterName, 'A run with more loss than this is at least critical')
            [CompletionResult]::new('--loss-min-missed', '--loss-min-missed', [CompletionResultType]::ParameterName, 'Loss makes a run poor or critical only if this many heartbeats or more were missed')
            [CompletionResult]::new('--window', '--window', [CompletionResultType]::ParameterName, 'Answered heartbeats in the rolling window of live lines')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'Exit 1 when the status of the run is this or worse: healthy degraded poor critical timeout dead')
            [CompletionResult]::new('--fail-if', '--fail-if', [CompletionResultType]::ParameterName, 'Exit 1 when this is true: rtt.p95>200ms, loss>1%, jitter>20ms, tls.days_left<14 (repeatable)')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--adaptive', '--adaptive', [CompletionResultType]::ParameterName, 'Send the next heartbeat as soon as the last was answered, in place of an interval (as ping -A)')
            [CompletionResult]::new('--no-answer', '--no-answer', [CompletionResultType]::ParameterName, 'Leave the server''s own app pings unanswered')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept any certificate; the report says that it was not verified')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any certificate; the report says that it was not verified')
            [CompletionResult]::new('--reconnect', '--reconnect', [CompletionResultType]::ParameterName, 'Open a connection again when it was lost (a first opening that fails is not repeated)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only the summary, no line per heartbeat')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only the summary, no line per heartbeat')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;probe-idle' {
            [CompletionResult]::new('--min', '--min', [CompletionResultType]::ParameterName, 'The shortest silence that is tried')
            [CompletionResult]::new('--max', '--max', [CompletionResultType]::ParameterName, 'The longest silence that is tried; the whole search takes at most four times as long, and some time for answers; longer with fewer than 13 connections, or with bisect')
            [CompletionResult]::new('--precision', '--precision', [CompletionResultType]::ParameterName, 'How narrow the bracket must become, as a time or as a part of it (500ms, 2%) [default: 1 s or 2 %, whichever is larger]')
            [CompletionResult]::new('--strategy', '--strategy', [CompletionResultType]::ParameterName, 'How the bracket is narrowed: many silences at once (parallel), or the classical binary search, one at a time (bisect)')
            [CompletionResult]::new('--repeat', '--repeat', [CompletionResultType]::ParameterName, 'How many samples make an end certain; one is an anecdote')
            [CompletionResult]::new('--max-connections', '--max-connections', [CompletionResultType]::ParameterName, 'Connections at once, at most; in all there are at most twelve times as many (120 at least), one for each silence that is tried first, and 30')
            [CompletionResult]::new('--answer-timeout', '--answer-timeout', [CompletionResultType]::ParameterName, 'How long an answer may take; then the connection is taken for dead')
            [CompletionResult]::new('--heartbeat', '--heartbeat', [CompletionResultType]::ParameterName, 'What a connection is asked after its silence, and the control all the time [default: protocol, or app with a preset that has an answer]')
            [CompletionResult]::new('--app-ping', '--app-ping', [CompletionResultType]::ParameterName, 'The app heartbeat''s ask: text with {seq}, {seq1}, {id}, {now_ms} and {now_s}; text:PING\n has escapes, binary:PING is a binary message, hex:c000 bytes')
            [CompletionResult]::new('--app-pong', '--app-pong', [CompletionResultType]::ParameterName, 'What answers it: JSON fields a message must contain, also behind a prefix (42["pong"]); literal text; text:, binary: and hex: as in --app-ping, ? and * for open bytes; {any} for anything (repeatable: any of them)')
            [CompletionResult]::new('--send', '--send', [CompletionResultType]::ParameterName, 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file, which keeps secrets out of the process list (one newline at its end is not sent), @@ begins a text with @')
            [CompletionResult]::new('--await', '--await', [CompletionResultType]::ParameterName, 'Begin heartbeats only when a message matching PATTERN has come')
            [CompletionResult]::new('--await-timeout', '--await-timeout', [CompletionResultType]::ParameterName, 'How long the awaited message may take [default: 10s]')
            [CompletionResult]::new('--preset', '--preset', [CompletionResultType]::ParameterName, 'Speak as this service or library does: hello, subprotocol, query, framing, ask and answer, intervals (`wscheck presets` lists them); auto finds out what the server seems to speak. What else is said on the command line holds')
            [CompletionResult]::new('--framing', '--framing', [CompletionResultType]::ParameterName, 'What one message may hold: message (one thing), lines (LF or CRLF), records (0x1E) [default: message, or the preset''s]')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'Exit 1 when the timeout is not as expected: >=55s, >1m, <=10m, <1h')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one a line (repeatable)')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one a line (repeatable)')
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'The Origin header, as a browser would send it')
            [CompletionResult]::new('--subprotocol', '--subprotocol', [CompletionResultType]::ParameterName, 'Offer a subprotocol (repeatable, in order of preference)')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Credentials for HTTP Basic authentication')
            [CompletionResult]::new('--resolve', '--resolve', [CompletionResultType]::ParameterName, 'Use this address for a host and port instead of asking the resolver; a link-local one with its network interface: fe80::1%eth0 (repeatable)')
            [CompletionResult]::new('--unix-socket', '--unix-socket', [CompletionResultType]::ParameterName, 'Connect to a Unix socket, whatever the URL''s host')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'The local addresses to connect from, in turn: one has some 28000 ports towards one server')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long the opening may take, from the name to the upgrade')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'The largest message accepted from the server')
            [CompletionResult]::new('--tcp-keepalive', '--tcp-keepalive', [CompletionResultType]::ParameterName, 'Send TCP keepalive probes after so much silence, and as often')
            [CompletionResult]::new('--user-timeout', '--user-timeout', [CompletionResultType]::ParameterName, 'Give a connection up whose peer has not acknowledged anything for so long; none leaves that to the system, which takes a quarter of an hour')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Who stamps what leaves and arrives; auto: the kernel as far as it does (Linux)')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'http://, https://, socks4://, socks5:// or socks5h:// proxy, with USER:PASSWORD@ where it wants them; none ignores the environment''s HTTP(S)_PROXY, ALL_PROXY and NO_PROXY')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in FILE (PEM) instead of the system''s (repeatable)')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Our certificate (PEM), for servers that ask for one')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Its private key (PEM)')
            [CompletionResult]::new('--server-name', '--server-name', [CompletionResultType]::ParameterName, 'The name to ask for (SNI) and to verify, instead of the URL''s host')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--two-ended', '--two-ended', [CompletionResultType]::ParameterName, 'Have the server speak first after the silence, which tells in which direction the path is cut; the server must be `wscheck serve`')
            [CompletionResult]::new('--allow-messages', '--allow-messages', [CompletionResultType]::ParameterName, 'Allow ordinary text messages where no app heartbeat is known: when connections that send Ping frames end at a certain age, a further one sends messages too, which tells a lifetime from a timer that only messages reset')
            [CompletionResult]::new('--no-answer', '--no-answer', [CompletionResultType]::ParameterName, 'Leave the server''s own app pings unanswered')
            [CompletionResult]::new('--refresh', '--refresh', [CompletionResultType]::ParameterName, 'Try what keeps the path open: Ping frames, unsolicited Pongs, TCP keepalive, app messages')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Hold a connection at the prescribed interval past two timeouts')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept any certificate; the report says that it was not verified')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any certificate; the report says that it was not verified')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only the summary, no line per heartbeat')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only the summary, no line per heartbeat')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;listen' {
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Listen for so long; an interval is borne out by three heartbeats, or by two if the first came as long after the opening')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Or until so many heartbeats of one kind were heard')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Or until so many heartbeats of one kind were heard')
            [CompletionResult]::new('--talk', '--talk', [CompletionResultType]::ParameterName, 'Say something between heartbeats, once the interval is known, and see whether that moves them')
            [CompletionResult]::new('--app-ping', '--app-ping', [CompletionResultType]::ParameterName, 'A message of the server''s that matches is its heartbeat too, besides the known shapes: JSON fields, literal text, or hex:c000')
            [CompletionResult]::new('--app-pong', '--app-pong', [CompletionResultType]::ParameterName, 'What answers it: text with the ping''s own {seq}, {id} and {now_ms}; without, it is not answered')
            [CompletionResult]::new('--send', '--send', [CompletionResultType]::ParameterName, 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file, which keeps secrets out of the process list (one newline at its end is not sent), @@ begins a text with @')
            [CompletionResult]::new('--await', '--await', [CompletionResultType]::ParameterName, 'Begin heartbeats only when a message matching PATTERN has come')
            [CompletionResult]::new('--await-timeout', '--await-timeout', [CompletionResultType]::ParameterName, 'How long the awaited message may take [default: 10s]')
            [CompletionResult]::new('--preset', '--preset', [CompletionResultType]::ParameterName, 'Speak as this service or library does: hello, subprotocol, query, framing, ask and answer, intervals (`wscheck presets` lists them); auto finds out what the server seems to speak. What else is said on the command line holds')
            [CompletionResult]::new('--framing', '--framing', [CompletionResultType]::ParameterName, 'What one message may hold: message (one thing), lines (LF or CRLF), records (0x1E) [default: message, or the preset''s]')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one a line (repeatable)')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one a line (repeatable)')
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'The Origin header, as a browser would send it')
            [CompletionResult]::new('--subprotocol', '--subprotocol', [CompletionResultType]::ParameterName, 'Offer a subprotocol (repeatable, in order of preference)')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Credentials for HTTP Basic authentication')
            [CompletionResult]::new('--resolve', '--resolve', [CompletionResultType]::ParameterName, 'Use this address for a host and port instead of asking the resolver; a link-local one with its network interface: fe80::1%eth0 (repeatable)')
            [CompletionResult]::new('--unix-socket', '--unix-socket', [CompletionResultType]::ParameterName, 'Connect to a Unix socket, whatever the URL''s host')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'The local addresses to connect from, in turn: one has some 28000 ports towards one server')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long the opening may take, from the name to the upgrade')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'The largest message accepted from the server')
            [CompletionResult]::new('--tcp-keepalive', '--tcp-keepalive', [CompletionResultType]::ParameterName, 'Send TCP keepalive probes after so much silence, and as often')
            [CompletionResult]::new('--user-timeout', '--user-timeout', [CompletionResultType]::ParameterName, 'Give a connection up whose peer has not acknowledged anything for so long; none leaves that to the system, which takes a quarter of an hour')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Who stamps what leaves and arrives; auto: the kernel as far as it does (Linux)')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'http://, https://, socks4://, socks5:// or socks5h:// proxy, with USER:PASSWORD@ where it wants them; none ignores the environment''s HTTP(S)_PROXY, ALL_PROXY and NO_PROXY')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in FILE (PEM) instead of the system''s (repeatable)')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Our certificate (PEM), for servers that ask for one')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Its private key (PEM)')
            [CompletionResult]::new('--server-name', '--server-name', [CompletionResultType]::ParameterName, 'The name to ask for (SNI) and to verify, instead of the URL''s host')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--no-answer', '--no-answer', [CompletionResultType]::ParameterName, 'Answer nothing: once greeted, no Pong leaves this machine, and no message')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept any certificate; the report says that it was not verified')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any certificate; the report says that it was not verified')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only the summary, no line per heartbeat')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only the summary, no line per heartbeat')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;probe-zombie' {
            [CompletionResult]::new('--max', '--max', [CompletionResultType]::ParameterName, 'Wait for so long at most until the server lets go of a client')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'Exit 1 when dead clients are not let go as expected: <=60s, <2m, >=30s')
            [CompletionResult]::new('--every', '--every', [CompletionResultType]::ParameterName, 'How often the control sends a Ping and a message, and the client of Pings only a Ping [default: a 22nd of --max, 220ms at least and 4.4s at most: no round number, for those are the servers'']')
            [CompletionResult]::new('--say', '--say', [CompletionResultType]::ParameterName, 'What each client says by a message once before it falls silent, and the control all the while: text with {seq}, {id} and {now_ms}, or hex:c000 for binary [default: a JSON ping, or what the preset says]')
            [CompletionResult]::new('--answer-timeout', '--answer-timeout', [CompletionResultType]::ParameterName, 'How long the control may go without a sign of life before it counts as dead (answers that then pause for a second longer than --every make the run inconclusive)')
            [CompletionResult]::new('--app-ping', '--app-ping', [CompletionResultType]::ParameterName, 'A message of the server''s that matches is its heartbeat too, besides the known shapes: JSON fields, literal text, or hex:c000')
            [CompletionResult]::new('--app-pong', '--app-pong', [CompletionResultType]::ParameterName, 'What answers it: text with the ping''s own {seq}, {id} and {now_ms}; without, it is not answered')
            [CompletionResult]::new('--send', '--send', [CompletionResultType]::ParameterName, 'Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a file, which keeps secrets out of the process list (one newline at its end is not sent), @@ begins a text with @')
            [CompletionResult]::new('--await', '--await', [CompletionResultType]::ParameterName, 'Begin heartbeats only when a message matching PATTERN has come')
            [CompletionResult]::new('--await-timeout', '--await-timeout', [CompletionResultType]::ParameterName, 'How long the awaited message may take [default: 10s]')
            [CompletionResult]::new('--preset', '--preset', [CompletionResultType]::ParameterName, 'Speak as this service or library does: hello, subprotocol, query, framing, ask and answer, intervals (`wscheck presets` lists them); auto finds out what the server seems to speak. What else is said on the command line holds')
            [CompletionResult]::new('--framing', '--framing', [CompletionResultType]::ParameterName, 'What one message may hold: message (one thing), lines (LF or CRLF), records (0x1E) [default: message, or the preset''s]')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one a line (repeatable)')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add a request header; @FILE reads one a line (repeatable)')
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'The Origin header, as a browser would send it')
            [CompletionResult]::new('--subprotocol', '--subprotocol', [CompletionResultType]::ParameterName, 'Offer a subprotocol (repeatable, in order of preference)')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Credentials for HTTP Basic authentication')
            [CompletionResult]::new('--resolve', '--resolve', [CompletionResultType]::ParameterName, 'Use this address for a host and port instead of asking the resolver; a link-local one with its network interface: fe80::1%eth0 (repeatable)')
            [CompletionResult]::new('--unix-socket', '--unix-socket', [CompletionResultType]::ParameterName, 'Connect to a Unix socket, whatever the URL''s host')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'The local addresses to connect from, in turn: one has some 28000 ports towards one server')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long the opening may take, from the name to the upgrade')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'The largest message accepted from the server')
            [CompletionResult]::new('--tcp-keepalive', '--tcp-keepalive', [CompletionResultType]::ParameterName, 'Send TCP keepalive probes after so much silence, and as often')
            [CompletionResult]::new('--user-timeout', '--user-timeout', [CompletionResultType]::ParameterName, 'Give a connection up whose peer has not acknowledged anything for so long; none leaves that to the system, which takes a quarter of an hour')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Who stamps what leaves and arrives; auto: the kernel as far as it does (Linux)')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'http://, https://, socks4://, socks5:// or socks5h:// proxy, with USER:PASSWORD@ where it wants them; none ignores the environment''s HTTP(S)_PROXY, ALL_PROXY and NO_PROXY')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in FILE (PEM) instead of the system''s (repeatable)')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Our certificate (PEM), for servers that ask for one')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Its private key (PEM)')
            [CompletionResult]::new('--server-name', '--server-name', [CompletionResultType]::ParameterName, 'The name to ask for (SNI) and to verify, instead of the URL''s host')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 addresses only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 addresses only')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept any certificate; the report says that it was not verified')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any certificate; the report says that it was not verified')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only the summary, no line per heartbeat')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only the summary, no line per heartbeat')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;demo' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only the summary, no line per heartbeat')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only the summary, no line per heartbeat')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;serve' {
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Where to listen; port 0 takes a free one')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Write the port''s number to this file, once the server listens')
            [CompletionResult]::new('--status-addr', '--status-addr', [CompletionResultType]::ParameterName, 'Show the clients as JSON at /clients and Prometheus text at /metrics, here')
            [CompletionResult]::new('--max-clients', '--max-clients', [CompletionResultType]::ParameterName, 'More clients than these are answered 503')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'The most bytes of a message')
            [CompletionResult]::new('--echo', '--echo', [CompletionResultType]::ParameterName, 'Send messages back to who sent them')
            [CompletionResult]::new('--greet', '--greet', [CompletionResultType]::ParameterName, 'Send this message to each client as soon as it is there')
            [CompletionResult]::new('--require', '--require', [CompletionResultType]::ParameterName, 'Close a client with 4401 whose first message does not match')
            [CompletionResult]::new('--heartbeat', '--heartbeat', [CompletionResultType]::ParameterName, 'Which heartbeats the server sends')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'From one heartbeat to the next; clients are spread over it')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long an answer may take')
            [CompletionResult]::new('--max-missed', '--max-missed', [CompletionResultType]::ParameterName, 'Terminate a client that misses so many in a row; 0: never')
            [CompletionResult]::new('--any-traffic-counts', '--any-traffic-counts', [CompletionResultType]::ParameterName, 'Any frame from the client proves it alive, not only the answer')
            [CompletionResult]::new('--app-ping', '--app-ping', [CompletionResultType]::ParameterName, 'What the server asks by app heartbeats, with {seq} {id} {now_ms}')
            [CompletionResult]::new('--app-pong', '--app-pong', [CompletionResultType]::ParameterName, 'What answers it')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Where the certificate to trust is written with --tls')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Serve wss:// with this certificate chain (PEM)')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'The certificate''s private key (PEM)')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the result is printed on stdout: for people (human), as one document at the end (json), or as one event a line, the document last (ndjson)')
            [CompletionResult]::new('--fault-share', '--fault-share', [CompletionResultType]::ParameterName, 'The share of the connections that the faults happen to')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Where randomness begins: the same seed gives the same faults')
            [CompletionResult]::new('--delay', '--delay', [CompletionResultType]::ParameterName, 'answer pings T late; other answers do not wait for it')
            [CompletionResult]::new('--jitter', '--jitter', [CompletionResultType]::ParameterName, 'add a random delay, uniform from 0 to J; or normal:J (half-normal, deviation J), exponential:J (mean J)')
            [CompletionResult]::new('--pong-loss', '--pong-loss', [CompletionResultType]::ParameterName, 'drop this share of the pongs, spread evenly: with 20%, a random one of every five')
            [CompletionResult]::new('--supersede', '--supersede', [CompletionResultType]::ParameterName, 'answer only the last of every N pings, at once: the pongs of the others are dropped (ping counts them as missed)')
            [CompletionResult]::new('--merge-pongs', '--merge-pongs', [CompletionResultType]::ParameterName, 'hold the pings that come within T, then answer only the latest of them, T after it came (ping counts the others as superseded)')
            [CompletionResult]::new('--unsolicited-pong', '--unsolicited-pong', [CompletionResultType]::ParameterName, 'send a pong that nobody asked for every T')
            [CompletionResult]::new('--stall', '--stall', [CompletionResultType]::ParameterName, 'stop reading and writing at age T, and leave the socket open')
            [CompletionResult]::new('--mute', '--mute', [CompletionResultType]::ParameterName, 'from age T on read everything and answer nothing')
            [CompletionResult]::new('--close-after', '--close-after', [CompletionResultType]::ParameterName, 'send a close frame at age T, code 1000 unless another is given')
            [CompletionResult]::new('--fin-after', '--fin-after', [CompletionResultType]::ParameterName, 'close TCP at age T without a close frame (FIN)')
            [CompletionResult]::new('--rst-after', '--rst-after', [CompletionResultType]::ParameterName, 'reset TCP at age T (RST)')
            [CompletionResult]::new('--half-close', '--half-close', [CompletionResultType]::ParameterName, 'send FIN at age T, and go on taking what the client sends')
            [CompletionResult]::new('--idle-timeout', '--idle-timeout', [CompletionResultType]::ParameterName, 'cut a connection that was idle for T; with a range, each connection has its own T')
            [CompletionResult]::new('--idle-cut', '--idle-cut', [CompletionResultType]::ParameterName, 'how it is cut: close[:CODE], fin (default), half-close, rst, silent (stays open, swallows everything), rst-on-use')
            [CompletionResult]::new('--idle-resets', '--idle-resets', [CompletionResultType]::ParameterName, 'whose bytes keep it alive: either (default), client, server, or both (each direction has its own timer)')
            [CompletionResult]::new('--linger', '--linger', [CompletionResultType]::ParameterName, 'let go at the idle timeout, and cut only T later: in between everything is swallowed')
            [CompletionResult]::new('--lifetime', '--lifetime', [CompletionResultType]::ParameterName, 'cut every connection at age T, however active; cuts as for --idle-cut')
            [CompletionResult]::new('--chatter', '--chatter', [CompletionResultType]::ParameterName, 'send a message every T')
            [CompletionResult]::new('--ping-flood', '--ping-flood', [CompletionResultType]::ParameterName, 'send RATE pings a second')
            [CompletionResult]::new('--refuse', '--refuse', [CompletionResultType]::ParameterName, 'answer the upgrade with this HTTP status')
            [CompletionResult]::new('--redirect', '--redirect', [CompletionResultType]::ParameterName, 'answer the upgrade with 302 and this Location')
            [CompletionResult]::new('--slow-upgrade', '--slow-upgrade', [CompletionResultType]::ParameterName, 'hold the answer to the upgrade back for T')
            [CompletionResult]::new('--trickle', '--trickle', [CompletionResultType]::ParameterName, 'after the upgrade send only one byte every T')
            [CompletionResult]::new('--tell-health', '--tell-health', [CompletionResultType]::ParameterName, 'Tell each client its health_status whenever it changes')
            [CompletionResult]::new('--skip-if-active', '--skip-if-active', [CompletionResultType]::ParameterName, 'A client that has just sent a message gets its next heartbeat 1 to 1.5 intervals after it')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Serve wss:// with a certificate made on the spot')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('--list-faults', '--list-faults', [CompletionResultType]::ParameterName, 'List the faults and exit')
            [CompletionResult]::new('--wrong-payload', '--wrong-payload', [CompletionResultType]::ParameterName, 'answer pings with another payload than theirs')
            [CompletionResult]::new('--duplicate-pongs', '--duplicate-pongs', [CompletionResultType]::ParameterName, 'answer each ping twice')
            [CompletionResult]::new('--messages-only', '--messages-only', [CompletionResultType]::ParameterName, 'pings and pongs do not reset the idle timeout, only messages do')
            [CompletionResult]::new('--wrong-accept', '--wrong-accept', [CompletionResultType]::ParameterName, 'answer the upgrade with a wrong Sec-WebSocket-Accept')
            [CompletionResult]::new('--endless-header', '--endless-header', [CompletionResultType]::ParameterName, 'answer the upgrade with a header that never ends')
            [CompletionResult]::new('--lenient-upgrade', '--lenient-upgrade', [CompletionResultType]::ParameterName, 'also take upgrades in HTTP/1.0, or without a Host header, which RFC 6455 4.2.1 forbids')
            [CompletionResult]::new('--garbage', '--garbage', [CompletionResultType]::ParameterName, 'send bytes that are no frames right after the upgrade')
            [CompletionResult]::new('--huge-frame', '--huge-frame', [CompletionResultType]::ParameterName, 'send the head of a frame that claims 2^62 bytes right after the upgrade')
            [CompletionResult]::new('--masked-frame', '--masked-frame', [CompletionResultType]::ParameterName, 'send a masked frame right after the upgrade, which a server must not')
            [CompletionResult]::new('--invalid-utf8', '--invalid-utf8', [CompletionResultType]::ParameterName, 'send a text message that is not UTF-8 right after the upgrade')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;timeouts' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How the table is printed on stdout: for people (human), as one document (json), or as one timer a line, the document last (ndjson)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the table is printed on stdout: for people (human), as one document (json), or as one timer a line, the document last (ndjson)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;presets' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How the table is printed on stdout: for people (human), as one document (json), or as one preset a line, the document last (ndjson)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the table is printed on stdout: for people (human), as one document (json), or as one preset a line, the document last (ndjson)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for -o json')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'wscheck;schema' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
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
            [CompletionResult]::new('ping', 'ping', [CompletionResultType]::ParameterValue, 'Is this path healthy: how fast, how steady, how many heartbeats go unanswered?')
            [CompletionResult]::new('probe-idle', 'probe-idle', [CompletionResultType]::ParameterValue, 'How long may this path be idle before something cuts it, what cuts it, and what keeps it open?')
            [CompletionResult]::new('listen', 'listen', [CompletionResultType]::ParameterValue, 'Does the server send heartbeats of its own: which kind, how often, counted from what?')
            [CompletionResult]::new('probe-zombie', 'probe-zombie', [CompletionResultType]::ParameterValue, 'How long does the server keep a dead client, and how does it find out?')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Show what `ping` does, on a test server inside this process (about five seconds)')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Does my client cope with a slow, lossy, silent or closing server? A server that misbehaves on order')
            [CompletionResult]::new('timeouts', 'timeouts', [CompletionResultType]::ParameterValue, 'Which proxies, clouds, NATs and servers cut connections: when, how, what resets them, what to change')
            [CompletionResult]::new('presets', 'presets', [CompletionResultType]::ParameterValue, 'How services and libraries speak heartbeats: what to ask, what answers, what must not be sent')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of everything that -o json and -o ndjson print')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completions for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page (roff) of wscheck or of one of its commands')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
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
        'wscheck;help;demo' {
            break
        }
        'wscheck;help;serve' {
            break
        }
        'wscheck;help;timeouts' {
            break
        }
        'wscheck;help;presets' {
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
