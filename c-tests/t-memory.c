/* Memory that cannot be had: a call fails with ENOMEM, or what it kept is
 * dropped and counted. The host goes on.
 *
 * malloc () and its kin of this program stand in for the C library's, and
 * fail above a size.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

#define HUGE (64UL << 20)

void *__libc_malloc (size_t size);
void *__libc_calloc (size_t n, size_t size);
void *__libc_realloc (void *ptr, size_t size);
void *__libc_memalign (size_t align, size_t size);

static atomic_size_t limit = SIZE_MAX;
static atomic_long refused;

static bool refuse (size_t size)
{
    if (size < atomic_load (&limit))
        return false;
    atomic_fetch_add (&refused, 1);
    errno = ENOMEM;
    return true;
}

void *malloc (size_t size)
{
    return refuse (size) ? NULL : __libc_malloc (size);
}

void *calloc (size_t n, size_t size)
{
    return refuse (n * size) ? NULL : __libc_calloc (n, size);
}

void *realloc (void *ptr, size_t size)
{
    return refuse (size) ? NULL : __libc_realloc (ptr, size);
}

void *memalign (size_t align, size_t size)
{
    return refuse (size) ? NULL : __libc_memalign (align, size);
}

void *aligned_alloc (size_t align, size_t size)
{
    return memalign (align, size);
}

int posix_memalign (void **ptr, size_t align, size_t size)
{
    *ptr = memalign (align, size);
    return *ptr ? 0 : ENOMEM;
}

/* Texts of a size that the caller decides, and no memory for such a size.
 */
static void test_huge (struct listener *server)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=dogstatsd");
    struct fripp_ctx *vast;
    struct fripp_stats stats;
    char *text;

    text = mmap (NULL, HUGE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (text == MAP_FAILED)
        bail_out ("mmap: %s", strerror (errno));
    memset (text, 'x', HUGE - 1);
    /* the C library's printf () has buffers of its own */
    atomic_store (&limit, 1 << 20);

    ok (FAILS (fripp_format_send (ctx, "%s:1|c", text), ENOMEM),
        "64 MiB: fripp_format_send () fails with ENOMEM");
    ok (FAILS (fripp_packet_appendf (ctx, "%s:1|c", text), ENOMEM),
        "64 MiB: fripp_packet_appendf (), too");
    ok (FAILS (fripp_inc (ctx, text, 1), ENAMETOOLONG)
        && FAILS (fripp_timing (ctx, text, 1), ENAMETOOLONG),
        "64 MiB: a name is too long");
    ok (FAILS_NULL (fripp_metric_get (ctx, FRIPP_GAUGE, text, NULL),
                    ENAMETOOLONG), "64 MiB: for a handle, too");
    ok (fripp_forget (ctx, text) == 0, "64 MiB: there is no such metric");
    ok (FAILS (fripp_unique (ctx, "set", text), EMSGSIZE),
        "64 MiB: a member is too long");
    ok (FAILS (fripp_set_prefix (ctx, text), EINVAL),
        "64 MiB: a prefix is too long");
    ok (FAILS_NULL (fripp_ctx_create (NULL, text, 1), EINVAL)
        && FAILS_NULL (fripp_ctx_create_uri (NULL, text), EINVAL),
        "64 MiB: a host, or a URI, is none");
    text[1] = ':';
    ok (FAILS_NULL (fripp_metric_get (ctx, FRIPP_GAUGE, "g", text),
                    ENAMETOOLONG)
        && FAILS (fripp_set_tags (ctx, text), ENAMETOOLONG),
        "64 MiB: tags are too long");
    memset (text, '.', HUGE - 2);
    ok (fripp_inc (ctx, text, 1) == 0, "64 MiB of dots before an x: the name "
        "is x");
    vast = ctx_open (server, NEVER "&buffer=%zu&max_metrics=%zu", SIZE_MAX,
                     SIZE_MAX);
    ok (vast && fripp_inc (vast, "n", 1) == 0 && fripp_flush (vast) == 0,
        "no memory is taken for a bound");
    fripp_ctx_destroy (vast);

    atomic_store (&limit, SIZE_MAX);
    is_str (flushed (ctx, server), "n:1|c\nx:1|c", "the others are sent");
    fripp_get_stats (ctx, &stats, sizeof (stats));
    is_int (stats.dropped_oversize, 5, "what was too long is counted");
    fripp_ctx_destroy (ctx);
    munmap (text, HUGE);
}

