//! `telemetry=1`: what a context counts of its own work goes with its
//! flushes, as totals under `fripp.`.

#![forbid(unsafe_code)]

use crate::context::{Active, Context, Outbound};
use crate::error::Error;
use crate::metric::kind::Kind;
use crate::stats::Stats;

impl Context {
    /// Sends the context's counts from now on.
    pub fn open_telemetry(&self) -> Result<(), Error> {
        for (name, _) in Stats::default().totals() {
            // one that does not fit is counted as dropped
            if let Err(Error::NoMemory) = self.metric_get(Kind::Total, name, b"") {
                return Err(Error::NoMemory);
            }
        }
        if let Some((_, mut out)) = self.lock() {
            out.told = Some(Box::default());
        }
        Ok(())
    }
}

impl Outbound {
    /// A flush begins: the counts that have changed go with it, if there is
    /// anything else to tell.
    pub(crate) fn record_counts(&mut self, active: &Active) {
        let Some(told) = &mut self.told else { return };
        let busy = !self.flush.is_at_end(&active.registry) || !self.appended.is_empty();
        told.tell(&self.journal.stats, busy, |name, count| {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            let metric = active.registry.find(Kind::Total, name);
            metric.is_some_and(|metric| active.set_total(metric, count).is_some())
        });
    }
}
