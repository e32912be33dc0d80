//! The score of `doctor` over the set-ups: it finds what is wrong, claims no other problem, and what it says cures it.
//!
//! `SETUP=nginx cargo test --test doctor -- --include-ignored --nocapture doctor_is_right` runs the set-ups whose name
//! contains a word. `DOCUMENTS=FOLDER` keeps what `doctor` says of each. `DEPTH=normal` makes the default run of each, not the
//! quick one, which takes a quarter of an hour (`.ci/long doctor`).

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::running::Running;
use crate::setups::{Cure, Expected, Setup, Severity, Symptom};
use crate::support::Ran;
use crate::symptoms::{chosen, each};

/// The command for a set-up; a short search, unless it or the environment asks for another one.
fn doctor(setup: &Setup) -> Vec<&'static str> {
    let is_default = std::env::var_os("DEPTH").is_some_and(|depth| depth == "normal");
    let depth: &[&str] = if is_default || setup.doctor.contains(&"--thorough") { &[] } else { &["--quick"] };
    [&["doctor", "-o", "json"], depth, setup.doctor].concat()
}

/// Maximum number of lines of the answer.
const MAX_ANSWER_LINES: usize = 5;

/// The part of the set-ups that `doctor` must be right about: 38 of 40. Healthy ones must all be right.
const LEAST_RIGHT: f64 = 0.95;

/// What is wrong with a document, in the words of a reader; empty: right.
type Misses = Vec<String>;

#[test]
#[ignore = "needs real peers (tests/peers/install.sh), and takes minutes"]
fn doctor_is_right_about_every_setup() {
    let setups = chosen();
    let wrong: Mutex<Vec<String>> = Mutex::default();
    let longest: Mutex<Duration> = Mutex::default();
    let record = |setup: &Setup, misses: Misses| {
        if !misses.is_empty() {
            let miss = format!("{}\n    {}", setup.name, misses.join("\n    "));
            println!("wrong: {miss}");
            wrong.lock().unwrap().push(miss);
        }
    };
    let broken = each(&setups, |setup| record(setup, diagnose(setup, &longest)), |setup| setup.name);
    let wrong = [wrong.into_inner().unwrap(), broken].concat();
    let longest = longest.into_inner().unwrap();
    println!("right {} of {}; the longest run took {longest:.1?}", setups.len() - wrong.len(), setups.len());
    let healthy = setups.iter().filter(|setup| setup.expected.is_empty());
    let is_of =
        |miss: &String, name: &str| miss.strip_prefix(name).is_some_and(|rest| rest.starts_with(['\n', ':']));
    let falsely = healthy.filter(|setup| wrong.iter().any(|miss| is_of(miss, setup.name)));
    let falsely: Vec<&str> = falsely.map(|setup| setup.name).collect();
    assert!(falsely.is_empty(), "problems of healthy set-ups: {falsely:?}");
    assert!(
        (setups.len() - wrong.len()) as f64 >= setups.len() as f64 * LEAST_RIGHT,
        "right {} of {}:\n{}",
        setups.len() - wrong.len(),
        setups.len(),
        wrong.join("\n")
    );
}

/// Runs `doctor` on a set-up, and on the cured one.
fn diagnose(setup: &Setup, longest: &Mutex<Duration>) -> Misses {
    let running = setup.start();
    let began = Instant::now();
    let ran = running.run(&doctor(setup));
    let took = began.elapsed();
    let mut so_far = longest.lock().unwrap();
    *so_far = took.max(*so_far);
    drop(so_far);
    let document = match parsed(&ran) {
        Ok(document) => document,
        Err(why) => return vec![why],
    };
    keep(setup, &ran);
    let mut misses = judge(setup.expected, &document);
    misses.extend(form(&ran, &document));
    misses.extend(wrong_changes(setup, &document));
    misses.extend(cure(setup, running, &document));
    misses
}

/// Writes the document to the folder of `DOCUMENTS`.
fn keep(setup: &Setup, ran: &Ran) {
    if let Some(folder) = std::env::var_os("DOCUMENTS") {
        let name = setup.name.replace(['/', ' '], "-") + ".json";
        std::fs::write(std::path::Path::new(&folder).join(name), &ran.stdout).unwrap();
    }
}

