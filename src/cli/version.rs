//! What `wscheck --version` says: the version, the commit, the system that it was built for, and what it can do there.

use std::sync::LazyLock;

/// `0.2.0`, and a line each for the commit, the target and the features.
pub fn long() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let commit = Some(env!("WSCHECK_COMMIT")).filter(|commit| !commit.is_empty());
        text(commit.unwrap_or("unknown"), env!("WSCHECK_TARGET"), &features())
    });
    &TEXT
}

fn text(commit: &str, target: &str, features: &[&str]) -> String {
    let features = features.join(", ");
    format!("{}\ncommit    {commit}\ntarget    {target}\nfeatures  {features}", env!("CARGO_PKG_VERSION"))
}

/// What depends on how it was built.
fn features() -> Vec<&'static str> {
    let linkage = if cfg!(target_feature = "crt-static") { "static" } else { "dynamic" };
    let of_linux = ["kernel timestamps", "TCP_INFO", "netlink"];
    let of_system = if cfg!(target_os = "linux") { &of_linux[..] } else { &[] };
    [&[linkage, "TLS 1.2 and 1.3 (rustls with ring)"][..], of_system].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_a_line() {
        let expected = format!(
            "{}\ncommit    0123456789ab, changed\ntarget    x86_64-unknown-linux-musl\nfeatures  static, netlink",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(
            text("0123456789ab, changed", "x86_64-unknown-linux-musl", &["static", "netlink"]),
            expected
        );
    }
}
