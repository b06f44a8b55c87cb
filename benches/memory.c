/* memory.c - allocations, memory, and what it costs to make a context
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A program of its own, so that malloc () and its kin can be counted: they
 * are defined here, for the library too. It writes a line for each figure,
 * which the benchmark reads.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <fripp.h>

#define MILLION 1000000L
#define NAMES 1000

static bool counting;
static long allocations;

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *p, size_t size);
extern void *__libc_memalign (size_t align, size_t size);
extern void __libc_free (void *p);

static inline void count (void)
{
    if (__atomic_load_n (&counting, __ATOMIC_RELAXED))
        __atomic_fetch_add (&allocations, 1, __ATOMIC_RELAXED);
}

void *malloc (size_t size)
{
    count ();
    return __libc_malloc (size);
}

void *calloc (size_t n, size_t size)
{
    count ();
    return __libc_calloc (n, size);
}

void *realloc (void *p, size_t size)
{
    count ();
    return __libc_realloc (p, size);
}

void *memalign (size_t align, size_t size)
{
    count ();
    return __libc_memalign (align, size);
}

void *aligned_alloc (size_t align, size_t size)
{
    count ();
    return __libc_memalign (align, size);
}

int posix_memalign (void **p, size_t align, size_t size)
{
    count ();
    *p = __libc_memalign (align, size);
    return *p ? 0 : ENOMEM;
}

void free (void *p)
{
    __libc_free (p);
}

static void die (const char *what)
{
    perror (what);
    exit (2);
}

static uint64_t now_ns (void)
{
    struct timespec ts;

    clock_gettime (CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static size_t heap (void)
{
    struct mallinfo2 info = mallinfo2 ();

    return info.uordblks + info.hblkhd;
}

static size_t resident (void)
{
    long pages = 0;
    FILE *f = fopen ("/proc/self/statm", "r");

    if (!f || fscanf (f, "%*d %ld", &pages) != 1)
        die ("/proc/self/statm");
    fclose (f);
    return pages * sysconf (_SC_PAGESIZE);
}

static struct fripp_ctx *context (int port)
{
    struct fripp_ctx *ctx = fripp_ctx_create (NULL, "127.0.0.1", port);

    if (!ctx)
        die ("fripp_ctx_create");
    return ctx;
}

static void flush (struct fripp_ctx *ctx)
{
    while (fripp_flush (ctx) < 0) {
        if (errno != EAGAIN)
            die ("fripp_flush");
    }
}

static void use (struct fripp_ctx *ctx, struct fripp_metric *m, bool sets)
{
    for (int i = 0; i < NAMES; i++) {
        char name[48];

        snprintf (name, sizeof (name), "flux.steady.%d", i);
        if (sets) {
            fripp_unique (ctx, name, i % 2 ? "a" : "b");
            continue;
        }
        fripp_inc (ctx, name, 1 + i);
        fripp_count (ctx, name, rand ());
        fripp_gauge (ctx, name, rand (), false);
        fripp_gauge_real (ctx, name, rand () * 0.001);
        fripp_timing (ctx, name, 0.25);
        fripp_histogram (ctx, name, -0.5);
        fripp_metric_record (m, 0.75);
    }
    if (!sets) {
        fripp_format_send (ctx, "flux.steady:%d|c", 1);
        fripp_packet_appendf (ctx, "flux.steady:%d|c", 1);
    }
    flush (ctx);
}

static long steady (int port, bool sets)
{
    char uri[64];
    struct fripp_ctx *ctx;
    struct fripp_metric *m;

    snprintf (uri, sizeof (uri), "127.0.0.1:%d?dialect=%s", port,
              sets ? "dogstatsd" : "brubeck");
    ctx = fripp_ctx_create_uri (NULL, uri);
    m = ctx ? fripp_metric_get (ctx, FRIPP_TIMER, "handle", NULL) : NULL;
    if (!m)
        die ("fripp_metric_get");
    for (int warm = 0; warm < 10; warm++)
        use (ctx, m, sets);
    allocations = 0;
    counting = true;
    for (int i = 0; i < 10; i++)
        use (ctx, m, sets);
    counting = false;
    fripp_ctx_destroy (ctx);
    return allocations;
}

static void metrics (int port)
{
    struct fripp_ctx *ctx = context (port);
    size_t in_heap, in_memory;

    fripp_count (ctx, "first", 1);
    flush (ctx);
    in_heap = heap ();
    in_memory = resident ();
    for (long i = 1; i < MILLION; i++) {
        char name[48];

        snprintf (name, sizeof (name), "flux.module.some-metric.of-40-b.%08ld",
                  i);
        if (strlen (name) != 40 || fripp_inc (ctx, name, 1) < 0)
            die ("fripp_inc");
    }
    printf ("metric_heap %.1f\n", (double)(heap () - in_heap) / MILLION);
    printf ("metric_rss %.1f\n",
            ((double)resident () - in_memory) / MILLION);
    fripp_ctx_destroy (ctx);
}

/* Two threads take turns on counters, which get memory for each of several.
 */
