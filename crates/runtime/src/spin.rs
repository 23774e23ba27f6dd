//! Keeps a thread awake for a moment while others are about to have something for it.
//!
//! A window of a few hundred events takes less time than a sleeping thread takes to wake up. So a thread that has done its
//! part of a window looks out for the next for a while, before it goes to sleep as any other.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};
use tokio::task::{spawn_local, yield_now};

/// How long a thread stays awake. Every shard may have one; those of a thread do not know of each other.
#[derive(Debug, Default)]
pub(super) struct Spin {
    /// How often it looks out, each time it is kept.
    looks: u32,
    /// How often it will still look out.
    left: Arc<AtomicU32>,
}

impl Spin {
    /// Each look lets everything else on the thread go first, and takes about a microsecond.
    const LOOKS: u32 = 200;

    /// That of one of so many threads: none where nobody else could have anything for it.
    pub(super) fn among(threads: usize) -> Self {
        Self { looks: if threads > 1 { Self::LOOKS } else { 0 }, left: Arc::default() }
    }

    pub(super) fn keep(&self) {
        if self.left.swap(self.looks, Relaxed) > 0 || self.looks == 0 {
            return;
        }
        let left = Arc::clone(&self.left);
        spawn_local(async move {
            while left.load(Relaxed) > 0 {
                left.fetch_sub(1, Relaxed);
                yield_now().await;
            }
        });
    }
}
