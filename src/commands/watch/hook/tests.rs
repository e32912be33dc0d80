use super::*;

/// A test that hangs fails.
const LIMIT: Duration = Duration::from_secs(60);

fn plan(words: &str) -> HookPlan {
    let command = words.parse().unwrap();
    HookPlan { interval: Duration::ZERO, limit: LIMIT, shows_output: false, ..HookPlan::new(command) }
}

fn event() -> HookEvent {
    HookEvent { name: "closed".to_string(), target: "ws://a.example/".to_string() }
}

/// The outcomes of this many events with this document.
async fn outcomes(plan: HookPlan, events: usize, document: &str) -> Vec<HookOutcome> {
    let (mut hook, mut results) = Hook::start(plan);
    for _ in 0..events {
        assert!(hook.send(event(), |_| document.to_string()));
    }
    assert_eq!(hook.finish(LIMIT).await, 0);
    std::iter::from_fn(|| results.try_recv().ok()).map(|result| result.outcome).collect()
}

#[tokio::test]
async fn command_reads_document_and_environment() {
    let checks = r#"sh -c 'test "$WSCHECK_EVENT $WSCHECK_TARGET $(cat)" = "closed ws://a.example/ {}"'"#;
    assert_eq!(outcomes(plan(checks), 1, "{}").await, [HookOutcome::Succeeded]);
    assert_eq!(outcomes(plan(checks), 1, "[]").await, [HookOutcome::Failed(ExitStatus::Code(1))]);
}

#[tokio::test]
async fn each_failure_has_its_outcome() {
    assert_eq!(outcomes(plan("sh -c 'exit 7'"), 1, "").await, [HookOutcome::Failed(ExitStatus::Code(7))]);
    assert_eq!(
        outcomes(plan("sh -c 'kill -9 $$'"), 1, "").await,
        [HookOutcome::Failed(ExitStatus::Signal(9))]
    );
    let why = "no such file or directory (ENOENT)".to_string();
    assert_eq!(outcomes(plan("/no/such/program"), 1, "").await, [HookOutcome::NotStarted { why }]);
    let limit = Duration::from_millis(10);
    let endless = HookPlan { limit, ..plan("sh -c 'sleep 1000 & wait'") };
    assert_eq!(outcomes(endless, 1, "").await, [HookOutcome::TimedOut { limit }]);
}

#[tokio::test]
async fn large_document_is_read_or_ignored() {
    let document = "x".repeat(1_000_000);
    let counts = "sh -c 'test $(wc -c) -eq 1000000'";
    assert_eq!(outcomes(plan(counts), 1, &document).await, [HookOutcome::Succeeded]);
    assert_eq!(outcomes(plan("true"), 1, &document).await, [HookOutcome::Succeeded]);
}

#[tokio::test]
async fn commands_run_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("lock");
    let command = format!("sh -c 'mkdir {0} && sleep 0.02 && rmdir {0}'", lock.display());
    assert_eq!(outcomes(plan(&command), 10, "").await, vec![HookOutcome::Succeeded; 10]);
}

#[tokio::test]
async fn events_beyond_the_queue_are_counted_in_the_next_document() {
    let (mut hook, mut results) = Hook::start(plan("true"));
    let queued = (0..MAX_QUEUED + 7).filter(|_| hook.send(event(), |dropped| dropped.to_string()));
    assert_eq!(queued.count(), MAX_QUEUED);
    results.recv().await.unwrap();
    let mut told = Vec::new();
    for _ in 0..2 {
        // The worker takes the next event before it reports on it.
        results.recv().await.unwrap();
        assert!(hook.send(event(), |dropped| {
            told.push(dropped);
            String::new()
        }));
    }
    assert_eq!(told, [7, 0]);
}

#[tokio::test]
async fn starts_are_limited() {
    let slow = HookPlan { interval: Duration::from_secs(100_000), burst: 2, ..plan("true") };
    let (mut hook, mut results) = Hook::start(slow);
    for _ in 0..3 {
        assert!(hook.send(event(), |_| String::new()));
    }
    assert!(results.recv().await.is_some() && results.recv().await.is_some());
    assert_eq!(hook.finish(Duration::from_millis(10)).await, 1, "the third would have waited");
    assert_eq!(results.recv().await, None);
}

#[test]
fn result_is_a_sentence() {
    let result = |outcome| HookResult {
        command: "notify".to_string(),
        event: "closed".to_string(),
        target: "ws://a.example/".to_string(),
        outcome,
        elapsed: Duration::ZERO,
    };
    assert_eq!(
        result(HookOutcome::Failed(ExitStatus::Code(3))).to_string(),
        "'notify' exited with status 3 for the event closed"
    );
    assert_eq!(
        result(HookOutcome::TimedOut { limit: Duration::from_secs(30) }).to_string(),
        "'notify' did not end within 30 s for the event closed, and was ended"
    );
}