#define SHARED 64

static struct fripp_metric *shared[SHARED];
static pthread_barrier_t turn;

static void *take_turns (void *arg)
{
    bool first = arg != NULL;

    for (int i = 0; i < 2000; i++) {
        if ((i % 2 == 0) == first) {
            for (int j = 0; j < SHARED; j++)
                fripp_metric_add (shared[j], 1);
        }
        pthread_barrier_wait (&turn);
    }
    return NULL;
}

static void shared_counters (int port)
{
    char uri[64];
    struct fripp_ctx *ctx;
    pthread_t other;
    size_t in_heap;

    /* no flush but those below */
    snprintf (uri, sizeof (uri), "127.0.0.1:%d?period=3600", port);
    ctx = fripp_ctx_create_uri (NULL, uri);
    if (!ctx || pthread_barrier_init (&turn, NULL, 2) != 0)
        die ("fripp_ctx_create_uri");
    for (int j = 0; j < SHARED; j++) {
        char name[16];

        snprintf (name, sizeof (name), "shared.%d", j);
        if (!(shared[j] = fripp_metric_get (ctx, FRIPP_COUNTER, name, NULL)))
            die ("fripp_metric_get");
        fripp_metric_add (shared[j], 1);
    }
    /* what flushes keep for themselves is there afterwards */
    flush (ctx);
    for (int j = 0; j < SHARED; j++)
        fripp_metric_add (shared[j], 1);
    flush (ctx);
    if (pthread_create (&other, NULL, take_turns, NULL) != 0)
        die ("pthread_create");
    take_turns (&turn);
    pthread_join (other, NULL);
    in_heap = heap ();
    flush (ctx);
    printf ("shared_heap %.1f\n", (double)(heap () - in_heap) / SHARED);
    fripp_ctx_destroy (ctx);
}

static void contexts (int port)
{
    enum { COUNT = 1000 };
    static struct fripp_ctx *list[COUNT];
    size_t in_heap;
    uint64_t start;

    fripp_ctx_destroy (context (port));
    in_heap = heap ();
    start = now_ns ();
    for (int i = 0; i < COUNT; i++)
        list[i] = context (port);
    printf ("create_ns %.1f\n", (double)(now_ns () - start) / COUNT);
    printf ("context_heap %.1f\n", (double)(heap () - in_heap) / COUNT);
    start = now_ns ();
    for (int i = 0; i < COUNT; i++)
        fripp_ctx_destroy (list[i]);
    printf ("destroy_ns %.1f\n", (double)(now_ns () - start) / COUNT);
    /* what a context has allocated after its first packet */
    in_heap = heap ();
    for (int i = 0; i < 100; i++) {
        list[i] = context (port);
        fripp_format_send (list[i], "a:1|c");
    }
    printf ("used_context_heap %.1f\n", (double)(heap () - in_heap) / 100);
    for (int i = 0; i < 100; i++)
        fripp_ctx_destroy (list[i]);
}

int main (int argc, char **argv)
{
    int port = argc > 1 ? atoi (argv[1]) : 0;

    contexts (port);
    printf ("allocations %ld\n", steady (port, false));
    printf ("set_allocations %ld\n", steady (port, true));
    metrics (port);
    shared_counters (port);
    return 0;
}
