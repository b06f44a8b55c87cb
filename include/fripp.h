/* fripp.h - send metrics to a StatsD server
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Rules for every call:
 *
 * - Calls return 0, or -1 and set errno; calls that return a pointer return
 *   NULL and set errno. fripp_error () has the reason as a sentence. On
 *   success errno does not change. For a metric or a packet, 0 means that it
 *   was sent, or is kept and sent later; -1 means that it will not be sent.
 * - NULL for a required argument fails with EINVAL.
 * - On a disabled context, every call returns 0 and does nothing.
 * - Calls do not block, except flush and destroy, for at most 100 ms, and
 *   create, which may ask Flux for the rank. No call raises a signal, is a
 *   cancellation point, writes to stdout or stderr, or keeps a pointer passed
 *   in.
 * - A failed call has no effect on what other calls queued. Dropped lines
 *   are counted, see fripp_get_stats ().
 * - All calls may be made from any thread at the same time, but no call on a
 *   context or its handles may run during or after its destroy; and with a
 *   Flux handle, create, settings, flush and destroy belong to the handle's
 *   thread. Calls are not async-signal-safe.
 *
 * Programs built with this header run with every later libfripp.so.0: the
 * rule is in docs/abi.md.
 *
 * Generated from the comments in src/ffi: 'make header' writes it.
 */


#ifndef FRIPP_H
#define FRIPP_H


#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* flux_t comes from Flux where the compiler can find it. */
#if defined (__has_include)
#if __has_include (<flux/core.h>)
#include <flux/core.h>
#define FRIPP_HAVE_FLUX 1
#endif
#endif
#if !defined (FRIPP_HAVE_FLUX) && !defined (FLUX_CORE_H) \
    && !defined (_FLUX_CORE_H)
typedef struct fripp_flux flux_t;
#endif

#define FRIPP_VERSION "0.2.0"
#define FRIPP_VERSION_NUMBER 0x000200

/* The default of the longest datagram, in bytes. The key mtu of a URI sets
 * another one; a line is at most as long.
 */
#define FRIPP_MAX_PACKET_LEN 1440

/* A struct fripp_timer that was never started. */
#define FRIPP_TIMER_INIT { 0 }

#if defined (__GNUC__)
#define FRIPP_PRINTF(fmt, args) __attribute__ ((format (printf, fmt, args)))
#else
#define FRIPP_PRINTF(fmt, args)
#endif


/* The types of metrics. */
enum fripp_type {
    /* a number of events, which the server adds up */
    FRIPP_COUNTER,
    /* a running total that the caller keeps */
    FRIPP_TOTAL,
    /* a value that goes up and down */
    FRIPP_GAUGE,
    /* durations in ms */
    FRIPP_TIMER,
    /* a distribution of values of any unit */
    FRIPP_HISTOGRAM,
    /* a set: the server counts its distinct members */
    FRIPP_SET
};

/* The forms of lines, by the servers that read them. */
enum fripp_dialect {
    /* brubeck */
    FRIPP_BRUBECK,
    /* etsy's statsd, netdata, statsite and most others (a URI's
     * dialect=collectd has the form of collectd)
     */
    FRIPP_STATSD,
    /* the Datadog agent */
    FRIPP_DOGSTATSD,
    /* telegraf and InfluxDB */
    FRIPP_TELEGRAF,
    /* statsd in front of Graphite, with tags */
    FRIPP_GRAPHITE,
    /* Vector */
    FRIPP_VECTOR,
    /* the OpenTelemetry collector */
    FRIPP_OTEL,
    /* Prometheus' statsd_exporter */
    FRIPP_EXPORTER,
    /* gostatsd */
    FRIPP_GOSTATSD
};

/* How an event is shown. */
enum fripp_alert {
    /* information */
    FRIPP_ALERT_INFO,
    /* something went well */
    FRIPP_ALERT_SUCCESS,
    /* a warning */
    FRIPP_ALERT_WARNING,
    /* an error */
    FRIPP_ALERT_ERROR
};

