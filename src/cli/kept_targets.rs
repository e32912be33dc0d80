//! The targets whose connections are kept, from a configuration file and the command line.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::digest::{SHA256, digest};

use super::checks::file::{CheckEntry, TargetEntry};
use super::checks::mistake::Blame;
use super::measurement::Measurement;
use super::ping::{AttemptLimit, PingArgs};
use super::preset_args::PresetChoice;
use super::{Command, command_of};
use crate::commands::kept::{KeptConnection, Labels};
use crate::commands::ping::PingPlan;

/// The interval of kept targets, unless they or their preset have one: connections that are kept for weeks.
const KEPT_INTERVAL: Duration = Duration::from_secs(5);
/// Largest file that is compared to find out whether a target has changed, in bytes.
const MAX_COMPARED_BYTES: u64 = 1 << 20;

/// How the option begins that gives a target its URL.
const URL_COMMAND: &str = "--url-command=";
/// How the options begin whose files are read anew before each opening: a connection need not be opened again when they
/// have changed.
const FRESH_FILES: [&str; 2] = ["--headers-file=", "--send="];

/// A target that is kept.
pub struct KeptTargetSettings<'a> {
    pub connection: KeptConnection,
    /// `None`: it is from the command line.
    pub entry: Option<&'a TargetEntry>,
}

/// A target as it is written: its options, without its URL, and its URL.
struct WrittenTarget<'a> {
    url: String,
    entry: Option<&'a TargetEntry>,
}

/// The targets of a configuration and of the command line. Those with the same options share what these options name:
/// certificates are loaded once.
///
/// # Errors
///
/// Some options make no sense together. [`kept_plan`] finds which target's.
pub fn kept_targets<'a>(
    entries: &'a [TargetEntry],
    urls: &[String],
) -> Result<Vec<KeptTargetSettings<'a>>, String> {
    let mut groups: BTreeMap<(Vec<String>, Option<usize>), Vec<WrittenTarget<'_>>> = BTreeMap::new();
    for (index, target) in entries.iter().enumerate() {
        let mut parts = target.entry.arguments.splitn(2, |word| word == "--");
        let (options, url) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default().concat());
        let written = WrittenTarget { url, entry: Some(target) };
        // Each has a command of its own for its URL.
        let own = options.iter().any(|word| word.starts_with(URL_COMMAND)).then_some(index);
        groups.entry((options.to_vec(), own)).or_default().push(written);
    }
    let mut urls = urls.to_vec();
    urls.sort_unstable();
    urls.dedup();
    for url in urls {
        let written = WrittenTarget { url, entry: None };
        groups.entry((vec!["ping".to_string()], None)).or_default().push(written);
    }
    let kept = groups.into_iter().map(|((options, _), targets)| of_group(&options, targets));
    Ok(kept.collect::<Result<Vec<_>, String>>()?.into_iter().flatten().collect())
}

/// Targets with the same options.
fn of_group<'a>(
    options: &[String],
    written: Vec<WrittenTarget<'a>>,
) -> Result<Vec<KeptTargetSettings<'a>>, String> {
    let urls = written.iter().map(|target| target.url.clone()).collect();
    let arguments = [options.to_vec(), vec!["--".to_string()], urls].concat();
    let plan = kept_plan(&arguments).map_err(|blame| blame.message)?;
    let files = contents_of_files(options);
    let one = |target| PingPlan { targets: vec![target], ..plan.clone() };
    let connections = plan.targets.iter().cloned().map(one);
    let kept = written.into_iter().zip(connections).map(|(WrittenTarget { url, entry }, plan)| {
        let labels = entry.map(|target| labels_of(&target.entry)).unwrap_or_default();
        let name = labels.get("name").cloned().unwrap_or_default();
        // Two targets may differ in nothing but their name.
        let key = [options, &[url, name], &files].concat();
        KeptTargetSettings { connection: KeptConnection { key, labels, plan }, entry }
    });
    Ok(kept.collect())
}

/// Hashes of the files that these options name, which may have changed although the options have not.
fn contents_of_files(options: &[String]) -> Vec<String> {
    let is_fresh = |word: &&String| FRESH_FILES.iter().any(|option| word.starts_with(option));
    let named = options.iter().filter(|word| !is_fresh(word));
    let values = named.filter_map(|word| word.split_once('=')).map(|(_, value)| value);
    let paths = values.map(|value| value.strip_prefix('@').unwrap_or(value));
    let is_small = |path: &&str| {
        std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= MAX_COMPARED_BYTES)
    };
    let contents = paths.filter(is_small).filter_map(|path| std::fs::read(path).ok());
    contents.map(|content| STANDARD_NO_PAD.encode(digest(&SHA256, &content))).collect()
}

/// The arguments of `ping` that these words are.
///
/// # Errors
///
/// They are none.
pub fn ping_args(words: &[String]) -> Result<PingArgs, Blame> {
    match command_of(words)? {
        Command::Ping(args) => Ok(*args),
        _ => Err("it is no line of ping".to_string().into()),
    }
}

