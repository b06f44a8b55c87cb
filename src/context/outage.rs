//! Servers that do not answer: Flux's log gets one line for a process and
//! endpoint, however many contexts send there.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The endpoints that do not answer, and how many contexts say so.
static SILENT: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// A context whose endpoint does not answer.
#[derive(Debug)]
pub struct Outage {
    endpoint: String,
}

impl Outage {
    /// An outage begins. Whether it is the endpoint's first.
    pub fn begin(endpoint: String) -> (Outage, bool) {
        let mut silent = lock();
        let count = silent.entry(endpoint.clone()).or_insert(0);
        *count += 1;
        (Outage { endpoint }, *count == 1)
    }

    /// An outage ends. Whether it is the endpoint's last.
    pub fn end(self) -> bool {
        let endpoint = self.endpoint.clone();
        drop(self);
        !lock().contains_key(&endpoint)
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        let mut silent = lock();
        if let Some(count) = silent.get_mut(&self.endpoint) {
            *count -= 1;
            if *count == 0 {
                silent.remove(&self.endpoint);
            }
        }
    }
}

fn lock() -> MutexGuard<'static, BTreeMap<String, usize>> {
    SILENT.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_begins_it_and_the_last_ends_it() {
        let begin = || Outage::begin("nobody:1".to_owned());
        let ((first, is_first), (second, is_second)) = (begin(), begin());
        assert!(is_first && !is_second);
        assert!(!first.end());
        assert!(second.end());
        // one that is destroyed
        drop(begin());
        assert!(begin().1);
    }
}