/* What a service check found. */
enum fripp_status {
    /* the service works */
    FRIPP_STATUS_OK,
    /* it works, with a warning */
    FRIPP_STATUS_WARNING,
    /* it does not work */
    FRIPP_STATUS_CRITICAL,
    /* the check could not find out */
    FRIPP_STATUS_UNKNOWN
};

/* A context: an endpoint, settings, and the metrics that are pending. Opaque. */
struct fripp_ctx;

/* A metric of a context, looked up once. Opaque. The context owns it, and
 * frees it when it is destroyed.
 */
struct fripp_metric;

/* The start of asynchronous work. It lives in the struct of the caller's
 * operation, so that any number of operations may run at once. It may be
 * copied, and need not be stopped.
 */
struct fripp_timer {
    /* CLOCK_MONOTONIC in ns; 0 if it was never started */
    uint64_t t0;
};

/* What a context counted since it was created. New versions add fields at
 * the end.
 */
struct fripp_stats {
    /* lines that the kernel accepted */
    uint64_t lines;
    /* datagrams that the kernel accepted; of a stream, what would be one */
    uint64_t datagrams;
    /* bytes that the kernel accepted */
    uint64_t bytes;
    /* lines lost, for any reason: the sum of the next four */
    uint64_t dropped;
    /* invalid lines */
    uint64_t dropped_invalid;
    /* lines longer than a datagram */
    uint64_t dropped_oversize;
    /* lines that did not fit into the buffer or into memory */
    uint64_t dropped_full;
    /* lines refused after they were sent, or pending when the context was
     * destroyed
     */
    uint64_t dropped_send;
    /* bytes waiting */
    uint64_t pending;
    /* errors that the kernel reported when sending */
    uint64_t send_errors;
    /* sockets opened after the first one; of a stream, those that connected */
    uint64_t reconnects;
    /* DNS lookups that ended, with or without an address */
    uint64_t resolutions;
};

