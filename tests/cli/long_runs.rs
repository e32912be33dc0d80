//! `.ci/long` writes its record: with fuzz targets that print what libFuzzer prints, and nothing to build.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::root;

fn write(path: &Path, text: &str, mode: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

const TARGETS: [&str; 11] = [
    "event_stream",
    "frames",
    "deflate",
    "http2_frames",
    "http_heads",
    "archived_json",
    "checks_toml",
    "classifier",
    "patterns",
    "expressions",
    "upgrade_answers",
];

/// What libFuzzer prints at the end of a run.
const STATISTICS: &str = "#684009 DONE cov: 1234 ft: 5678 corp: 9/10b lim: 4096 exec/s: 22064 rss: 33Mb\n\
    stat::number_of_executed_units: 684009\nstat::average_exec_per_sec: 22064\nstat::new_units_added: 7471\n";

/// A repository with the scripts and with targets that end at once; `frames` fails.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for script in [".ci/long", ".ci/fuzz-tools", "fuzz/run"] {
        write(&folder.path().join(script), &std::fs::read_to_string(root().join(script)).unwrap(), 0o755);
    }
    for tool in ["cargo", "c++"] {
        write(&folder.path().join("tools").join(tool), "#!/bin/sh\n", 0o755);
    }
    write(&folder.path().join("tools/rustc"), "#!/bin/sh\necho 'host: here'\n", 0o755);
    for target in TARGETS {
        let end = match target {
            "frames" => "echo 'Test unit written to artifacts/frames/crash-0123' >&2; exit 77",
            _ => "exit 0",
        };
        let script = format!("#!/bin/sh\ncat <<'END' >&2\n{STATISTICS}END\n{end}\n");
        write(&folder.path().join("fuzz/target/here/release").join(target), &script, 0o755);
    }
    for args in [
        &["init", "-q"][..],
        &["add", ".ci", "fuzz/run"],
        &["-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "Begin"],
    ] {
        assert!(Command::new("git").args(args).current_dir(&folder).status().unwrap().success());
    }
    folder
}

fn long(folder: &Path, args: &[&str]) -> Output {
    let path = format!("{}:{}", folder.join("tools").display(), std::env::var("PATH").unwrap());
    Command::new(folder.join(".ci/long"))
        .args(args)
        .env("PATH", path)
        .env("FUZZ_LONG", "7")
        .env("FUZZ_SHORT", "3")
        .output()
        .unwrap()
}

#[test]
fn record_of_fuzzing_names_each_target() {
    let folder = repository();
    let ran = long(folder.path(), &["fuzz"]);
    assert!(!ran.status.success(), "a target failed: {ran:?}");
    let record = std::fs::read_to_string(folder.path().join(".ci/record/fuzz.md")).unwrap();
    let row = |target: &str| record.lines().find(|line| line.starts_with(&format!("| {target} ")));
    for target in TARGETS {
        let (seconds, failure) = match target {
            "frames" => (7, "fuzz/artifacts/frames/crash-0123"),
            "event_stream" | "deflate" | "http2_frames" | "http_heads" => (7, "none"),
            _ => (3, "none"),
        };
        let expected = format!("| {target} | {seconds} | 684009 | 1234 | 5678 | 7471 | {failure} |");
        assert_eq!(row(target), Some(expected.as_str()), "{record}\n{ran:?}");
    }
    let commit =
        Command::new("git").args(["rev-parse", "--short", "HEAD"]).current_dir(&folder).output().unwrap();
    let commit = String::from_utf8(commit.stdout).unwrap();
    assert!(record.contains(&format!("commit {}.", commit.trim())), "{record}");
    let again = long(folder.path(), &["fuzz"]);
    let anew = std::fs::read_to_string(folder.path().join(".ci/record/fuzz.md")).unwrap();
    assert_eq!(anew.lines().count(), record.lines().count(), "written anew: {anew}\n{again:?}");
}

#[test]
fn unknown_part_is_named() {
    let folder = repository();
    let ran = long(folder.path(), &["nap"]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8(ran.stderr).unwrap().contains("there is no part 'nap'"));
}
