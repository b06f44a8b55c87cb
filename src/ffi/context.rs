//! `struct fripp_ctx`: contexts are created and destroyed.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;

use crate::context::Context;
use crate::encode::settings::Settings;
use crate::error::Error;
use crate::ffi::guard::{guarded, silence_panics};
use crate::log::Message;
use crate::process;
use crate::send::endpoint::Endpoint;
use crate::sys::flux::Flux;
use crate::sys::memory;
use crate::uri::Uri;
use crate::uri::environment::{self, default_dialect};

/// Flux's handle, opaque: its struct tag differs between versions.
#[allow(non_camel_case_types)]
pub enum flux_t {}

/// A context: an endpoint, settings, and the metrics that are pending. Opaque.
#[allow(non_camel_case_types)]
pub struct fripp_ctx {
    _opaque: [u8; 0],
}

/// Create a context from a URI:
///
///   host:port  [v6]:port  udp://host:port  unix:///path  unix:@name
///   tcp://host:port  unixstream:///path  unixstream:@name
///
/// (the second line: streams, of lines that each end in a newline)
///
/// followed by ?key=value&..., percent-encoded, in any order:
///
///   dialect      the form that the server reads: brubeck (the default with
///                a handle), statsd (the default without one), dogstatsd,
///                telegraf, graphite, vector, otel, exporter, gostatsd or
///                collectd; also netdata, statsite (statsd), datadog
///                (dogstatsd), influx (telegraf), prometheus (exporter)
///   histogram    h, or d: as a distribution, if the dialect has both
///   period       seconds between flushes: 1; 0.01 to 86400, or 0: each
///                metric is sent at once
///   prefix       see fripp_set_prefix (): flux.{{rank}} with a handle, none
///                without one
///   tags         see fripp_set_tags ()
///   mtu          the most bytes of a datagram: 1440, or 7680 on this host for
///                some servers' flushes; 512 to 65507
///   refresh      seconds after which an unchanged gauge is sent again: 10;
///                0: never
///   max_metrics  the most metrics: 1000000
///   max_samples  the most samples of one timer or histogram in a period:
///                32768; 1 to 1000000. Of more, one at random of each 2, 4,
///                8, ... is sent, with its rate
///   buffer       the most bytes that wait: 16777216
///   origin       none, or auto, in the dialect dogstatsd: each line has the
///                id of the container that the process runs in (|c:), and
///                the pod of DD_ENTITY_ID as a tag
///   telemetry    0, or 1: what fripp_get_stats () counts is sent, too, as
///                totals under fripp.: fripp.lines, fripp.dropped, ...
///
/// h    as for fripp_ctx_create ()
/// uri  the URI. With NULL, the environment is read: the variable
///      FLUX_FRIPP_STATSD, which holds a URI; without a Flux handle then
///      DD_DOGSTATSD_URL, DD_AGENT_HOST with DD_DOGSTATSD_PORT (these mean
///      the dialect dogstatsd), and STATSD_HOST with STATSD_PORT (the
///      dialect statsd). If none is set, and in a set-user-ID program,
///      the context is disabled: every call succeeds and does nothing. If the
///      first variable that is set is wrong, the context is disabled, too,
///      and a line with "parse error" goes to the handle's log, or without
///      a handle to the function of fripp_set_log (). Without either, the
///      process prints that line on stderr, once, after a second or when it
///      exits.
///
/// Returns a context, or NULL with errno:
///
///   EINVAL  the URI is malformed, or has an unknown key or a value out of
///           range
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
            let text = unsafe { CStr::from_ptr(uri) }.to_bytes();
            let uri = Uri::parse_for(text, default_dialect(flux.is_some()));
            return uri.map_err(invalid)?.context(flux).map(hand_out);
        }
        match environment::uri(flux.is_some()) {
            None => Ok(hand_out(Context::disabled(flux, None))),
            Some(Ok(uri)) => uri.context(flux).map(hand_out),
            Some(Err(reason)) => {
                let message = Message::error(reason);
                match &flux {
                    Some(flux) => flux.log(&message),
                    None => process::print_unless_heard(&message),
                }
                Ok(hand_out(Context::disabled(flux, Some(message))))
            }
        }
    })
}

/// Create a context that sends to hostname and port, in the dialect brubeck.
///
/// h         the Flux handle of the calling thread, whose reactor and log
///           the context uses, or NULL
/// hostname  an IPv4 or IPv6 address, a host name, or "unix:/path" or
///           "unix:@name" for a UNIX datagram socket, which has no port
/// port      1 to 65535
///
/// The call does not block: DNS lookups run on a separate thread, and the
/// server may start later. What is recorded until then is kept.
///
/// Returns a context, to be destroyed with fripp_ctx_destroy (), or NULL
/// with errno:
///
///   EINVAL  hostname is NULL, empty or not a host's name, or port is out of
///           range
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
        Ok(hand_out(Context::open(endpoint, Settings::default(), flux)?))
    })
}

/// Send what is pending, for at most 100 ms, and free the context. What the
/// kernel has not accepted by then is lost. NULL does nothing; errno does not
/// change.
///
/// No call on the context may run at the same time or come later. With a
/// Flux handle: from its thread. It may run in an aux destructor during
/// flux_close (), because flux_watcher_destroy () is all that it calls of
/// Flux.
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

/// Return whether an endpoint is configured.
///
/// Returns true if one is; false if none is, and for NULL.
///
/// May be called from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_enabled(ctx: *const fripp_ctx) -> bool {
    // SAFETY: a live context or NULL.
    unsafe { context(ctx) }.is_ok_and(Context::is_enabled)
}

/// The context that a pointer points to.
///
/// # Safety
/// The pointer is NULL or came from a create and was not destroyed.
pub unsafe fn context<'a>(ctx: *const fripp_ctx) -> Result<&'a Context, Error> {
    // SAFETY: as above.
    unsafe { ctx.cast::<Context>().as_ref() }.ok_or_else(|| is_null("ctx"))
}

/// A required argument is NULL.
#[cold]
pub fn is_null(argument: &str) -> Error {
    Error::Invalid.because(format_args!("{argument} is NULL"))
}

/// The C string of a required argument, called `name`.
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

/// Gives a context to the caller, and starts its timer on the handle's reactor.
fn hand_out(context: Arc<Context>) -> *mut fripp_ctx {
    let raw = Arc::into_raw(context);
    // SAFETY: it was just made, and the caller has the one reference.
    let context = unsafe { &*raw };
    if let (Some(flux), true) = (context.flux(), context.is_enabled()) {
        let arg = raw.cast_mut().cast();
        // SAFETY: destroy ends both before it frees the context.
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
        // SAFETY: the watcher is destroyed before its context.
        unsafe { context(arg.cast()) }?.reactor_turn();
        Ok(())
    });
}

/// The `flux_watcher_f` of what reports the end of a turn, or of a hold.
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
