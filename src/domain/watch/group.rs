//! The targets that are watched with the same options.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use crate::domain::format::counted;

/// The targets that are watched with the same options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// No other group of the run has the same, and a later one has a greater one.
    pub id: u64,
    /// Its name in the configuration file; `None` for targets of the command line.
    pub name: Option<String>,
    /// Those of its entry in the configuration file.
    pub labels: BTreeMap<String, String>,
    /// Their URLs, without secrets.
    pub targets: Vec<String>,
}

/// What another reading of the configuration came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigChange {
    pub at: SystemTime,
    /// The names of the targets that are watched from now on, and of those that are not any more. A target whose entry
    /// changed is in both.
    pub added: Vec<String>,
    pub removed: Vec<String>,
    /// Targets whose connections stay as they are.
    pub unchanged: usize,
}

impl fmt::Display for ConfigChange {
    /// `configuration reloaded: added: feed; removed: chat; 3 targets unchanged`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("configuration reloaded: ")?;
        for (what, names) in [("added", &self.added), ("removed", &self.removed)] {
            if !names.is_empty() {
                write!(f, "{what}: {}; ", names.join(", "))?;
            }
        }
        write!(f, "{} unchanged", counted(self.unchanged as u64, "target"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_of_the_configuration_reads_as_a_sentence() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let of = |added: &[&str], removed: &[&str], unchanged| {
            let (added, removed) = (names(added), names(removed));
            ConfigChange { at: SystemTime::UNIX_EPOCH, added, removed, unchanged }.to_string()
        };
        assert_eq!(of(&[], &[], 1), "configuration reloaded: 1 target unchanged");
        let both = "configuration reloaded: added: a, b; removed: b; 3 targets unchanged";
        assert_eq!(of(&["a", "b"], &["b"], 3), both);
    }
}
