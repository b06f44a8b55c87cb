/* fripp.h - send metrics to a StatsD server
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Rules for every call:
 *
 * - 0 is success and -1 failure with errno set; where a pointer is returned,
 *   NULL is failure with errno set. On success errno is left as it was. For
 *   a metric or a packet, 0 means sent, or kept to be sent later; -1 means
 *   that it will not be sent.
 * - A NULL where a value is needed is EINVAL, never a crash.
 * - A disabled context takes every call, does nothing and returns 0.
 * - No call waits for the network (flush and destroy do, for 100 ms at
 *   most), raises a signal, is a cancellation point, writes to stdout or
 *   stderr, or keeps a pointer passed in.
 * - A failed call has no effect on what other calls queued. What is dropped
 *   is counted, see fripp_get_stats ().
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

#define FRIPP_VERSION "0.1.0"
#define FRIPP_VERSION_NUMBER 0x000100

/* The longest datagram by default, and so the longest line, in bytes. */
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
    /* events, which the server adds up */
    FRIPP_COUNTER,
    /* a running total that the caller keeps */
    FRIPP_TOTAL,
    /* a value that goes up and down */
    FRIPP_GAUGE,
    /* durations in ms */
    FRIPP_TIMER,
    /* a distribution of values of any unit */
    FRIPP_HISTOGRAM,
    /* how many distinct members were seen (StatsD's set) */
    FRIPP_SET,
};

/* The families of servers. */
enum fripp_dialect {
    /* brubeck */
    FRIPP_BRUBECK,
    /* etsy's statsd, collectd, netdata, statsite and most others */
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
    FRIPP_GOSTATSD,
};

/* A context: where metrics go, and what waits to go there. Opaque. */
struct fripp_ctx;

/* A metric of a context, looked up once. Opaque. It is owned by the context
 * and goes with it.
 */
struct fripp_metric;

/* When something began. It lives in the struct of the caller's operation, so
 * that any number of them may be under way at once; it may be copied, and
 * needs no end.
 */
struct fripp_timer {
    /* CLOCK_MONOTONIC in ns; 0: never started */
    uint64_t t0;
};

