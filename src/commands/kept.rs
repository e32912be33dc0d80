//! Connections that are kept: each runs as `ping` does, until another configuration leaves it out or everything stops.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::ping::PingPlan;
use super::run_control::OpeningLimit;

/// Maximum time between the starts of two connections. Each sends its heartbeats from its own start on, so that those of
/// many connections are spread.
const MAX_START_GAP: Duration = Duration::from_millis(20);

/// The labels of a target.
pub type Labels = BTreeMap<String, String>;

/// A connection to keep, or several with the same options.
#[derive(Clone)]
pub struct KeptConnection {
    /// Everything that its plan was made of. While the key is the same, the connection stays.
    pub key: Vec<String>,
    /// Those of its entry in the configuration file, its `name` among them; none without an entry.
    pub labels: Labels,
    pub plan: PingPlan,
}

/// A connection that is to be started.
pub struct KeptStart {
    pub id: KeptId,
    pub labels: Labels,
    pub plan: PingPlan,
    /// How long it waits, so that connections that start together are spread.
    pub delay: Duration,
    /// Stops it.
    pub stop: CancellationToken,
    /// Bounds its openings and those of the others together.
    pub openings: OpeningLimit,
}

/// A connection that is kept; no other one has the same number.
pub type KeptId = u64;

/// How many connections [`KeptConnections::replace`] started, stopped and left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeptChanges {
    pub started: usize,
    pub stopped: usize,
    pub unchanged: usize,
}

/// The connections that are kept.
pub struct KeptConnections<F> {
    open: BTreeMap<KeptId, OpenConnection>,
    /// Also those that were told to stop and have not ended yet.
    runs: FuturesUnordered<Pin<Box<dyn Future<Output = ()>>>>,
    next_id: KeptId,
    openings: OpeningLimit,
    start: F,
    stop: CancellationToken,
}

struct OpenConnection {
    key: Vec<String>,
    stop: CancellationToken,
}