struct tally {
    int64_t recorded;       /* increments that were taken */
    int64_t samples;
    int64_t members;
    int refusals;           /* calls that failed with ENOMEM */
    int others;             /* that failed otherwise */
};

static void count (struct tally *t, int rc, int64_t *taken)
{
    if (rc == 0)
        ++*taken;
    else if (errno == ENOMEM)
        t->refusals++;
    else
        t->others++;
}

/* Everything that makes the library grow: names, samples, members, packets.
 */
static void record (struct fripp_ctx *ctx, struct tally *t, int from, int to)
{
    int64_t packets = 0;

    for (int i = from; i < to; i++) {
        char name[32];

        snprintf (name, sizeof (name), "n.%d", i);
        count (t, fripp_inc (ctx, name, 1), &t->recorded);
        count (t, fripp_timing (ctx, "t", i), &t->samples);
        snprintf (name, sizeof (name), "m%d", i);
        count (t, fripp_unique (ctx, "s", name), &t->members);
        count (t, fripp_format_send (ctx, "packet:%d|c\nbad\n\nline:1|c", i),
               &packets);
    }
}

/* No memory at all above a size, for a while: then there is some again.
 */
static void test_short (size_t size)
{
    struct tally t = { 0 };
    struct reader *r = reader_create (FRIPP_STATSD);
    struct listener *server;
    struct fripp_ctx *ctx;
    struct fripp_stats stats;
    int64_t counted = 0;
    long before = refused;

    ctx = ctx_open_lossless (&server, "dialect=statsd&period=0.01&refresh=0");
    listener_start (server);
    record (ctx, &t, 0, 100);
    /* the listener keeps what it receives: it is to rest meanwhile */
    flush_all (ctx);
    fripp_get_stats (ctx, &stats, sizeof (stats));
    listener_need (server, stats.datagrams);
    listener_stop (server);
    atomic_store (&limit, size);
    record (ctx, &t, 100, 20000);
    (void)fripp_flush (ctx);
    fripp_ctx_destroy (fripp_ctx_create (NULL, "127.0.0.1", 9));
    (void)fripp_set_prefix (ctx, "p");
    (void)fripp_set_prefix (ctx, "");
    atomic_store (&limit, SIZE_MAX);
    listener_start (server);
    record (ctx, &t, 20000, 20100);
    flush_all (ctx);
    fripp_get_stats (ctx, &stats, sizeof (stats));
    listener_need (server, stats.datagrams);
    listener_stop (server);
    reader_read_all (r, server, listener_count (server));
    for (int i = 0; i < 20100; i++) {
        char name[32];

        snprintf (name, sizeof (name), "n.%d", i);
        counted += reader_get (r, name, "c")->sum;
        snprintf (name, sizeof (name), "p.n.%d", i);
        counted += reader_get (r, name, "c")->sum;
    }
    ok (refused > before && t.others == 0, "no memory for %zu bytes: calls "
        "survive, or fail with ENOMEM", size);
    diag ("%ld allocations and %d of 80,400 calls failed", refused - before,
          t.refusals);
    is_int (counted, t.recorded, "no memory for %zu bytes: each increment "
            "that was taken arrives", size);
    ok (reader_get (r, "t", "ms")->values + reader_get (r, "p.t", "ms")->values
        + stats.dropped_full >= t.samples, "no memory for %zu bytes: a sample "
        "that does not is counted", size);
    diag ("%.0f of %lld samples arrived, %llu lines dropped",
          reader_get (r, "t", "ms")->values
          + reader_get (r, "p.t", "ms")->values, (long long)t.samples,
          (unsigned long long)stats.dropped_full);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    reader_destroy (r);
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");

    test_huge (server);
    test_short (100000);
    test_short (16384);
    test_short (4096);
    listener_destroy (server);
    return done_testing ();
}
