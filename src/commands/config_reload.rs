//! The configuration file, read again while connections are kept.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

/// Reads the configuration. The error says what is wrong with it.
pub type LoadConfig<T> = dyn Fn() -> Result<T, String> + Send + Sync;

/// Reads the configuration again when SIGHUP asks for it.
pub struct ConfigReload<T> {
    load: Arc<LoadConfig<T>>,
    hang_ups: mpsc::UnboundedReceiver<()>,
    /// What is being read.
    loading: Option<oneshot::Receiver<Result<T, String>>>,
}

impl<T: Send + 'static> ConfigReload<T> {
    /// `hang_ups`: a request for each SIGHUP.
    pub fn new(load: Arc<LoadConfig<T>>, hang_ups: mpsc::UnboundedReceiver<()>) -> ConfigReload<T> {
        ConfigReload { load, hang_ups, loading: None }
    }

    /// Waits for the next SIGHUP, and reads the configuration. Loses nothing when it is dropped and called again.
    ///
    /// # Errors
    ///
    /// The configuration has a mistake.
    pub async fn next(&mut self) -> Result<T, String> {
        if self.loading.is_none() {
            if self.hang_ups.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
            self.start();
        }
        self.loaded().await
    }

    /// Reads the configuration now.
    ///
    /// # Errors
    ///
    /// It has a mistake.
    pub async fn now(&mut self) -> Result<T, String> {
        self.start();
        self.loaded().await
    }

    fn start(&mut self) {
        // One reading answers all signals so far.
        while self.hang_ups.try_recv().is_ok() {}
        let load = Arc::clone(&self.load);
        self.loading = start_off_thread(move || load());
    }

    async fn loaded(&mut self) -> Result<T, String> {
        let loaded = match &mut self.loading {
            Some(loading) => loading.await.ok(),
            None => None,
        };
        self.loading = None;
        loaded.unwrap_or_else(|| Err("it could not be read".to_string()))
    }
}

/// Runs this on a thread of its own, since the runtime's may all wait for a resolver that does not answer; `None` if it
/// panicked or there is no thread.
pub async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    start_off_thread(work)?.await.ok()
}

fn start_off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<oneshot::Receiver<T>> {
    let (done, result) = oneshot::channel();
    std::thread::Builder::new().spawn(move || drop(done.send(work()))).ok()?;
    Some(result)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    #[tokio::test]
    async fn reading_goes_on_when_its_caller_was_called_away() {
        let (send, hang_ups) = mpsc::unbounded_channel();
        let (reads, barrier) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(2)));
        let (counted, waiting) = (Arc::clone(&reads), Arc::clone(&barrier));
        let load = move || {
            waiting.wait();
            Ok(counted.fetch_add(1, SeqCst))
        };
        let mut reload = ConfigReload::new(Arc::new(load), hang_ups);
        (0..3).for_each(|_| send.send(()).unwrap());
        // The reading has begun and cannot end before the barrier.
        tokio::select! { biased; _ = reload.next() => panic!(), () = std::future::ready(()) => {} }
        tokio::task::spawn_blocking(move || barrier.wait()).await.unwrap();
        assert_eq!(reload.next().await, Ok(0));
        drop(send);
        tokio::select! { biased; _ = reload.next() => panic!(), () = std::future::ready(()) => {} }
        assert_eq!(reads.load(SeqCst), 1);
    }

    #[tokio::test]
    async fn reading_that_panics_is_an_error() {
        let (send, hang_ups) = mpsc::unbounded_channel();
        let mut reload = ConfigReload::<()>::new(Arc::new(|| panic!("a fault")), hang_ups);
        send.send(()).unwrap();
        assert_eq!(reload.next().await, Err("it could not be read".to_string()));
        assert!(reload.now().await.is_err());
    }
}