#ifdef __cplusplus
extern "C" {
#endif

/* -- contexts -- */

/* Create a context from a URI:
 *
 *   host:port  [v6]:port  udp://host:port  unix:///path  unix:@name
 *   tcp://host:port  unixstream:///path  unixstream:@name
 *
 * (the second line: streams, of lines that each end in a newline)
 *
 * followed by ?key=value&..., percent-encoded, in any order:
 *
 *   dialect      the form that the server reads: brubeck (the default with
 *                a handle), statsd (the default without one), dogstatsd,
 *                telegraf, graphite, vector, otel, exporter, gostatsd or
 *                collectd; also netdata, statsite (statsd), datadog
 *                (dogstatsd), influx (telegraf), prometheus (exporter)
 *   histogram    h, or d: as a distribution, if the dialect has both
 *   period       seconds between flushes: 1; 0.01 to 86400, or 0: each
 *                metric is sent at once
 *   prefix       see fripp_set_prefix (): flux.{{rank}} with a handle, none
 *                without one
 *   tags         see fripp_set_tags ()
 *   mtu          the most bytes of a datagram: 1440, or 7680 on this host for
 *                some servers' flushes; 512 to 65507
 *   refresh      seconds after which an unchanged gauge is sent again: 10;
 *                0: never
 *   max_metrics  the most metrics: 1000000
 *   max_samples  the most samples of one timer or histogram in a period:
 *                32768; 1 to 1000000. Of more, one at random of each 2, 4,
 *                8, ... is sent, with its rate
 *   buffer       the most bytes that wait: 16777216
 *   origin       none, or auto, in the dialect dogstatsd: each line has the
 *                id of the container that the process runs in (|c:), and
 *                the pod of DD_ENTITY_ID as a tag
 *   telemetry    0, or 1: what fripp_get_stats () counts is sent, too, as
 *                totals under fripp.: fripp.lines, fripp.dropped, ...
 *
 * h    as for fripp_ctx_create ()
 * uri  the URI. With NULL, the environment is read: the variable
 *      FLUX_FRIPP_STATSD, which holds a URI; without a Flux handle then
 *      DD_DOGSTATSD_URL, DD_AGENT_HOST with DD_DOGSTATSD_PORT (these mean
 *      the dialect dogstatsd), and STATSD_HOST with STATSD_PORT (the
 *      dialect statsd). If none is set, and in a set-user-ID program,
 *      the context is disabled: every call succeeds and does nothing. If the
 *      first variable that is set is wrong, the context is disabled, too,
 *      and a line with "parse error" goes to the handle's log, or without
 *      a handle to the function of fripp_set_log (). Without either, the
 *      process prints that line on stderr, once, after a second or when it
 *      exits.
 *
 * Returns a context, or NULL with errno:
 *
 *   EINVAL  the URI is malformed, or has an unknown key or a value out of
 *           range
 *   ENOMEM  no memory
 *
 * With a handle: from the handle's thread.
 */
struct fripp_ctx *fripp_ctx_create_uri (flux_t *h, const char *uri);

/* Create a context that sends to hostname and port, in the dialect brubeck.
 *
 * h         the Flux handle of the calling thread, whose reactor and log
 *           the context uses, or NULL
 * hostname  an IPv4 or IPv6 address, a host name, or "unix:/path" or
 *           "unix:@name" for a UNIX datagram socket, which has no port
 * port      1 to 65535
 *
 * The call does not block: DNS lookups run on a separate thread, and the
 * server may start later. What is recorded until then is kept.
 *
 * Returns a context, to be destroyed with fripp_ctx_destroy (), or NULL
 * with errno:
 *
 *   EINVAL  hostname is NULL, empty or not a host's name, or port is out of
 *           range
 *   ENOMEM  no memory
 *
 * With a handle: from the handle's thread.
 */
struct fripp_ctx *fripp_ctx_create (flux_t *h, const char *hostname, int port);

/* Send what is pending, for at most 100 ms, and free the context. What the
 * kernel has not accepted by then is lost. NULL does nothing; errno does not
 * change.
 *
 * No call on the context may run at the same time or come later. With a
 * Flux handle: from its thread. It may run in an aux destructor during
 * flux_close (), because flux_watcher_destroy () is all that it calls of
 * Flux.
 */
void fripp_ctx_destroy (struct fripp_ctx *ctx);

/* Return whether an endpoint is configured.
 *
 * Returns true if one is; false if none is, and for NULL.
 *
 * May be called from any thread.
 */
bool fripp_enabled (const struct fripp_ctx *ctx);

/* -- recording by name -- */

/* Add n events to a counter. n may be negative, if the server accepts that.
 *
 * name  sent with the prefix before it. Bytes with a meaning to a server
 *       (':', '|', '@', '#', ',', ';', '=', '[', ']', '{', '}', white space,
 *       control bytes) are sent as '_'; leading, trailing and double dots
 *       are left out.
 *
 * Returns 0, or -1 with errno, as all the functions by name do:
 *
 *   EINVAL        ctx or name is NULL, name is empty, or the server would
 *                 not accept the value: not a number, infinite, a negative
 *                 total, timing or increment
 *   ENAMETOOLONG  the name with its prefix is longer than 240 bytes
 *                 (brubeck) or 512 (the other dialects)
 *   ENOSPC        the context has max_metrics metrics already
 *   ENOTSUP       the dialect has no metrics of this type
 *   EMSGSIZE      the line of this value is longer than a datagram
 *   ENOMEM        no memory for one more metric
 *
 * May be called from any thread.
 */
int fripp_inc (struct fripp_ctx *ctx, const char *name, int64_t n);

/* Record a running total that the caller keeps, such as Flux's message
 * counters. This is not an increment: fripp_inc () adds to a counter.
 *
 * total  0 or more. The server is sent the difference from the total before.
 *        A total that is lower than the one before is a restart, and counts
 *        whole; the first one counts from zero.
 *
 * With the dialect brubeck the line has the total itself ("C"), which the
 * server subtracts; with the others it has the difference ("c").
 *
 * Returns as fripp_inc () does.
 */
int fripp_count (struct fripp_ctx *ctx, const char *name, ssize_t total);

/* Record a gauge, a value that goes up and down.
 *
 * value  the value of the gauge, or with inc what is added to it
 * inc    whether value is added to the current value, initially 0
 *
 * Returns as fripp_inc () does, and also with errno:
 *
 *   ERANGE  the sum does not fit into 64 bits; the gauge keeps its value
 */
int fripp_gauge (struct fripp_ctx *ctx,
                 const char *name,
                 ssize_t value,
                 bool inc);

/* Add n to a gauge: fripp_gauge () with inc, for integers of 64 bits.
 *
 * n  added to the current value, initially 0
 *
 * Returns as fripp_gauge () does.
 */
int fripp_gauge_add (struct fripp_ctx *ctx, const char *name, int64_t n);

/* Record a gauge whose value is a real number.
 *
 * Returns as fripp_inc () does.
 */
int fripp_gauge_real (struct fripp_ctx *ctx, const char *name, double value);

/* Record a duration of ms milliseconds. Every sample is sent, with at most
 * six decimals.
 *
 * Returns as fripp_inc () does.
 */
int fripp_timing (struct fripp_ctx *ctx, const char *name, double ms);

/* Record a sample of a distribution, of any unit. Every sample is sent.
 *
 * Returns as fripp_inc () does.
 */
int fripp_histogram (struct fripp_ctx *ctx, const char *name, double value);

/* Record a member of a set: the server counts the distinct members.
 *
 * member  not empty; bytes with a meaning to a server are sent as '_'
 *
 * Returns as fripp_inc () does, and also with errno:
 *
 *   EINVAL    member is empty or NULL
 *   EMSGSIZE  member does not fit into a datagram
 */
int fripp_unique (struct fripp_ctx *ctx, const char *name, const char *member);

/* Record a value of a metric whose type is known only at run time. For a
 * set, the number is the member.
 *
 * Returns as fripp_inc () does, and also with errno:
 *
 *   EINVAL  type is unknown, or the value of a counter or total is not a
 *           whole number
 */
int fripp_send (struct fripp_ctx *ctx,
                const char *name,
                double value,
                enum fripp_type type);

/* Send what the metrics of this name have pending, of every type and with
 * every tag, and forget them: a gauge is not sent again, and starts from 0.
 * Use this for names that come and go, such as those of jobs. Handles stay
 * valid: what they record next starts from nothing.
 *
 * Returns 0, also if there is no such metric, or -1 with errno:
 *
 *   EINVAL  ctx or name is NULL, or name is empty
 *
 * May be called from any thread.
 */
int fripp_forget (struct fripp_ctx *ctx, const char *name);

/* -- recording by handle -- */

/* Look up a metric once, so that recording needs no lookup.
 *
 * type  the type of the metric
 * name  as for fripp_inc ()
 * tags  "key:value,key2:value2", sent after those of the context, for the
 *       dialects that have tags; NULL or "" for none
 *
 * The same arguments return the same pointer. It is valid until the context
 * is destroyed, whatever settings change.
 *
 * Returns the metric, or NULL with errno:
 *
 *   EINVAL        ctx or name is NULL, type is unknown, name is empty, or a
 *                 tag has no key or an empty value
 *   ENOTSUP       the dialect has no tags, or no sets
 *   ENAMETOOLONG  the name with its prefix is longer than 240 bytes
 *                 (brubeck) or 512, or the tags are longer than 1024
 *   ENOSPC        the context has max_metrics metrics already
 *   ENOMEM        no memory for one more metric
 *
 * May be called from any thread.
 */
struct fripp_metric *fripp_metric_get (struct fripp_ctx *ctx,
                                       enum fripp_type type,
                                       const char *name,
                                       const char *tags);

/* Add n to a counter or a gauge.
 *
 * Returns 0, or -1 with errno, as all the functions by handle do:
 *
 *   EINVAL        m is NULL, its type does not take this call, or the server
 *                 would not accept the value
 *   ENAMETOOLONG  a new prefix has made the name too long
 *   EMSGSIZE      the line of this value is longer than a datagram
 *   ENOSPC        the metric was forgotten, and the context has max_metrics
 *                 metrics already
 *   ENOMEM        no memory for the value
 *   ERANGE        the sum of a gauge does not fit into 64 bits
 *
 * May be called from any thread.
 */
int fripp_metric_add (struct fripp_metric *m, int64_t n);

/* Record the value of a gauge, or a running total.
 *
 * Returns as fripp_metric_add () does.
 */
int fripp_metric_set (struct fripp_metric *m, int64_t value);

/* Record the value of a gauge, a real number.
 *
 * Returns as fripp_metric_add () does.
 */
int fripp_metric_set_real (struct fripp_metric *m, double value);

/* Record a sample of a timer (in ms) or of a histogram.
 *
 * Returns as fripp_metric_add () does.
 */
int fripp_metric_record (struct fripp_metric *m, double value);

/* Record a member of a set.
 *
 * Returns as fripp_metric_add () does, and also with errno:
 *
 *   EINVAL    member is empty or NULL
 *   EMSGSIZE  member does not fit into a datagram
 */
int fripp_metric_unique (struct fripp_metric *m, const char *member);

/* Record the time since a timer was started. The timer keeps running.
 *
 * Returns as fripp_metric_add () does, and also with errno:
 *
 *   EINVAL  t is NULL or was never started
 */
int fripp_metric_stop (struct fripp_metric *m, const struct fripp_timer *t);

/* -- timers -- */

/* Start a timer, again if it was started before. NULL does nothing.
 *
 * May be called from any thread.
 */
void fripp_timer_start (struct fripp_timer *t);

/* Record the time since a timer was started, as fripp_timing () does. The
 * timer keeps running.
 *
 * Returns as fripp_inc () does, and also with errno:
 *
 *   EINVAL  t is NULL or was never started
 */
int fripp_timer_stop (struct fripp_ctx *ctx,
                      const char *name,
                      const struct fripp_timer *t);

/* Return the time since a timer was started.
 *
 * Returns the time in ms, or -1.0 with errno:
 *
 *   EINVAL  t is NULL or was never started
 *
 * May be called from any thread.
 */
double fripp_timer_elapsed (const struct fripp_timer *t);

/* -- settings -- */

/* Set the prefix of every name: "prefix.name". What is pending is sent with
 * the old prefix.
 *
 * prefix  at most 127 bytes, before and after its tokens are replaced:
 *         {{rank}} (0 without a Flux handle), {{hostname}} up to its first
 *         dot, {{fqdn}} the whole of it with '_' for dots, and {{pid}},
 *         in a child process the child's; cleaned as names are; "" for
 *         none
 *
 * The call takes time in proportion to the number of metrics.
 *
 * Returns 0, or -1 with errno; then the old prefix stays:
 *
 *   EINVAL  ctx or prefix is NULL, or prefix is too long
 *   ENOMEM  no memory
 *
 * With a Flux handle: from its thread.
 */
int fripp_set_prefix (struct fripp_ctx *ctx, const char *prefix);

/* Set the tags of every metric of the context: "key:value,key2:value2", or
 * "" for none. What is pending is sent with the old tags.
 *
 * Returns 0, or -1 with errno; then the old tags stay:
 *
 *   EINVAL        ctx or tags is NULL, or a tag has no key or an empty value
 *   ENOTSUP       the dialect has no tags
 *   ENAMETOOLONG  the tags are longer than 1024 bytes
 *   ENOMEM        no memory
 *
 * With a Flux handle: from its thread.
 */
int fripp_set_tags (struct fripp_ctx *ctx, const char *tags);

/* Set the dialect, the form that the server reads. What is pending is sent
 * in the old dialect.
 *
 * Returns 0, or -1 with errno; then the old dialect stays:
 *
 *   EINVAL   ctx is NULL, or dialect is unknown
 *   ENOTSUP  the context has tags or sets, which the dialect has not
 *   ENOMEM   no memory
 *
 * With a Flux handle: from its thread.
 */
int fripp_set_dialect (struct fripp_ctx *ctx, enum fripp_dialect dialect);

/* Set the time between flushes.
 *
 * seconds  0.01 to 86400, or 0: what is pending is sent, and from then on
 *          each metric at once
 *
 * Returns 0, or -1 with errno; then the old period stays:
 *
 *   EINVAL  ctx is NULL, or seconds is not one of these
 *   ENOMEM  no memory
 *
 * With a Flux handle: from its thread.
 */
int fripp_set_agg_period (struct fripp_ctx *ctx, double seconds);

/* Set the function that receives this context's log messages in place of
 * Flux's log: one line when a problem begins and one when it ends, never
 * one per packet. The function first receives the messages that waited
 * before it was set.
 *
 * log   called with a syslog level (3 when a problem begins, 6 when it
 *       ends), one line of text, and arg; from any thread, one call at a
 *       time. It may call this library, but not this function or destroy.
 *       With NULL, messages go to Flux's log again, or nowhere.
 * arg   passed to log; must live as long as the context
 *
 * Returns 0, or -1 with errno:
 *
 *   EINVAL  ctx is NULL
 *
 * With a Flux handle: from its thread.
 */
int fripp_set_log (struct fripp_ctx *ctx, void (*log) (int level,
                                                      const char *text,
                                                      void *arg), void *arg);

/* -- packets: StatsD lines that the caller writes -- */

/* Send what printf would write, now. With a Flux handle whose reactor turns,
 * the lines of one turn are sent together at its end; a call that finds lines
 * older than 1 ms sends them first, and so do fripp_flush (), destroy and
 * exit. After 1,000 turns in a row with lines, those of 5 ms go together.
 *
 * The text is one or more StatsD lines with a newline between them; one at
 * the end makes no difference. Nothing is added to the text. It is split at newlines into datagrams of at most
 * FRIPP_MAX_PACKET_LEN bytes (or the mtu of the URI), each as full as it can
 * be, in order. Empty lines are left out; an empty text is 0. Numbers are
 * formatted in the C locale, so that the decimal point is a dot.
 *
 * What the kernel does not accept is kept, and sent first by a later call.
 *
 * Returns 0 if every line was sent or kept. Otherwise -1 with errno; the
 * other lines were sent:
 *
 *   EINVAL    ctx or fmt is NULL, the format is wrong, or a line holds a
 *             NUL byte
 *   EMSGSIZE  a line is longer than a datagram
 *   ENOMEM    no memory
 *
 * May be called from any thread.
 */
int fripp_format_send (struct fripp_ctx *ctx,
                       const char *fmt,
                       ...)
    FRIPP_PRINTF (2, 3);

/* As fripp_format_send (), with the arguments in a va_list. The caller ends
 * it, and must not use it again.
 *
 * Returns as fripp_format_send () does.
 */
int fripp_vformat_send (struct fripp_ctx *ctx,
                        const char *fmt,
                        va_list ap)
    FRIPP_PRINTF (2, 0);

/* The same as fripp_format_send (), by its later name in Flux.
 *
 * Returns as fripp_format_send () does.
 */
int fripp_sendf (struct fripp_ctx *ctx,
                 const char *fmt,
                 ...)
    FRIPP_PRINTF (2, 3);

/* Keep what printf would write for the next flush, which sends it together
 * with the metrics. If the period is 0, it is sent now. In all else this is
 * fripp_format_send ().
 *
 * Returns as fripp_format_send () does.
 */
int fripp_packet_appendf (struct fripp_ctx *ctx,
                          const char *fmt,
                          ...)
    FRIPP_PRINTF (2, 3);

/* As fripp_packet_appendf (), with the arguments in a va_list. The caller
 * ends it, and must not use it again.
 *
 * Returns as fripp_format_send () does.
 */
int fripp_packet_vappendf (struct fripp_ctx *ctx,
                           const char *fmt,
                           va_list ap)
    FRIPP_PRINTF (2, 0);

/* -- events and service checks -- */

/* Send an event to the Datadog agent (dialect dogstatsd). It is sent at
 * once; what the kernel does not accept waits, as packets do.
 *
 * title  not empty
 * text   "" for none; newlines are kept
 * alert  how the event is shown
 * tags   "key:value,key2:value2", added to those of the context; NULL or ""
 *        for none
 *
 * The prefix is not added to the title.
 *
 * Returns 0, or -1 with errno; the event is dropped and counted then:
 *
 *   EINVAL        ctx, title or text is NULL, title is empty, alert is
 *                 unknown, or a tag has no key or an empty value
 *   ENOTSUP       the dialect has no events
 *   EMSGSIZE      the event is longer than a datagram
 *   ENAMETOOLONG  the tags have more than 1024 bytes
 *   ENOMEM        no memory
 *
 * May be called from any thread.
 */
int fripp_event (struct fripp_ctx *ctx,
                 const char *title,
                 const char *text,
                 enum fripp_alert alert,
                 const char *tags);

/* Send the result of a service check to the Datadog agent (dialect
 * dogstatsd). It is sent at once; what the kernel does not accept waits, as
 * packets do.
 *
 * name     of the check, cleaned as names of metrics are; not empty
 * status   what it found
 * message  why; NULL or "" for none. Newlines are kept, '|' becomes '_'
 * tags     "key:value,key2:value2", added to those of the context; NULL or
 *          "" for none
 *
 * The prefix is not added to the name.
 *
 * Returns 0, or -1 with errno; the result is dropped and counted then:
 *
 *   EINVAL        ctx or name is NULL, name is empty, status is unknown, or
 *                 a tag has no key or an empty value
 *   ENOTSUP       the dialect has no service checks
 *   EMSGSIZE      the line is longer than a datagram
 *   ENAMETOOLONG  the tags have more than 1024 bytes
 *   ENOMEM        no memory
 *
 * May be called from any thread.
 */
int fripp_service_check (struct fripp_ctx *ctx,
                         const char *name,
                         enum fripp_status status,
                         const char *message,
                         const char *tags);

/* -- state -- */

/* Send what is pending now. The call takes at most 100 ms.
 *
 * Returns 0 if the kernel accepted everything, or -1 with errno:
 *
 *   EAGAIN  it did not in that time; the rest is sent later
 *   ENOMEM  no memory; the rest is sent later
 *   EINVAL  ctx is NULL
 *
 * With a Flux handle: from its thread.
 */
int fripp_flush (struct fripp_ctx *ctx);

/* Read what a context counted.
 *
 * stats  where to write the counts
 * size   sizeof (*stats) as the caller was compiled. At most this many bytes
 *        are written; fields that the library does not know are zeroed.
 *
 * Returns 0, or -1 with errno:
 *
 *   EINVAL  ctx or stats is NULL, or size is 0
 *
 * May be called from any thread.
 */
int fripp_get_stats (const struct fripp_ctx *ctx,
                     struct fripp_stats *stats,
                     size_t size);

/* Return the reason of the last failed call on this thread: a sentence that
 * names the argument and says what is right:
 *
 *   no port in 'localhost'
 *   unknown dialect 'statds' (one of: brubeck, statsd, ...)
 *   dialect brubeck has no tags
 *
 * The text is for people, and may change with any version. Programs compare
 * errno.
 *
 * Returns one line of at most 383 bytes, valid until the next call that
 * fails on this thread; "" before the first one. Never NULL; errno does not
 * change.
 *
 * May be called from any thread.
 */
const char *fripp_error (void);

/* Return the version of the library in use, which equals the FRIPP_VERSION
 * that it was built with.
 *
 * Returns a static string.
 *
 * May be called from any thread.
 */
const char *fripp_version (void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* !FRIPP_H */