fn parsed(ran: &Ran) -> Result<Value, String> {
    if ran.stdout.is_empty() {
        return Err(format!("no document: exit {:?}: {}", ran.code, ran.stderr.trim()));
    }
    let document = ran.json();
    match document["checks"].as_array() {
        Some(checks) if !checks.is_empty() => Ok(document),
        _ => Err(format!("no checks: {}", ran.stderr.trim())),
    }
}

fn checks(document: &Value) -> &[Value] {
    document["checks"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(check: &'a Value, field: &str) -> &'a str {
    check[field].as_str().unwrap_or_default()
}

/// A check in short, for a miss.
fn shown(check: &Value) -> String {
    ["id", "code", "severity", "message"].map(|field| text(check, field)).join(" | ")
}

impl Expected {
    fn is_met_by(&self, check: &Value) -> bool {
        let is_severe = match text(check, "severity") {
            "problem" => true,
            "warning" => self.severity != Severity::Problem,
            "info" => self.severity == Severity::Any,
            _ => false,
        };
        let says = self.says.is_none_or(|said| text(check, "message").contains(said));
        is_severe && says && self.checks.contains(&text(check, "id"))
    }
}

/// What is expected and missing, and problems that are not expected.
fn judge(expected: &[Expected], document: &Value) -> Misses {
    let checks = checks(document);
    let absent = expected.iter().filter(|one| !checks.iter().any(|check| one.is_met_by(check)));
    let absent = absent.map(|one| {
        let found = checks.iter().filter(|check| one.checks.contains(&text(check, "id"))).map(shown);
        let found: Vec<String> = found.collect();
        format!("expected {:?} of {:?} with {:?}, found {found:?}", one.severity, one.checks, one.says)
    });
    let claimed = checks.iter().filter(|check| text(check, "severity") == "problem");
    let surplus = claimed.filter(|check| !expected.iter().any(|one| one.is_met_by(check)));
    absent.chain(surplus.map(|check| format!("not expected: {}", shown(check)))).collect()
}

/// What the contract of every document demands.
fn form(ran: &Ran, document: &Value) -> Misses {
    let problems: Vec<&Value> =
        checks(document).iter().filter(|check| text(check, "severity") == "problem").collect();
    let mut misses = Misses::new();
    let is_coherent = match ran.code {
        Some(0 | 4) => problems.is_empty(),
        Some(1 | 3) => !problems.is_empty(),
        _ => false,
    };
    if !is_coherent {
        misses.push(format!("exit {:?} with {} problems", ran.code, problems.len()));
    }
    let lines = document["answer"].as_array().map_or(0, Vec::len);
    if !(1..=MAX_ANSWER_LINES).contains(&lines) {
        misses.push(format!("an answer of {lines} lines"));
    }
    let has_remedy = checks(document).iter().any(|check| !text(check, "remedy").is_empty());
    if !problems.is_empty() && !has_remedy {
        misses.push(format!("no remedy at all for: {}", shown(problems[0])));
    }
    misses
}

/// Lines for a refusal that no line of a proxy's configuration cures.
fn wrong_changes(setup: &Setup, document: &Value) -> Option<String> {
    let is_of_another_cause = match setup.cure {
        Cure::Arguments { .. } | Cure::Url { .. } => true,
        Cure::None => matches!(setup.symptom, Symptom::Refused(_)),
        Cure::Changes { .. } | Cure::Server { .. } => false,
    };
    let check = finding(document, "upgrade").filter(|_| is_of_another_cause)?;
    let changes = check["changes"].as_array().filter(|changes| !changes.is_empty())?;
    let products: Vec<&str> = changes.iter().map(|change| text(change, "product")).collect();
    Some(format!("lines for {products:?}, which are not the cause: {}", text(check, "message")))
}

/// Applies the cure, and runs `doctor` again. Ends the set-up first.
fn cure(setup: &Setup, running: Running, document: &Value) -> Misses {
    match setup.cure {
        Cure::None => Misses::new(),
        Cure::Arguments { check, args } => match remedy(document, check, args[0]) {
            Ok(()) => cured(running.run(&[&doctor(setup), args].concat()), "with the arguments"),
            Err(why) => vec![why],
        },
        Cure::Url { check, url, args } => match remedy(document, check, scheme(url)) {
            Ok(()) => cured(running.run_at(&doctor(setup), url, args), "at the other URL"),
            Err(why) => vec![why],
        },
        Cure::Server { server, .. } => {
            drop(running);
            let other = Setup { server, ..*setup }.start();
            cured(other.run(&doctor(setup)), "with the other server")
        }
        Cure::Changes { check, hop, .. } => {
            let product = setup.hops[hop].product.name;
            match changes(document, check, product) {
                Ok(lines) => {
                    let before = MOVED.map(|value| running.values.fill(value));
                    drop(running);
                    apply(setup, hop, &lines, &verification(document, check), &before)
                }
                Err(why) => vec![why],
            }
        }
    }
}

/// What is elsewhere when a set-up is started again.
const MOVED: [&str; 3] = ["@entry@", "@entryport@", "@files@"];

/// Starts the set-up with these lines, and runs `doctor` and the command that verifies the change.
fn apply(setup: &Setup, hop: usize, lines: &[String], verify: &str, before: &[String]) -> Misses {
    let started = std::panic::catch_unwind(|| setup.start_changed(Some((hop, lines))));
    let Ok(running) = started else { return vec![format!("the product does not start with {lines:?}")] };
    let mut misses = cured(running.run(&doctor(setup)), &format!("with {lines:?}"));
    let moved = before.iter().zip(MOVED.map(|value| running.values.fill(value)));
    let verify = moved.fold(verify.to_string(), |text, (old, new)| text.replace(old, &new));
    let words = shlex::split(&verify).unwrap_or_default();
    match words.split_first() {
        None => misses.push("no command that verifies the change".to_string()),
        Some((_, words)) => {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let ran = running.run_words(&words);
            if ran.code != Some(0) {
                misses.push(format!("`{verify}` after the change: {}", ran.all()));
            }
        }
    }
    misses
}

/// `wss://` of a URL.
fn scheme(url: &str) -> &str {
    url.find("//").map_or(url, |at| &url[..at + 2])
}

fn finding<'a>(document: &'a Value, id: &str) -> Option<&'a Value> {
    checks(document).iter().find(|check| text(check, "id") == id && !text(check, "remedy").is_empty())
}

/// Checks that a remedy names this.
fn remedy(document: &Value, check: &str, named: &str) -> Result<(), String> {
    let remedies: Vec<&str> = checks(document).iter().map(|check| text(check, "remedy")).collect();
    match remedies.iter().any(|remedy| remedy.contains(named)) {
        true => Ok(()),
        false => {
            let found = finding(document, check).map_or("none", |check| text(check, "remedy"));
            Err(format!("no remedy names {named}; that of {check}: {found}"))
        }
    }
}

/// The lines for a product.
fn changes(document: &Value, check: &str, product: &str) -> Result<Vec<String>, String> {
    let found = finding(document, check).ok_or_else(|| format!("{check} has no remedy"))?;
    let changes = found["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mine = changes.iter().find(|change| text(change, "product").to_lowercase().starts_with(product));
    let lines = mine.and_then(|change| change["lines"].as_array());
    let lines = lines.ok_or_else(|| format!("{check} has no changes for {product}: {}", found["changes"]))?;
    Ok(lines.iter().filter_map(|line| Some(line.as_str()?.to_string())).collect())
}

fn verification(document: &Value, check: &str) -> String {
    finding(document, check).map_or(String::new(), |check| text(check, "verify").to_string())
}

/// No problem, and none of the former warnings, is left.
fn cured(ran: Ran, how: &str) -> Misses {
    let document = match parsed(&ran) {
        Ok(document) => document,
        Err(why) => return vec![format!("{how}: {why}")],
    };
    judge(&[], &document).into_iter().map(|miss| format!("{how}, {miss}")).collect()
}

#[test]
fn judge_wants_what_is_expected_and_nothing_else() {
    let document = serde_json::json!({ "checks": [
        { "id": "tcp", "code": "tcp_ok", "severity": "ok" },
        { "id": "upgrade", "code": "upgrade_refused", "severity": "problem" },
        { "id": "idle-timeout", "code": "idle_timeout", "severity": "warning" },
    ] });
    let refused = crate::setups::REFUSED;
    assert!(judge(refused, &document).is_empty());
    assert_eq!(judge(&[], &document).len(), 1);
    assert_eq!(judge(&[refused, crate::setups::CUT_WHEN_IDLE].concat(), &document).len(), 0);
    assert_eq!(judge(&[refused, &[crate::setups::problem(&["idle-timeout"])]].concat(), &document).len(), 1);
    assert_eq!(judge(&[refused, &[crate::setups::warning(&["tcp"])]].concat(), &document).len(), 1);
}
