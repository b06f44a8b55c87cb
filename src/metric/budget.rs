//! How much a context may keep: the memory for samples and members, and the
//! samples of one metric.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Memory that the samples of a context take, and what was lost because there
/// was not enough of it.
#[derive(Debug)]
pub struct Budget {
    bound: usize,
    max_samples: usize,
    /// More than half of it is in use: what is idle is to be given back.
    tight: AtomicBool,
    used: AtomicUsize,
    lost: AtomicU64,
}

impl Budget {
    /// At most `bound` bytes, and `max_samples` of one metric in a period.
    pub fn new(bound: usize, max_samples: usize) -> Budget {
        Budget {
            bound,
            max_samples,
            tight: AtomicBool::new(false),
            used: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
        }
    }

    /// The most samples of one metric in a period: more are thinned.
    pub fn max_samples(&self) -> usize {
        self.max_samples
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// Samples lost since the last call.
    pub fn take_lost(&self) -> u64 {
        if self.lost.load(Relaxed) == 0 { 0 } else { self.lost.swap(0, Relaxed) }
    }

    /// Whether so many bytes more may be used.
    pub fn take(&self, bytes: usize) -> bool {
        let fits = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.bound);
        let used = self.used.fetch_update(Relaxed, Relaxed, fits);
        if used.is_err() || used.is_ok_and(|used| used > self.bound / 2) {
            self.tight.store(true, Relaxed);
        }
        used.is_ok()
    }

    /// Whether memory was short since the last call.
    pub fn was_tight(&self) -> bool {
        self.tight.swap(false, Relaxed)
    }

    /// So many bytes are used no more.
    pub fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Relaxed);
    }

    /// So many samples could not be kept.
    pub fn lose(&self, samples: u64) {
        self.lost.fetch_add(samples, Relaxed);
    }
}