/* What a context counted since it was created. New fields come at the end. */
struct fripp_stats {
    /* lines that the kernel took */
    uint64_t lines;
    /* datagrams that the kernel took */
    uint64_t datagrams;
    /* bytes that the kernel took */
    uint64_t bytes;
    /* lines lost, for any reason: the sum of the next four */
    uint64_t dropped;
    /* lines that no server could read */
    uint64_t dropped_invalid;
    /* lines longer than a datagram */
    uint64_t dropped_oversize;
    /* lines for which there was no room or no memory */
    uint64_t dropped_full;
    /* lines refused after they were sent, or waiting at the context's end */
    uint64_t dropped_send;
    /* bytes waiting */
    uint64_t pending;
    /* errors of sending that the kernel reported */
    uint64_t send_errors;
    /* sockets opened after the first one */
    uint64_t reconnects;
    /* look-ups of a host's name that ended, well or not */
    uint64_t resolutions;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/* Create a context that sends to hostname and port.
 *
 * h         the Flux handle of the calling thread, whose reactor and log
 *           are used then, or NULL
 * hostname  an IPv4 or IPv6 address, the name of a host, or "unix:/path"
 *           or "unix:@name" for a UNIX datagram socket, whose port is
 *           ignored
 * port      1 to 65535
 *
 * It waits for nobody: a name is looked up on a thread of its own, and a
 * server need not be there yet; what is sent until then is kept.
 *
 * Returns a context, to be destroyed with fripp_ctx_destroy (), or NULL
 * with errno:
 *
 *   EINVAL  no such port, an empty or NULL hostname, or one that cannot be
 *           a host's name
 *   ENOMEM  no memory
 *
 * With a handle: from the handle's thread.
 */
struct fripp_ctx *fripp_ctx_create (flux_t *h, const char *hostname, int port);

/* Create a context from a URI:
 *
 *   host:port  [v6]:port  udp://host:port  unix:///path  unix:@name
 *
 * and behind it, as ?key=value&..., percent-decoded, in any order:
 *
 *   dialect      brubeck (the default), statsd, dogstatsd, telegraf,
 *                graphite, vector, otel, exporter or gostatsd: what the
 *                server reads; also collectd, netdata, statsite (statsd),
 *                datadog (dogstatsd), influx (telegraf), prometheus
 *                (exporter)
 *   histogram    h, or d: as a distribution, where the dialect has both
 *   period       seconds between flushes: 1; 0.01 to 86400, or 0: each
 *                metric is sent at once
 *   prefix       see fripp_set_prefix (): flux.{{rank}} with a handle, none
 *                without one
 *   tags         see fripp_set_tags ()
 *   mtu          bytes of a datagram at most: 1440; 512 to 65507
 *   refresh      seconds after which an unchanged gauge is sent again: 10;
 *                0: never
 *   max_metrics  1000000
 *   buffer       bytes that wait at most: 16777216
 *
 * h    as for fripp_ctx_create ()
 * uri  the URI. NULL stands for the environment: the variable
 *      FLUX_FRIPP_STATSD, which holds a URI; without a Flux handle then
 *      DD_DOGSTATSD_URL, DD_AGENT_HOST with DD_DOGSTATSD_PORT (these mean
 *      the dialect dogstatsd), and STATSD_HOST with STATSD_PORT (the
 *      dialect statsd). Where none is set, and in a set-user-ID program,
 *      the context is disabled: it takes every call and does nothing; where
 *      the first that is set is wrong, likewise, and a line with "parse
 *      error" is logged through the handle.
 *
 * Returns a context, or NULL with errno:
 *
 *   EINVAL  uri is not one, or a value is none that its key can have
 *   ENOMEM  no memory
 *
 * With a handle: from the handle's thread.
 */
struct fripp_ctx *fripp_ctx_create_uri (flux_t *h, const char *uri);

/* Send what waits, for 100 ms at the most, and free the context. What the
 * kernel has not taken by then is lost. NULL does nothing. errno is kept.
 *
 * No call on the context may run at the same time or come later. With a
 * Flux handle: from its thread; it may be an aux destructor that runs in
 * flux_close (), for flux_watcher_destroy () is all that it calls of Flux.
 */
void fripp_ctx_destroy (struct fripp_ctx *ctx);

/* Tell whether an end point is configured.
 *
 * Returns true where one is; false where none is, and for NULL.
 */
bool fripp_enabled (const struct fripp_ctx *ctx);

/* Give what this context has to say to a function instead of to Flux's log:
 * a line when a problem begins and one when it ends, never one a packet.
 *
 * log   called with a level of syslog (3 for a problem, 6 for its end), one
 *       line of text, and arg; on whatever thread, one call at a time. It
 *       may call this library, but neither this function nor destroy. NULL:
 *       back to Flux, or to nobody.
 * arg   handed to log; must live as long as the context
 *
 * Returns 0, or -1 with errno:
 *
 *   EINVAL  ctx is NULL
 */
int fripp_set_log (struct fripp_ctx *ctx, void (*log) (int level,
                                                      const char *text,
                                                      void *arg), void *arg);

/* As fripp_format_send (), with the arguments in a va_list, which is to be
 * ended by the caller and not to be used again.
 *
 * Returns as fripp_format_send () does.
 */
int fripp_vformat_send (struct fripp_ctx *ctx,
                        const char *fmt,
                        va_list ap)
    FRIPP_PRINTF (2, 0);

/* As fripp_packet_appendf (), with the arguments in a va_list.
 *
 * Returns as fripp_format_send () does.
 */
int fripp_packet_vappendf (struct fripp_ctx *ctx,
                           const char *fmt,
                           va_list ap)
    FRIPP_PRINTF (2, 0);

/* Send what printf would write, now; with a Flux handle whose reactor turns,
 * at the end of the turn, together with what the turn's other calls send. A
 * call that finds lines older than 1 ms sends them first, and fripp_flush (),
 * destroy and exit send them, too. The text is one or more StatsD lines
 * that the caller wrote, with a newline between them (one at the end may be
 * there or not); nothing is added to it. It is split at newlines into
 * datagrams of at most FRIPP_MAX_PACKET_LEN bytes (or the mtu of the URI),
 * each as full as it can be, in order. Empty lines are left out; an empty
 * text is 0.
 *
 * What the kernel does not take is kept, and goes first with a later call.
 *
 * Returns 0 when every line was sent or kept. -1 with errno otherwise; the
 * other lines were sent nevertheless:
 *
 *   EINVAL    ctx or fmt is NULL, the format is wrong, or a line holds a
 *             NUL byte
 *   EMSGSIZE  a line is longer than a datagram by itself
 *   ENOMEM    no memory for a text of more than 4 kB
 *
 * May be called from any thread.
 */
int fripp_format_send (struct fripp_ctx *ctx,
                       const char *fmt,
                       ...)
    FRIPP_PRINTF (2, 3);

/* The same as fripp_format_send (), by the name that Flux gave it later.
 *
 * Returns as fripp_format_send () does.
 */
int fripp_sendf (struct fripp_ctx *ctx,
                 const char *fmt,
                 ...)
    FRIPP_PRINTF (2, 3);

/* Keep what printf would write for the next flush, which sends it with the
 * metrics; where the period is 0 it goes at once. Otherwise as
 * fripp_format_send ().
 *
 * Returns as fripp_format_send () does.
 */
int fripp_packet_appendf (struct fripp_ctx *ctx,
                          const char *fmt,
                          ...)
    FRIPP_PRINTF (2, 3);

/* Record a running total that the caller keeps, as Flux's message counters:
 * the server learns what it grew by.
 *
 * name   sent behind the prefix. Bytes that mean something to a server
 *        (':', '|', '@', '#', ',', ';', '=', white space, control bytes)
 *        are sent as '_'; leading, trailing and double dots are left out.
 * total  0 or more. One that is lower than the one before is a restart, and
 *        counts whole; the first counts from zero.
 *
 * The brubeck dialect sends totals ("C"), which brubeck subtracts; the
 * others send the differences ("c").
 *
 * Returns 0, or -1 with errno, as all the functions by name do:
 *
 *   EINVAL        ctx or name is NULL, name is empty, or the value is none
 *                 that can be sent: not a number, infinite, a negative
 *                 total or timing
 *   ENAMETOOLONG  the name with its prefix and tags is longer than 240
 *                 bytes (brubeck) or 512 (the other dialects)
 *   ENOSPC        there are max_metrics metrics already
 *   ENOTSUP       the dialect has no metrics of this type
 *   EMSGSIZE      the line of this value is longer than a datagram
 *   ENOMEM        no memory for one more metric
 *
 * May be called from any thread.
 */
int fripp_count (struct fripp_ctx *ctx, const char *name, ssize_t total);

/* Record n more events of a counter. n may be negative where the server
 * bears it.
 *
 * Returns as fripp_count () does.
 */
int fripp_inc (struct fripp_ctx *ctx, const char *name, int64_t n);

/* Record a gauge.
 *
 * value  its value; with inc, what it grows by since the value that this
 *        context holds, from 0
 * inc    whether value is an increment
 *
 * Returns as fripp_count () does, and also with errno:
 *
 *   ERANGE  an increment takes the gauge out of 64 bits, and it keeps its
 *           value
 */
int fripp_gauge (struct fripp_ctx *ctx,
                 const char *name,
                 ssize_t value,
                 bool inc);

/* Add to a gauge: fripp_gauge () with inc, for integers of 64 bits.
 *
 * n  what is added to the value that this context holds, initially 0
 *
 * Returns as fripp_gauge () does.
 */
int fripp_gauge_add (struct fripp_ctx *ctx, const char *name, int64_t n);

/* Record a gauge that is a real number.
 *
 * Returns as fripp_count () does.
 */
int fripp_gauge_real (struct fripp_ctx *ctx, const char *name, double value);

/* Record a duration of ms milliseconds. Every one is sent, with at most six
 * decimals.
 *
 * Returns as fripp_count () does.
 */
int fripp_timing (struct fripp_ctx *ctx, const char *name, double ms);

/* Record a value of which the server is to tell the distribution. Every one
 * is sent.
 *
 * Returns as fripp_count () does.
 */
int fripp_histogram (struct fripp_ctx *ctx, const char *name, double value);

/* Record a member of a set, of which the server counts how many distinct
 * ones there were.
 *
 * member  not empty; bytes that mean something to a server are sent as '_'
 *
 * Returns as fripp_count () does, and also with errno:
 *
 *   EINVAL    member is empty or NULL
 *   EMSGSIZE  no datagram holds it
 */
int fripp_unique (struct fripp_ctx *ctx, const char *name, const char *member);

/* Record a value of a metric whose type is known only at run time. A set
 * takes it as a member.
 *
 * Returns as fripp_count () does, and also with errno:
 *
 *   EINVAL  an unknown type, or a counter or total that is not a whole number
 */
int fripp_send (struct fripp_ctx *ctx,
                const char *name,
                double value,
                enum fripp_type type);

/* Send what the metrics of this name have pending, of every type and with
 * every tag, and forget them: a gauge is not sent again, and starts from 0.
 * For names that come and go, as those of jobs do. A handle of it may be
 * used again, and records anew.
 *
 * Returns 0, also where there is no such metric, or -1 with errno:
 *
 *   EINVAL  ctx or name is NULL, or name is empty
 */
int fripp_forget (struct fripp_ctx *ctx, const char *name);

/* Look a metric up, so that recording costs no look-up at all.
 *
 * type  what the metric is
 * name  as for fripp_count ()
 * tags  "key:value,key2:value2", sent behind those of the context, for the
 *       dialects that have tags; NULL or "" for none
 *
 * The same arguments give the same pointer. It is valid until the context
 * is destroyed, through all changes of settings.
 *
 * Returns the metric, or NULL with errno:
 *
 *   EINVAL        ctx or name is NULL, an unknown type, an empty name, or a
 *                 tag without a key, a ':' or a value
 *   ENOTSUP       the dialect has no tags, or no sets
 *   ENAMETOOLONG, ENOSPC, ENOMEM
 *                 as fripp_count ()
 *
 * May be called from any thread.
 */
struct fripp_metric *fripp_metric_get (struct fripp_ctx *ctx,
                                       enum fripp_type type,
                                       const char *name,
                                       const char *tags);

/* Record n more events of a counter, or what a gauge grows by.
 *
 * Returns 0, or -1 with errno, as all the functions by handle do:
 *
 *   EINVAL        m is NULL, is of a type that this call is not for, or the
 *                 value is none that can be sent
 *   ENAMETOOLONG  a new prefix has made the name too long
 *   EMSGSIZE      the line of this value is longer than a datagram
 *   ENOSPC        it was forgotten, and there is no room for it now
 *   ERANGE        an increment takes a gauge out of 64 bits
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

/* Record a sample of a timer (ms) or histogram.
 *
 * Returns as fripp_metric_add () does.
 */
int fripp_metric_record (struct fripp_metric *m, double value);

/* Record a member of a set.
 *
 * Returns as fripp_metric_add () does, and also with errno:
 *
 *   EINVAL    member is empty or NULL
 *   EMSGSIZE  no datagram holds it
 */
int fripp_metric_unique (struct fripp_metric *m, const char *member);

/* Record the time since a timer was started. The timer goes on.
 *
 * Returns as fripp_metric_add () does, and also with errno:
 *
 *   EINVAL  t is NULL or was never started
 */
int fripp_metric_stop (struct fripp_metric *m, const struct fripp_timer *t);

/* Start a timer, again if it was started before. NULL does nothing. */
void fripp_timer_start (struct fripp_timer *t);

/* Tell the time since a timer was started.
 *
 * Returns it in ms, or -1.0 with errno:
 *
 *   EINVAL  t is NULL or was never started
 */
double fripp_timer_elapsed (const struct fripp_timer *t);

/* Record the time since a timer was started, as fripp_timing () does. The
 * timer goes on.
 *
 * Returns as fripp_count () does, and also with errno:
 *
 *   EINVAL  t is NULL or was never started
 */
int fripp_timer_stop (struct fripp_ctx *ctx,
                      const char *name,
                      const struct fripp_timer *t);

/* Set what stands before every name: "prefix.name". What is pending goes
 * out under the old one first.
 *
 * prefix  at most 127 bytes, before and after its tokens are replaced:
 *         {{rank}} (0 without a Flux handle), {{hostname}} up to its first
 *         dot, {{fqdn}} the whole of it with '_' for dots, and {{pid}};
 *         cleaned as names are; "" for none
 *
 * It takes time in proportion to the number of metrics.
 *
 * Returns 0, or -1 with errno; the old one stays then:
 *
 *   EINVAL  ctx or prefix is NULL, or prefix is too long
 *
 * With a Flux handle: from its thread.
 */
int fripp_set_prefix (struct fripp_ctx *ctx, const char *prefix);

/* Set the tags of every metric of the context: "key:value,key2:value2", or
 * "" for none. What is pending goes out with the old ones first.
 *
 * Returns 0, or -1 with errno; the old ones stay then:
 *
 *   EINVAL        ctx or tags is NULL, or a tag has no key, ':' or value
 *   ENOTSUP       the dialect has no tags
 *   ENAMETOOLONG  no room would be left for names
 *
 * With a Flux handle: from its thread.
 */
int fripp_set_tags (struct fripp_ctx *ctx, const char *tags);

/* Set the time between flushes.
 *
 * seconds  0.01 to 86400; 0: each metric is sent at once, after what is
 *          pending
 *
 * Returns 0, or -1 with errno:
 *
 *   EINVAL  ctx is NULL, or seconds is none of these
 *
 * With a Flux handle: from its thread.
 */
int fripp_set_agg_period (struct fripp_ctx *ctx, double seconds);

/* Say what the server reads. What is pending goes out in the old dialect
 * first.
 *
 * Returns 0, or -1 with errno; the old one stays then:
 *
 *   EINVAL   ctx is NULL, or dialect is unknown
 *   ENOTSUP  tags or sets are in use that it does not have
 *
 * With a Flux handle: from its thread.
 */
int fripp_set_dialect (struct fripp_ctx *ctx, enum fripp_dialect dialect);

/* Send what is pending now, for 100 ms at the most.
 *
 * Returns 0 when the kernel has taken all, or -1 with errno:
 *
 *   EAGAIN  it has not in that time, and the rest goes later
 *   ENOMEM  no memory; the rest goes later
 *   EINVAL  ctx is NULL
 *
 * With a Flux handle: from its thread.
 */
int fripp_flush (struct fripp_ctx *ctx);

/* Read what a context counted.
 *
 * stats  where to write it
 * size   sizeof (*stats) as the caller knows it: at most so many bytes are
 *        written, and what the library does not know is zeroed
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

/* Return why the last call that failed on this thread failed, as a sentence
 * that names the argument and says what is right:
 *
 *   no port in 'localhost'
 *   unknown dialect 'statds' (one of: brubeck, statsd, ...)
 *   dialect brubeck has no tags
 *
 * The text is for people, and may change with any version: errno is for
 * programs.
 *
 * Returns a text of one line and at most 383 bytes, valid until the next
 * call that fails on this thread; "" before the first one. Never NULL; errno
 * is left as it was.
 *
 * May be called from any thread.
 */
const char *fripp_error (void);

/* Tell the version of the library in use, which equals the FRIPP_VERSION
 * that it was built with.
 *
 * Returns a static string.
 */
const char *fripp_version (void);

#ifdef __cplusplus
} // extern "C"
#endif  // __cplusplus

#endif  /* FRIPP_H */
