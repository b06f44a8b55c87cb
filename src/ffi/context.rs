//! `struct fripp_ctx`: contexts, made and destroyed.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;

use crate::context::{Context, Logger};
use crate::encode::settings::Settings;
use crate::error::Error;
use crate::ffi::guard::{guarded, silence_panics, status};
use crate::log::Message;
use crate::send::endpoint::Endpoint;
use crate::sys::flux::Flux;
use crate::sys::memory;
use crate::uri::Uri;

/// Flux's handle, opaque: its struct tag differs between versions.
#[allow(non_camel_case_types)]
pub enum flux_t {}

/// A context: where metrics go, and what waits to go there. Opaque.
#[allow(non_camel_case_types)]
pub struct fripp_ctx {
    _opaque: [u8; 0],
}

/// Create a context that sends to hostname and port.
///
/// h         the Flux handle of the calling thread, whose reactor and log
///           are used then, or NULL
/// hostname  an IPv4 or IPv6 address, the name of a host, or "unix:/path"
///           or "unix:@name" for a UNIX datagram socket, whose port is
///           ignored
/// port      1 to 65535
///
/// It waits for nobody: a name is looked up on a thread of its own, and a
/// server need not be there yet; what is sent until then is kept.
///
/// Returns a context, to be destroyed with fripp_ctx_destroy (), or NULL
/// with errno:
///
///   EINVAL  no such port, an empty or NULL hostname, or one that cannot be
///           a host's name
///   ENOMEM  no memory
///
/// With a handle: from the handle's thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_ctx_create(
    h: *mut flux_t,
    hostname: *const c_char,
    port: c_int,
) -> *mut fripp_ctx {
    guarded(std::ptr::null_mut(), || {
        memory::probe()?;
        silence_panics();
        // SAFETY: the caller gives a C string or NULL.
        let hostname = unsafe { text(hostname, "hostname") }?;
        let endpoint = Endpoint::from_host_port(hostname.to_bytes(), port);
        let endpoint = endpoint.map_err(invalid)?;
        // SAFETY: the caller's handle, or NULL.
        let flux = unsafe { Flux::new(h.cast()) };
        Ok(hand_out(Context::open(endpoint, Settings::default(), flux)))
    })
}

/// Create a context from a URI:
///
///   host:port  [v6]:port  udp://host:port  unix:///path  unix:@name
///
/// and behind it, as ?key=value&..., percent-decoded, in any order:
///
///   dialect      brubeck (the default), statsd, dogstatsd, telegraf,
///                graphite, vector, otel, exporter or gostatsd: what the
///                server reads; also collectd, netdata, statsite (statsd),
///                datadog (dogstatsd), influx (telegraf), prometheus
///                (exporter)
///   histogram    h, or d: as a distribution, where the dialect has both
///   period       seconds between flushes: 1; 0.01 to 86400, or 0: each
///                metric is sent at once
///   prefix       see fripp_set_prefix (): flux.{{rank}} with a handle, none
///                without one
///   tags         see fripp_set_tags ()
///   mtu          bytes of a datagram at most: 1440; 512 to 65507
///   refresh      seconds after which an unchanged gauge is sent again: 10;
///                0: never
///   max_metrics  1000000
///   buffer       bytes that wait at most: 16777216
///
/// h    as for fripp_ctx_create ()
/// uri  the URI. NULL stands for the environment: the variable
///      FLUX_FRIPP_STATSD, which holds a URI; without a Flux handle then
///      DD_DOGSTATSD_URL, DD_AGENT_HOST with DD_DOGSTATSD_PORT (these mean
///      the dialect dogstatsd), and STATSD_HOST with STATSD_PORT (the
///      dialect statsd). Where none is set, and in a set-user-ID program,
///      the context is disabled: it takes every call and does nothing; where
///      the first that is set is wrong, likewise, and a line with "parse
///      error" is logged through the handle.
///
/// Returns a context, or NULL with errno:
///
///   EINVAL  uri is not one, or a value is none that its key can have
///   ENOMEM  no memory
///
/// With a handle: from the handle's thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_ctx_create_uri(
    h: *mut flux_t,
    uri: *const c_char,
) -> *mut fripp_ctx {
    guarded(std::ptr::null_mut(), || {
        memory::probe()?;
        silence_panics();
        // SAFETY: the caller's handle, or NULL.
        let flux = unsafe { Flux::new(h.cast()) };
        if !uri.is_null() {
            // SAFETY: the caller gives a C string.
            let uri = Uri::parse(unsafe { CStr::from_ptr(uri) }.to_bytes());
            return uri.map_err(invalid)?.context(flux).map(hand_out);
        }
        match Uri::from_env(flux.is_some()) {
            None => Ok(hand_out(Context::disabled(flux))),
            Some(Ok(uri)) => uri.context(flux).map(hand_out),
            Some(Err(reason)) => {
                if let Some(flux) = &flux {
                    flux.log(&Message::error(reason));
                }
                Ok(hand_out(Context::disabled(flux)))
            }
        }
    })
}

