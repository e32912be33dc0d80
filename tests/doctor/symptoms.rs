//! The truth of the table: each set-up is what it says, as the other commands see it, and its cure cures it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::running::Running;
use crate::setups::{Cure, Setup, Symptom, all};
use crate::support::Ran;

/// Set-ups that run at once: they mostly wait.
const AT_ONCE: usize = 8;

/// Tolerance of a timer: a hop may count from a packet that Linux delays by up to 40 ms, and have coarse steps.
const EARLY_MS: f64 = 50.0;
/// A busy machine is late, and lighttpd looks at its clock every second.
const LATE_MS: f64 = 1500.0;

/// Runs a function on all items, several at once; returns the messages of those that panicked.
pub fn each<T: Sync>(items: &[T], act: impl Fn(&T) + Sync, name: impl Fn(&T) -> &str + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let acted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act(item)));
                    if let Err(why) = acted {
                        let text = why.downcast_ref::<String>().map_or("panicked", String::as_str);
                        failures.lock().unwrap().push(format!("{}: {text}", name(item)));
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap()
}

/// Set-ups whose name contains the value of `SETUP`, or all.
pub fn chosen() -> Vec<Setup> {
    let part = std::env::var("SETUP").unwrap_or_default();
    all().into_iter().filter(|setup| setup.name.contains(&part)).collect()
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn every_setup_is_what_it_says() {
    let failures = each(&chosen(), |setup| setup.symptom.prove(&setup.start()), |setup| setup.name);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn every_cure_cures() {
    let failures = each(&chosen(), prove_cure, |setup| setup.name);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn prove_cure(setup: &Setup) {
    match setup.cure {
        Cure::None => {}
        Cure::Changes { hop, lines, then, .. } => {
            let lines: Vec<String> = lines.iter().map(|line| line.to_string()).collect();
            then.prove(&setup.start_changed(Some((hop, &lines))));
        }
        Cure::Arguments { args, .. } => opens(&setup.start().run(&[&["ping", "-c", "1"], args].concat())),
        Cure::Url { url, args, .. } => opens(&setup.start().run_at(&["ping", "-c", "1"], url, args)),
        Cure::Server { server, then } => then.prove(&Setup { server, ..*setup }.start()),
    }
}

fn opens(ran: &Ran) {
    assert_eq!(ran.code, Some(0), "{}", ran.all());
}

impl Symptom {
    /// Panics unless the commands see it.
    pub fn prove(&self, running: &Running) {
        match *self {
            Symptom::Opens => opens(&running.run(&["ping", "-c", "1", "--fail-on", "dead"])),
            Symptom::Fails(kind) => {
                let error = failure(running);
                assert_eq!(error["kind"], kind, "{error:#}");
            }
            Symptom::FailsWith(text) => {
                let error = failure(running);
                let texts = ["cause", "hint"].map(|name| error[name].as_str().unwrap_or_default());
                assert!(texts.iter().any(|found| found.contains(text)), "{error:#}");
            }
            Symptom::Refused(status) => {
                let error = failure(running);
                assert_eq!(error["refusal"]["status"], status, "{error:#}");
            }
            Symptom::Survives(seconds) => survives(running, seconds),
            Symptom::KeptOpen(seconds) => {
                let document = listen(running, seconds);
                let (ending, reply) = (&document["ending"], &document["close_reply"]["how"]);
                assert_eq!((ending, reply), (&Value::Null, &"close_frame".into()), "{document:#}");
            }
            Symptom::Ends(seconds) => {
                let document = listen(running, seconds);
                let ending = &document["ending"];
                assert!(ending["who"] == "peer" || ending["who"] == "network", "{document:#}");
            }
            Symptom::Idle(seconds) => is_cut(&search(running, "8s"), seconds),
            Symptom::Lifetime(seconds) => is_capped(&search(running, "8s"), seconds),
            Symptom::Closes(code) => {
                let code = code.to_string();
                opens(&running.run(&["ping", "-c", "5", "-i", "200ms", "--expect-close", &code]));
            }
            Symptom::Proved(prove) => prove(running),
        }
    }
}

/// The error of a `ping` that does not open.
fn failure(running: &Running) -> Value {
    let ran = running.run(&["ping", "-c", "1", "-o", "json"]);
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    ran.json()["error"].clone()
}

fn listen(running: &Running, seconds: u32) -> Value {
    running.run(&["listen", "-o", "json", "--for", &format!("{seconds}s")]).json()
}

fn search(running: &Running, max: &str) -> Value {
    let bounds = ["--max", max, "--precision", "500ms", "--answer-timeout", "1s"];
    running.run(&[&["probe-idle", "-o", "json", "--allow-messages"], &bounds[..]].concat()).json()
}

fn survives(running: &Running, seconds: u32) {
    let document = search(running, &format!("{seconds}s"));
    assert_eq!(document["verdict"], "no_timeout_up_to_max", "{document:#}");
}

/// An idle timeout, with a bracket that contains this time.
fn is_cut(document: &Value, seconds: u32) {
    assert_eq!(document["verdict"], "idle_timeout", "{document:#}");
    let end = |name: &str| document["bracket"][name].as_f64().unwrap_or(f64::NAN);
    let expected = f64::from(seconds) * 1000.0;
    assert!(end("lo_ms") <= expected + LATE_MS && expected - EARLY_MS <= end("hi_ms"), "{document:#}");
}

fn is_capped(document: &Value, seconds: u32) {
    assert_eq!(document["verdict"], "lifetime_cap", "{document:#}");
    let late = document["lifetime_ms"].as_f64().unwrap_or(f64::NAN) - f64::from(seconds) * 1000.0;
    assert!((-EARLY_MS..LATE_MS).contains(&late), "{document:#}");
}
