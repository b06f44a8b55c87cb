//! The contexts of a process: how they are opened and closed, and what happens
//! to them at fork and at exit.

pub mod exit;
pub mod fork;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::context::{Context, notice};
use crate::encode::origin::Origin;
use crate::encode::settings::Settings;
use crate::error::Error;
use crate::log::Message;
use crate::send::endpoint::Endpoint;
use crate::sys::container;
use crate::sys::flux::Flux;
use crate::uri::{Uri, environment};

impl Context {
    /// Opens a context that sends to `endpoint`.
    pub fn open(
        endpoint: Endpoint,
        settings: Settings,
        flux: Option<Flux>,
    ) -> Result<Arc<Context>, Error> {
        let context = Context::new(endpoint, settings, flux);
        fork::watch();
        context.entry.store(exit::add(Arc::downgrade(&context))?, Relaxed);
        Ok(context)
    }

    /// Sends what is pending, for at most 100 ms, and releases everything.
    pub fn close(&self) {
        if self.is_enabled() {
            exit::remove(self.entry.load(Relaxed));
        }
        self.end();
    }
}

/// Prints the message of a wrong variable on stderr, unless a log function
/// receives it within a period; at exit at the latest.
pub fn print_unless_heard(message: &Message) {
    fork::watch();
    exit::watch();
    notice::wait(message);
}

impl Uri {
    /// The context of a URI. With a handle its metrics begin with the rank.
    pub fn context(self, flux: Option<Flux>) -> Result<Arc<Context>, Error> {
        let Uri { endpoint, mut settings, prefix, tells_origin, telemetry } = self;
        if tells_origin {
            settings.origin =
                Origin::new(environment::entity().as_deref(), container::id().as_deref());
        }
        let default = if flux.is_some() { &b"flux.{{rank}}"[..] } else { b"" };
        let rank = flux.as_ref().map_or(0, Flux::rank);
        settings.set_prefix(prefix.as_deref().unwrap_or(default), rank)?;
        let context = Context::open(endpoint, settings, flux)?;
        if telemetry {
            context.open_telemetry().inspect_err(|_| context.close())?;
        }
        Ok(context)
    }
}
