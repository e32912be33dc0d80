//! What a file of checks means, and where its mistakes are.

use super::*;

fn variable(name: &str) -> Option<String> {
    match name {
        "HOST" => Some("chat.example".to_string()),
        "TOKEN" => Some("tok-5f2a9c81e0".to_string()),
        _ => None,
    }
}

fn read(text: &str) -> CheckFile {
    parse(text, variable).unwrap()
}

fn mistakes(text: &str) -> Vec<String> {
    parse(text, variable).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn options_become_what_one_would_type() {
    let file = read(
        r#"
        max_connections = 8
        [[check]]
        name = "chat"
        url = "wss://${HOST}/ws"
        count = 5
        interval = "250ms"
        healthy = 0.05
        fail_if = ["rtt.p95>200ms", "loss>1%"]
        insecure = true
        reconnect = false
        labels = { team = "chat" }
        headers_file = "headers.txt"
        [[check]]
        name = "several"
        serial = true
        url = ["ws://a.example/", "ws://b.example/"]
        [[check]]
        name = "listening"
        command = "listen"
        url = "ws://a.example/"
        for = "1s"
        headers_file = "headers.txt"
        talk = true
        "#,
    );
    let arguments = |index: usize| file.checks[index].arguments.join(" ");
    assert_eq!(
        arguments(0),
        "ping --count=5 --fail-if=rtt.p95>200ms --fail-if=loss>1% --headers-file=headers.txt --healthy=0.05 --insecure \
         --interval=250ms -- wss://chat.example/ws"
    );
    assert_eq!(arguments(1), "ping -- ws://a.example/ ws://b.example/");
    assert_eq!(arguments(2), "listen --for=1s --header=@headers.txt --talk -- ws://a.example/");
    let chat = &file.checks[0].identity;
    assert_eq!((chat.command.as_str(), chat.target.as_str()), ("ping", "wss://chat.example/ws"));
    assert_eq!(chat.labels, BTreeMap::from([("team".to_string(), "chat".to_string())]));
    assert_eq!(file.checks[1].identity.target, "2 targets");
    let serial: Vec<bool> = file.checks.iter().map(|check| check.is_serial).collect();
    assert_eq!((file.max_connections, file.is_serial, serial), (Some(8), false, vec![false, true, false]));
}

#[test]
fn defaults_are_for_the_commands_that_have_them() {
    let file = read(
        r#"
        serial = true
        [defaults]
        count = 3
        max = "2s"
        proxy = "none"
        [[check]]
        name = "a"
        url = "ws://a.example/"
        count = 9
        [[check]]
        name = "b"
        command = "probe-zombie"
        url = "ws://a.example/"
        "#,
    );
    assert_eq!(file.checks[0].arguments.join(" "), "ping --count=9 --proxy=none -- ws://a.example/");
    assert_eq!(file.checks[1].arguments.join(" "), "probe-zombie --max=2s --proxy=none -- ws://a.example/");
    assert!(file.is_serial);
}

/// A variable may hold a secret: it is hidden wherever it returns. That of a URL names its host.
#[test]
fn values_of_variables_are_hidden_but_in_a_url() {
    let file =
        read("[[check]]\nname = \"a\"\nurl = \"ws://${HOST}/?key=${TOKEN}\"\nsend = \"LOGIN ${TOKEN}\"\n");
    assert!(file.checks[0].arguments.contains(&"--send=LOGIN tok-5f2a9c81e0".to_string()));
    assert_eq!(secrets::redact("it said tok-5f2a9c81e0 at chat.example"), "it said *** at chat.example");
    assert_eq!(file.checks[0].identity.target, "ws://chat.example/?key=***");
}

#[test]
fn every_mistake_has_its_place_and_a_near_name() {
    let found = mistakes(
        "max_connections = 0\n\
         [defaults]\n\
         intervall = \"1s\"\n\
         [[check]]\n\
         name = \"a\"\n\
         url = \"ws://${NONE}/\"\n\
         conut = 5\n\
         output = \"json\"\n\
         insecure = \"yes\"\n\
         count = [1, 2]\n\
         labels = { target = \"x\", \"a-b\" = \"y\" }\n\
         [[check]]\n\
         name = \"a\"\n\
         command = \"pong\"\n\
         url = \"ws://a.example/\"\n",
    );
    let expected = [
        "line 1, column 19: 'max_connections' must be a whole number of at least 1",
        "line 3, column 1: no command has an option 'intervall'; did you mean 'interval'?",
        "line 6, column 7: the environment has no variable NONE",
        "line 7, column 1: ping has no option 'conut'; did you mean 'count'?",
        "line 8, column 1: 'output' is for all checks: give --output to wscheck run",
        "line 9, column 12: 'insecure' is true or false",
        "line 10, column 9: 'count' needs a text or a number, and has a value of type array",
        "line 11, column 12: the label 'target' is set by wscheck itself",
        "line 11, column 26: 'a-b' cannot be the name of a label: use letters, digits and _",
        "line 14, column 11: 'pong' is no command of a check (ping, probe-idle, listen, probe-zombie, doctor); did you mean \
         'ping'?",
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_is_missing_or_there_twice_is_named() {
    assert_eq!(mistakes(""), ["line 1, column 1: it has no [[check]], [[target]] or [module.NAME]"]);
    assert_eq!(
        mistakes("[[check]]\nfoo = 1\n"),
        [
            "line 1, column 1: the check has no 'name'",
            "line 1, column 1: the check has no 'url'",
            "line 2, column 1: ping has no option 'foo'"
        ]
    );
    let twice = "[[check]]\nname = \"a\"\nurl = \"ws://a/\"\nfail_if = \"loss>1%\"\nfail-if = \"loss>2%\"\n";
    assert_eq!(mistakes(twice), ["line 5, column 1: 'fail-if' is given twice"]);
    let one = "[[check]]\nname = \"a\"\nurl = \"ws://a/\"\n";
    assert_eq!(mistakes(&format!("{one}{one}")), ["line 5, column 8: two checks have the name 'a'"]);
}

#[test]
fn wrong_shapes_are_named() {
    assert_eq!(mistakes("check = 1\n"), ["line 1, column 9: 'check' must be a list of tables: [[check]]"]);
    assert_eq!(
        mistakes("chekc = 1\n"),
        ["line 1, column 1: a file of checks has no 'chekc'; did you mean 'check'?"]
    );
    let broken = mistakes("[[check]]\nname = \n");
    assert!(broken[0].starts_with("line 2, column "), "{broken:?}");
    let name = "[[check]]\nname = \"a\\u001b[2J\"\nurl = \"ws://a/\"\n";
    assert_eq!(mistakes(name), ["line 2, column 8: 'name' must be a text on one line"]);
}

proptest::proptest! {
    /// Any text is read or refused.
    #[test]
    fn nothing_panics(text in "(\\[\\[check\\]\\]|\\[defaults\\]|[a-z_]{1,6} ?= ?|\"[^\"\n]{0,8}\"|\\$\\{|\\}|\n|[0-9.]{1,4}){0,20}") {
        let _ = parse(&text, variable);
    }
}
