//! One page for all who ask meanwhile: a flood of requests costs one page after another, never many at once.

use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::commands::config_reload::off_thread;

/// The latest page, and when its making began.
#[derive(Debug, Default)]
pub struct SharedPage(Mutex<Option<(Instant, Bytes)>>);

impl SharedPage {
    /// A page whose making began after this was called; `None` if it could not be made. Takes at most as long as two pages.
    pub async fn get(&self, make: impl FnOnce() -> String + Send + 'static) -> Option<Bytes> {
        let asked = Instant::now();
        let mut latest = self.0.lock().await;
        if let Some((_, page)) = latest.as_ref().filter(|(began, _)| *began >= asked) {
            return Some(page.clone());
        }
        let began = Instant::now();
        let page = Bytes::from(off_thread(make).await?);
        *latest = Some((began, page.clone()));
        Some(page)
    }
}