/// The connection to the target of this entry. Another label makes it another one.
///
/// # Errors
///
/// As [`kept_plan`].
pub fn kept_connection(entry: &CheckEntry) -> Result<KeptConnection, Blame> {
    let (words, labels) = (&entry.arguments, labels_of(entry));
    let of_labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let key = [words, &of_labels[..], &contents_of_files(words)].concat();
    Ok(KeptConnection { key, labels, plan: kept_plan(words)? })
}

/// Its name, and the labels that the user gave it.
fn labels_of(entry: &CheckEntry) -> Labels {
    let name = ("name".to_string(), entry.identity.name.clone());
    std::iter::once(name).chain(entry.identity.labels.clone()).collect()
}

/// Options that end a run, or judge it.
fn unfit(args: &PingArgs) -> Option<&'static str> {
    let given = [
        (args.count.is_some(), "count"),
        (args.deadline.is_some(), "deadline"),
        (args.adaptive, "adaptive"),
        (args.connections != 1, "connections"),
        (!args.thresholds.expect_close.is_empty(), "expect-close"),
        (!args.thresholds.expect_refused.is_empty(), "expect-refused"),
        (!args.thresholds.fail_if.is_empty(), "fail-if"),
        (!args.thresholds.warn.is_empty(), "warn"),
    ];
    given.into_iter().find(|(given, _)| *given).map(|(_, option)| option)
}

/// A connection to each target, opened again for ever.
///
/// # Errors
///
/// The options make no sense, or none for a connection that is kept.
pub fn kept_plan(words: &[String]) -> Result<PingPlan, Blame> {
    let args = ping_args(words)?;
    if let Some(option) = unfit(&args) {
        return Err(format!("--{option} has no meaning for a target that is kept").into());
    }
    if args.heartbeat.preamble.first_message.preset.preset == Some(PresetChoice::Auto) {
        let why = "a target that is kept needs a preset by name: `wscheck ping --preset auto` finds it";
        return Err(why.to_string().into());
    }
    Ok(opened_again(args).plan(None)?)
}

/// The arguments of connections that are opened again for ever.
pub fn opened_again(mut args: PingArgs) -> PingArgs {
    if args.heartbeat.preamble.first_message.preset.preset.is_none() {
        args.heartbeat.interval.get_or_insert(KEPT_INTERVAL);
    }
    args.reconnect.reconnect = true;
    args.reconnect.reconnect_attempts.get_or_insert(AttemptLimit(None));
    args
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::checks::file;

    fn keys(text: &str, urls: &[&str]) -> Vec<Vec<String>> {
        let file = file::parse(text, |_| None).unwrap();
        let urls: Vec<String> = urls.iter().map(ToString::to_string).collect();
        let kept = kept_targets(&file.targets, &urls).unwrap();
        assert!(kept.iter().all(|target| target.connection.plan.connections() == 1));
        kept.into_iter().map(|target| target.connection.key).collect()
    }

    fn target(name: &str, more: &str) -> String {
        format!("[[target]]\nname = \"{name}\"\nurl = \"ws://a.example/\"\n{more}\n")
    }

    #[test]
    fn key_is_what_a_connection_is_made_of() {
        let folder = tempfile::tempdir().unwrap();
        let headers = folder.path().join("headers");
        std::fs::write(&headers, "X-A: 1\n").unwrap();
        let named = format!("header = \"@{}\"", headers.display());
        let before = keys(&target("a", &named), &[]);
        assert_eq!(before, keys(&target("a", &format!("{named}\nlabels = {{ team = \"b\" }}")), &[]));
        assert_eq!(before, keys(&format!("{}{}", target("a", &named), target("b", "")), &[])[1..]);
        assert_ne!(before, keys(&target("a", &format!("{named}\ninterval = \"1s\"")), &[]));
        std::fs::write(&headers, "X-A: 2\n").unwrap();
        assert_ne!(before, keys(&target("a", &named), &[]));
    }

    #[test]
    fn files_that_are_read_anew_are_not_in_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let (headers, message) = (folder.path().join("headers"), folder.path().join("message"));
        std::fs::write(&headers, "X-A: 1\n").unwrap();
        std::fs::write(&message, "one").unwrap();
        let named = format!("headers_file = \"{}\"\nsend = \"@{}\"", headers.display(), message.display());
        let before = keys(&target("a", &named), &[]);
        std::fs::write(&headers, "X-A: 2\n").unwrap();
        std::fs::write(&message, "two").unwrap();
        assert_eq!(before, keys(&target("a", &named), &[]));
    }

    #[test]
    fn targets_may_share_a_url_command() {
        let command = "url_command = \"print-url --fast\"";
        let both = keys(&format!("{}{}", target("a", command), target("b", command)), &[]);
        assert_eq!(both.len(), 2);
    }

    #[test]
    fn url_given_twice_is_kept_once() {
        let both = keys(&target("a", ""), &["ws://a.example/", "ws://a.example/"]);
        assert_eq!(both.len(), 2);
        assert_ne!(both[0], both[1]);
    }
}
