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
 * - No call waits for the network (destroy does, for 100 ms at most), raises
 *   a signal, is a cancellation point, writes to stdout or stderr, or keeps
 *   a pointer passed in.
 * - A failed call has no effect on what other calls queued. What is dropped
 *   is counted, see fripp_get_stats ().
 * - All calls may be made from any thread at the same time, but no call on a
 *   context may run during or after its destroy; and with a Flux handle,
 *   create, settings and destroy belong to the handle's thread. Calls are
 *   not async-signal-safe.
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

#if defined (__GNUC__)
#define FRIPP_PRINTF(fmt, args) __attribute__ ((format (printf, fmt, args)))
#else
#define FRIPP_PRINTF(fmt, args)
#endif


/* A context: where metrics go, and what waits to go there. Opaque. */
struct fripp_ctx;

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

/* Create a context that sends to the end point of a URI: "host:port",
 * "[v6]:port", "udp://host:port", "unix:///path" or "unix:@name".
 *
 * h    as for fripp_ctx_create ()
 * uri  the end point. NULL stands for the value of the environment variable
 *      FLUX_FRIPP_STATSD: where that is unset, the context is disabled, and
 *      takes every call and does nothing; where it is not a URI, likewise,
 *      and a line with "parse error" is logged.
 *
 * Returns a context, or NULL with errno: EINVAL where uri is not one.
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

/* Whether an end point is configured. False for NULL. */
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
 * Returns 0, or -1 with errno EINVAL where ctx is NULL.
 */
int fripp_set_log (struct fripp_ctx *ctx, void (*log) (int level,
                                                      const char *text,
                                                      void *arg), void *arg);

/* Send what printf would write, now. The text is one or more StatsD lines
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

/* The same as fripp_format_send (), by the name that Flux gave it later. */
int fripp_sendf (struct fripp_ctx *ctx,
                 const char *fmt,
                 ...)
    FRIPP_PRINTF (2, 3);

/* As fripp_format_send (), with the arguments in a va_list, which is to be
 * ended by the caller and not to be used again.
 */
int fripp_vformat_send (struct fripp_ctx *ctx,
                        const char *fmt,
                        va_list ap)
    FRIPP_PRINTF (2, 0);

/* Read what a context counted.
 *
 * stats  where to write it
 * size   sizeof (*stats) as the caller knows it: at most so many bytes are
 *        written, and what the library does not know is zeroed
 *
 * Returns 0, or -1 with errno EINVAL where ctx or stats is NULL or size 0.
 * May be called from any thread.
 */
int fripp_get_stats (const struct fripp_ctx *ctx,
                     struct fripp_stats *stats,
                     size_t size);

/* The version of the library in use, which equals the FRIPP_VERSION that it
 * was built with. A static string.
 */
const char *fripp_version (void);

#ifdef __cplusplus
} // extern "C"
#endif  // __cplusplus

#endif  /* FRIPP_H */