/// Send what waits, for 100 ms at the most, and free the context. What the
/// kernel has not taken by then is lost. NULL does nothing. errno is kept.
///
/// No call on the context may run at the same time or come later. With a
/// Flux handle: from its thread; it may be an aux destructor that runs in
/// flux_close (), for flux_watcher_destroy () is all that it calls of Flux.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_ctx_destroy(ctx: *mut fripp_ctx) {
    if ctx.is_null() {
        return;
    }
    guarded((), || {
        // SAFETY: it came from `hand_out`, and the caller gives it back.
        let context = unsafe { Arc::from_raw(ctx.cast::<Context>()) };
        context.close();
        Ok(())
    });
}

/// Tell whether an end point is configured.
///
/// Returns true where one is; false where none is, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_enabled(ctx: *const fripp_ctx) -> bool {
    // SAFETY: a live context or NULL.
    unsafe { context(ctx) }.is_ok_and(Context::is_enabled)
}

/// Give what this context has to say to a function instead of to Flux's log:
/// a line when a problem begins and one when it ends, never one a packet.
///
/// log   called with a level of syslog (3 for a problem, 6 for its end), one
///       line of text, and arg; on whatever thread, one call at a time. It
///       may call this library, but neither this function nor destroy. NULL:
///       back to Flux, or to nobody.
/// arg   handed to log; must live as long as the context
///
/// Returns 0, or -1 with errno:
///
///   EINVAL  ctx is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_set_log(
    ctx: *mut fripp_ctx,
    log: Option<unsafe extern "C" fn(level: c_int, text: *const c_char, arg: *mut c_void)>,
    arg: *mut c_void,
) -> c_int {
    status(|| {
        // SAFETY: a live context or NULL.
        let context = unsafe { context(ctx) }?;
        let arg = Arg(arg);
        context.set_logger(log.map(|log| {
            Box::new(move |message: &Message| {
                // SAFETY: the caller vouches for the function and its arg.
                unsafe { log(message.level, message.c_text().as_ptr(), arg.get()) }
            }) as Logger
        }));
        Ok(())
    })
}

/// What the caller gave to have back.
#[derive(Clone, Copy)]
struct Arg(*mut c_void);

// SAFETY: the documentation asks for an arg that any thread may use.
unsafe impl Send for Arg {}

impl Arg {
    fn get(self) -> *mut c_void {
        self.0
    }
}

/// The context behind a pointer.
///
/// # Safety
/// The pointer is NULL or came from a create and was not destroyed.
pub unsafe fn context<'a>(ctx: *const fripp_ctx) -> Result<&'a Context, Error> {
    // SAFETY: as above.
    unsafe { ctx.cast::<Context>().as_ref() }.ok_or_else(|| is_null("ctx"))
}

/// An argument is NULL that must not be.
#[cold]
pub fn is_null(argument: &str) -> Error {
    Error::Invalid.because(format_args!("{argument} is NULL"))
}

/// A C string that is wanted, the argument `name`.
///
/// # Safety
/// The pointer is NULL or a C string.
pub unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a CStr, Error> {
    if text.is_null() {
        return Err(is_null(name));
    }
    // SAFETY: as above.
    Ok(unsafe { CStr::from_ptr(text) })
}

fn invalid(reason: String) -> Error {
    Error::Invalid.because(format_args!("{reason}"))
}

/// Gives a context to the caller, and puts it on its handle's reactor.
fn hand_out(context: Arc<Context>) -> *mut fripp_ctx {
    let raw = Arc::into_raw(context);
    // SAFETY: just made, with one reference that the caller holds now.
    let context = unsafe { &*raw };
    if let (Some(flux), true) = (context.flux(), context.is_enabled()) {
        let arg = raw.cast_mut().cast();
        // SAFETY: destroy ends both before it lets go of the context.
        unsafe { flux.create_watchers(reactor_turn, turn_end, arg) };
        context.wake_for_lookup();
    }
    raw.cast_mut().cast()
}

/// The `flux_watcher_f` of a context's timer.
unsafe extern "C" fn reactor_turn(
    _reactor: *mut c_void,
    _watcher: *mut c_void,
    _revents: c_int,
    arg: *mut c_void,
) {
    guarded((), || {
        // SAFETY: the watcher goes before its context does.
        unsafe { context(arg.cast()) }?.reactor_turn();
        Ok(())
    });
}

/// The `flux_watcher_f` of what tells the end of a reactor's turn.
unsafe extern "C" fn turn_end(
    _reactor: *mut c_void,
    _watcher: *mut c_void,
    _revents: c_int,
    arg: *mut c_void,
) {
    guarded((), || {
        // SAFETY: the watcher goes before its context does.
        unsafe { context(arg.cast()) }?.turn_ends();
        Ok(())
    });
}
