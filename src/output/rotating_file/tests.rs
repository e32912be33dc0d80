use std::os::unix::fs::symlink;
use std::process::Command;

use super::*;

fn limits(size: u64, files: u32) -> RotationLimits {
    RotationLimits { size, files: NonZeroU32::new(files).unwrap() }
}

/// A folder, and the path of a log in it.
fn log_path() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    (folder, path)
}

fn open_log(path: &Path, size: u64, files: u32) -> RotatingFile {
    RotatingFile::open(path, limits(size, files)).unwrap()
}

/// Writes lines that must all be written.
fn append_all(log: &mut RotatingFile, lines: &[&str]) {
    for line in lines {
        let notices = log.append(line);
        assert!(notices.is_empty(), "{notices:?}");
    }
}

/// The text of each file of a folder, by name.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let file = |entry: io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    let mut all: Vec<_> = fs::read_dir(folder).unwrap().map(file).collect();
    all.sort();
    all
}

fn named(texts: &[(&str, &str)]) -> Vec<(String, String)> {
    texts.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

#[test]
fn newest_files_are_kept_and_lines_stay_whole() {
    let (folder, path) = log_path();
    let mut log = open_log(&path, 8, 2);
    append_all(&mut log, &["one", "two"]);
    assert_eq!(texts(folder.path()), named(&[("log", "one\ntwo\n")]), "exactly the size");
    append_all(&mut log, &["three"]);
    assert_eq!(texts(folder.path()), named(&[("log", "three\n"), ("log.1", "one\ntwo\n")]));
    append_all(&mut log, &["a line longer than a file", "six"]);
    let expected = [("log", "six\n"), ("log.1", "a line longer than a file\n"), ("log.2", "three\n")];
    assert_eq!(texts(folder.path()), named(&expected), "the oldest is gone");
}

#[test]
fn many_lines_are_neither_lost_nor_split() {
    let (folder, path) = log_path();
    let lines: Vec<String> =
        (0..1000).map(|number| format!("{number:0>width$}", width = number % 37 + 1)).collect();
    for part in lines.chunks(100) {
        // Each time as a new process.
        let mut log = open_log(&path, 500, 1000);
        part.iter().for_each(|line| append_all(&mut log, &[line]));
    }
    let mut files = texts(folder.path());
    assert!(files.iter().all(|(_, text)| text.len() <= 500) && files.len() > 30);
    files.sort_by_key(|(name, _)| {
        std::cmp::Reverse(name.strip_prefix("log.").map_or(0, |number| number.parse::<u32>().unwrap()))
    });
    let text: String = files.into_iter().map(|(_, text)| text).collect();
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn missing_number_is_filled_first() {
    let (folder, path) = log_path();
    fs::write(folder.path().join("log.1"), "1").unwrap();
    fs::write(folder.path().join("log.3"), "3").unwrap();
    append_all(&mut open_log(&path, 2, 3), &["a", "b"]);
    let expected = [("log", "b\n"), ("log.1", "a\n"), ("log.2", "1"), ("log.3", "3")];
    assert_eq!(texts(folder.path()), named(&expected));
}

#[test]
fn files_moved_removed_or_truncated_by_others_are_noticed() {
    let (folder, path) = log_path();
    let mut log = open_log(&path, 100, 1);
    append_all(&mut log, &["one"]);
    fs::rename(&path, folder.path().join("moved")).unwrap();
    append_all(&mut log, &["two"]);
    assert_eq!(texts(folder.path()), named(&[("log", "two\n"), ("moved", "one\n")]));
    fs::remove_file(&path).unwrap();
    append_all(&mut log, &["three"]);
    OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    append_all(&mut log, &["four"]);
    assert_eq!(texts(folder.path()), named(&[("log", "four\n"), ("moved", "one\n")]));
}

#[test]
fn line_torn_by_a_crash_is_ended_first() {
    let (folder, path) = log_path();
    fs::write(&path, "{\"a\":").unwrap();
    append_all(&mut open_log(&path, 100, 1), &["{}", "{}"]);
    assert_eq!(texts(folder.path()), named(&[("log", "{\"a\":\n{}\n{}\n")]));
}

#[test]
fn full_device_is_reported_once_and_its_end_too() {
    let (folder, path) = log_path();
    symlink("/dev/full", &path).unwrap();
    let mut log = open_log(&path, 100, 1);
    let [LogNotice::Failed(error)] = &log.append("one")[..] else { panic!("no error") };
    assert_eq!(error.raw_os_error(), Some(libc::ENOSPC));
    append_all(&mut log, &["two"]);
    fs::remove_file(&path).unwrap();
    let notices = log.append("three");
    assert!(matches!(notices[..], [LogNotice::Recovered { lost: 2 }]), "{notices:?}");
    append_all(&mut log, &["four"]);
    assert_eq!(texts(folder.path()), named(&[("log", "three\nfour\n")]));
}

#[test]
fn log_without_its_folder_is_lost_and_reported() {
    let (folder, path) = log_path();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let mut log = open_log(&inner.join("log"), 100, 1);
    append_all(&mut log, &["one"]);
    fs::remove_dir_all(&inner).unwrap();
    let notices = log.append("two");
    assert!(matches!(notices[..], [LogNotice::NotRotated(_), LogNotice::Failed(_)]), "{notices:?}");
    append_all(&mut log, &["three"]);
    fs::create_dir(&inner).unwrap();
    assert!(matches!(log.append("four")[..], [LogNotice::Recovered { lost: 2 }]));
    assert_eq!(texts(&inner), named(&[("log", "four\n")]));
    drop(path);
}

#[test]
fn line_is_kept_when_the_file_cannot_be_renamed() {
    let (folder, path) = log_path();
    // A folder that is not empty cannot be replaced.
    fs::create_dir_all(folder.path().join("log.1/full")).unwrap();
    let mut log = open_log(&path, 4, 1);
    append_all(&mut log, &["one"]);
    assert!(matches!(log.append("two")[..], [LogNotice::NotRotated(_)]));
    append_all(&mut log, &["three"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
    fs::remove_dir_all(folder.path().join("log.1")).unwrap();
    append_all(&mut log, &["four"]);
    assert_eq!(texts(folder.path()), named(&[("log", "four\n"), ("log.1", "one\ntwo\nthree\n")]));
}

#[test]
fn unusable_path_is_refused_at_the_start() {
    let (folder, path) = log_path();
    let refused = |path: &Path| RotatingFile::open(path, limits(100, 1)).unwrap_err().kind();
    assert_eq!(refused(&path.join("log")), io::ErrorKind::NotFound);
    assert_eq!(refused(folder.path()), io::ErrorKind::IsADirectory);
}

/// No user can create files in the kernel's folders of processes.
#[test]
#[cfg(target_os = "linux")]
fn folder_that_takes_no_files_is_refused_at_the_start() {
    assert!(OpenOptions::new().append(true).open("/proc/self/comm").is_ok());
    let refused = RotatingFile::open(Path::new("/proc/self/comm"), limits(100, 1));
    assert!(refused.is_err(), "{refused:?}");
}

/// A small file system in memory.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(size: &str) -> SmallDisk {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", size, "tmpfs"]).arg(folder.path());
        assert!(mount.status().unwrap().success());
        SmallDisk(folder)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
#[ignore = "mounts a file system: needs root"]
fn full_disk_keeps_no_part_of_a_line() {
    let disk = SmallDisk::mount("size=64k");
    let (path, filler) = (disk.0.path().join("log"), disk.0.path().join("filler"));
    fs::write(&filler, vec![0; 40_000]).unwrap();
    let mut log = open_log(&path, 1_000_000, 1);
    let line = "x".repeat(9_999);
    let written = (0..10).take_while(|_| log.append(&line).is_empty()).count();
    assert!((1..5).contains(&written), "{written}");
    assert_eq!(fs::metadata(&path).unwrap().len(), 10_000 * written as u64);
    append_all(&mut log, &[&line]);
    fs::remove_file(&filler).unwrap();
    assert!(matches!(log.append(&line)[..], [LogNotice::Recovered { lost: 2 }]));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.lines().all(|found| found == line) && text.lines().count() == written + 1);
}