impl<F, R> KeptConnections<F>
where
    F: FnMut(KeptStart) -> R,
    R: Future<Output = ()> + 'static,
{
    /// No connection. `start` makes the run of one; `stop` ends all.
    pub fn new(start: F, stop: CancellationToken) -> KeptConnections<F> {
        let (open, runs, openings) = (BTreeMap::new(), FuturesUnordered::new(), OpeningLimit::default());
        KeptConnections { open, runs, next_id: 0, openings, start, stop }
    }

    /// Keeps these connections and no others: stops those that are not among them, leaves alone those that are, and starts
    /// the rest. Returns the number of each, in their order. Nothing of a new one is reported before [`Self::run`].
    pub fn replace(&mut self, wanted: Vec<KeptConnection>) -> (Vec<KeptId>, KeptChanges) {
        let mut before: HashMap<Vec<String>, Vec<(KeptId, CancellationToken)>> = HashMap::new();
        for (id, open) in std::mem::take(&mut self.open) {
            before.entry(open.key).or_default().push((id, open.stop));
        }
        let mut changes = KeptChanges::default();
        let mut ids = Vec::new();
        let mut new = Vec::new();
        for KeptConnection { key, labels, plan } in wanted {
            let same = before.get_mut(&key).and_then(Vec::pop);
            let id = if let Some((id, stop)) = same {
                changes.unchanged += 1;
                self.open.insert(id, OpenConnection { key, stop });
                id
            } else {
                let id = self.add(key);
                new.push((id, labels, plan));
                id
            };
            ids.push(id);
        }
        let gone: Vec<_> = before.into_values().flatten().collect();
        gone.iter().for_each(|(_, stop)| stop.cancel());
        (changes.started, changes.stopped) = (new.len(), gone.len());
        self.start_all(new);
        (ids, changes)
    }

    fn add(&mut self, key: Vec<String>) -> KeptId {
        let id = self.next_id;
        self.next_id += 1;
        self.open.insert(id, OpenConnection { key, stop: self.stop.child_token() });
        id
    }

    fn start_all(&mut self, new: Vec<(KeptId, Labels, PingPlan)>) {
        let number = u32::try_from(new.len()).unwrap_or(u32::MAX);
        for (position, (id, labels, plan)) in (0..).zip(new) {
            let Some(open) = self.open.get(&id) else { continue };
            let gap = plan.session.interval.unwrap_or(MAX_START_GAP).min(MAX_START_GAP * number) / number;
            let (stop, openings) = (open.stop.clone(), self.openings.clone());
            let start = KeptStart { id, labels, plan, delay: gap * position, stop, openings };
            self.runs.push(Box::pin((self.start)(start)));
        }
    }

    /// Runs the connections; never returns. Another call continues after one that was dropped.
    pub async fn run(&mut self) {
        self.run_until_none().await;
        std::future::pending().await
    }

    /// Runs the connections until none is left. Another call continues after one that was dropped.
    pub async fn run_until_none(&mut self) {
        while self.runs.next().await.is_some() {}
    }

    /// Runs the connections until all have ended. Something else must have stopped them.
    pub async fn finish(mut self) {
        self.run_until_none().await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use tokio::sync::mpsc;

    use super::*;
    use crate::commands::ping;
    use crate::commands::run_control::{MAX_CONCURRENT_OPENINGS, RunControl};
    use crate::commands::testing::{plan, server};
    use crate::domain::ping::event::{ConnEvent, Event};
    use crate::domain::run::reporter::Reporter;
    use crate::net::batch_sleep::BatchSleep;

    fn connection(url: &str, key: &str) -> KeptConnection {
        let plan = plan(url, Duration::from_millis(20));
        KeptConnection { key: vec![key.to_string()], labels: Labels::new(), plan }
    }

    /// What happened: the connection and whether it was opened (else ended).
    type Log = Rc<RefCell<Vec<(KeptId, bool)>>>;

    struct Logging(KeptId, Log);

    impl Reporter<Event> for Logging {
        fn report(&mut self, event: &Event) {
            let Event::Connection { event, .. } = event else { return };
            match event {
                ConnEvent::Opened(_) => self.1.borrow_mut().push((self.0, true)),
                ConnEvent::Ended(_) => self.1.borrow_mut().push((self.0, false)),
                _ => {}
            }
        }
    }

    async fn run(start: KeptStart, mut reporter: impl Reporter<Event>) {
        let (_, interim) = mpsc::unbounded_channel();
        let KeptStart { plan, stop: interrupt, openings, .. } = start;
        let batch_sleep = BatchSleep::default();
        let control = RunControl { interrupt, interim, batch_sleep, ask_now: Default::default(), openings };
        ping::run(plan, &mut reporter, control).await;
    }

    async fn logged(start: KeptStart, log: Log) {
        let id = start.id;
        run(start, Logging(id, log)).await;
    }

    async fn until<R: Future<Output = ()> + 'static>(
        kept: &mut KeptConnections<impl FnMut(KeptStart) -> R>,
        log: &Log,
        wanted: &[(KeptId, bool)],
    ) {
        let seen = async {
            while !wanted.iter().all(|one| log.borrow().contains(one)) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { () = kept.run() => {}, () = seen => {} }
    }

    #[tokio::test]
    async fn unchanged_connections_stay_open() {
        let (url, log) = (server().await, Log::default());
        let stop = CancellationToken::new();
        let events = Rc::clone(&log);
        let mut kept = KeptConnections::new(move |start| logged(start, Rc::clone(&events)), stop.clone());
        let (ids, changes) = kept.replace(vec![connection(&url, "a"), connection(&url, "b")]);
        assert_eq!((ids, changes), (vec![0, 1], KeptChanges { started: 2, stopped: 0, unchanged: 0 }));
        until(&mut kept, &log, &[(0, true), (1, true)]).await;
        let (ids, changes) = kept.replace(vec![connection(&url, "c"), connection(&url, "b")]);
        assert_eq!((ids, changes), (vec![2, 1], KeptChanges { started: 1, stopped: 1, unchanged: 1 }));
        until(&mut kept, &log, &[(0, false), (2, true)]).await;
        assert!(!log.borrow().contains(&(1, false)), "{log:?}");
        stop.cancel();
        kept.finish().await;
        let mut log = log.borrow().clone();
        log.sort_unstable();
        assert_eq!(log, [(0, false), (0, true), (1, false), (1, true), (2, false), (2, true)]);
    }

    #[tokio::test]
    async fn equal_connections_are_as_many_as_wanted() {
        let mut kept = KeptConnections::new(|start| logged(start, Log::default()), CancellationToken::new());
        let one = || connection("ws://127.0.0.1:1/", "a");
        assert_eq!(kept.replace(vec![one(), one()]).1, KeptChanges { started: 2, ..KeptChanges::default() });
        let changes = kept.replace(vec![one(), one(), one()]).1;
        assert_eq!(changes, KeptChanges { started: 1, stopped: 0, unchanged: 2 });
    }

    /// How many runs began, how many openings are in progress, and the most that ever were.
    #[derive(Debug, Clone, Copy, Default)]
    struct Openings {
        started: usize,
        running: usize,
        most: usize,
        all: usize,
    }

    struct CountingOpenings(Rc<RefCell<Openings>>);

    impl Reporter<Event> for CountingOpenings {
        fn report(&mut self, event: &Event) {
            let mut counts = self.0.borrow_mut();
            match event {
                Event::Started { .. } => counts.started += 1,
                Event::Connection { event: ConnEvent::Opening, .. } => {
                    counts.all += 1;
                    counts.running += 1;
                    counts.most = counts.most.max(counts.running);
                }
                Event::Connection { event: ConnEvent::OpenFailed(_), .. } => counts.running -= 1,
                _ => {}
            }
        }
    }

    /// 100 targets behind a server that accepts nothing are opened 64 at a time.
    #[tokio::test]
    async fn openings_of_all_connections_are_bounded_together() {
        const TARGETS: usize = 100;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let counts = Rc::new(RefCell::new(Openings::default()));
        let counted = Rc::clone(&counts);
        let start = move |start| run(start, CountingOpenings(Rc::clone(&counted)));
        let mut kept = KeptConnections::new(start, CancellationToken::new());
        kept.replace((0..TARGETS).map(|number| connection(&url, &number.to_string())).collect());
        let all_wait = async {
            while counts.borrow().started < TARGETS || counts.borrow().running < MAX_CONCURRENT_OPENINGS {
                tokio::task::yield_now().await;
            }
            // Each task has its turn several times.
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { () = kept.run() => {}, () = all_wait => {} }
        assert_eq!(counts.borrow().running, MAX_CONCURRENT_OPENINGS);
        drop(listener);
        kept.finish().await;
        let Openings { started, running, most, all } = *counts.borrow();
        assert_eq!((started, running, most, all), (TARGETS, 0, MAX_CONCURRENT_OPENINGS, TARGETS));
    }
}
