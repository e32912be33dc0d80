//! The facts of thousands of openings, which mostly share all but their times and the local address.

use std::sync::Arc;
use std::time::Duration;

use super::opening::{Attempt, Opened, Timestamps};
use super::phase::Phases;

/// What one opening told, kept in little memory.
#[derive(Debug, Clone)]
pub enum Facts {
    Whole(Arc<Opened>),
    Alike(Box<Alike>),
}

/// Where an opening differs from another.
#[derive(Debug, Clone)]
pub struct Alike {
    like: Arc<Opened>,
    local: Option<Box<str>>,
    phases: Phases,
    /// Of the only attempt.
    took: Duration,
}

impl Facts {
    /// Keeps what was told, by its difference from `like` where that is all there is to keep; what is unlike is
    /// what the next are compared with.
    pub fn keep(opened: &Arc<Opened>, like: &mut Option<Arc<Opened>>) -> Facts {
        let alike = like.as_ref().and_then(|like| Alike::new(opened, like));
        if let Some(alike) = alike {
            return Facts::Alike(Box::new(alike));
        }
        *like = Some(Arc::clone(opened));
        Facts::Whole(Arc::clone(opened))
    }

    /// Who stamps the connection's bytes.
    pub fn timestamps(&self) -> Timestamps {
        match self {
            Facts::Whole(opened) => opened.timestamps,
            Facts::Alike(alike) => alike.like.timestamps,
        }
    }

    /// What was told.
    pub fn tell(&self) -> Arc<Opened> {
        match self {
            Facts::Whole(opened) => Arc::clone(opened),
            Facts::Alike(alike) => Arc::new(alike.tell()),
        }
    }
}

impl Alike {
    fn new(opened: &Opened, like: &Arc<Opened>) -> Option<Alike> {
        let [Attempt { took, .. }] = opened.attempts.as_slice() else { return None };
        let local = opened.local.as_deref().map(Box::from);
        let alike = Alike { like: Arc::clone(like), local, phases: opened.phases, took: *took };
        (alike.tell() == *opened).then_some(alike)
    }

    fn tell(&self) -> Opened {
        let mut opened = Opened {
            local: self.local.as_deref().map(String::from),
            phases: self.phases,
            ..Opened::clone(&self.like)
        };
        opened.attempts.iter_mut().for_each(|attempt| attempt.took = self.took);
        opened
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(port: u16, remote: &str) -> Arc<Opened> {
        let took = Duration::from_micros(port.into());
        Arc::new(Opened {
            local: Some(format!("127.0.0.1:{port}")),
            remote: Some(remote.to_string()),
            attempts: vec![Attempt { address: remote.to_string(), took, error: None }],
            phases: Phases { tcp: Some(took), total: took * 3, ..Phases::default() },
            ..Opened::default()
        })
    }

    #[test]
    fn all_that_was_told_can_be_told_again() {
        let mut two = Opened::clone(&opened(6, "a:1"));
        two.attempts
            .insert(0, Attempt { address: "b:1".into(), took: Duration::ZERO, error: Some("no".into()) });
        let all = [opened(1, "a:1"), opened(2, "a:1"), opened(3, "b:1"), opened(4, "b:1"), Arc::new(two)];
        let mut like = None;
        let kept: Vec<Facts> = all.iter().map(|opened| Facts::keep(opened, &mut like)).collect();
        let whole = kept.iter().map(|facts| matches!(facts, Facts::Whole(_)));
        assert_eq!(whole.collect::<Vec<_>>(), [true, false, true, false, true]);
        assert_eq!(kept.iter().map(Facts::tell).collect::<Vec<_>>(), all);
    }
}
