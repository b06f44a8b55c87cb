/* The n-th allocation fails, for each n of all that a process does with this
 * library: none aborts, hangs, or crashes. Each n is a process of its own.
 * A fork takes place with no memory at all.
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
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"
#include "context.h"

void *__libc_malloc (size_t size);
void *__libc_calloc (size_t n, size_t size);
void *__libc_realloc (void *ptr, size_t size);
void *__libc_memalign (size_t align, size_t size);

/* The allocations that succeed first, and how many fail then.
 */
static atomic_long before = -1;
static atomic_long failing;

static bool refuse (void)
{
    if (atomic_load (&before) < 0)
        return false;
    if (atomic_fetch_sub (&before, 1) > 0)
        return false;
    /* it fails, and those behind it as long as it was said */
    atomic_store (&before, atomic_fetch_sub (&failing, 1) > 1 ? 0 : -1);
    errno = ENOMEM;
    return true;
}

void *malloc (size_t size)
{
    return refuse () ? NULL : __libc_malloc (size);
}

void *calloc (size_t n, size_t size)
{
    return refuse () ? NULL : __libc_calloc (n, size);
}

void *realloc (void *ptr, size_t size)
{
    return refuse () ? NULL : __libc_realloc (ptr, size);
}

void *memalign (size_t align, size_t size)
{
    return refuse () ? NULL : __libc_memalign (align, size);
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

static int others;

/* A call fails with ENOMEM, or not; where it does not, errno is left alone.
 */
static void check (bool failed)
{
    if (failed ? errno != ENOMEM : errno != EXDEV)
        others++;
    errno = EXDEV;
}

static void log_nothing (int level, const char *text, void *arg)
{
    (void)level;
    (void)text;
    (void)arg;
}

static void scenario (const char *uri)
{
    struct fripp_ctx *ctx;
    struct fripp_ctx *second;
    struct fripp_metric *m;
    struct fripp_stats stats;
    char name[64];

    errno = EXDEV;
    ctx = fripp_ctx_create_uri (NULL, uri);
    check (!ctx);
    second = fripp_ctx_create (NULL, "127.0.0.1", 9);
    check (!second);
    if (ctx) {
        check (fripp_set_log (ctx, log_nothing, NULL) < 0);
        for (int i = 0; i < 40; i++) {
            snprintf (name, sizeof (name), "n%d%s", i % 20, i % 3 ? "" : ".and."
                      "a.name.that.does.not.fit.into.forty.bytes");
            errno = EXDEV;
            check (fripp_inc (ctx, name, 1) < 0);
            check (fripp_timing (ctx, name, i) < 0);
            check (fripp_unique (ctx, "s", name) < 0);
            check (fripp_gauge_real (ctx, name, 0.5) < 0);
            check (fripp_forget (ctx, name) < 0);
        }
        m = fripp_metric_get (ctx, FRIPP_COUNTER, "handle", "b:1,a:2");
        check (!m);
        if (m)
            check (fripp_metric_add (m, 1) < 0);
        check (fripp_inc (ctx, "odd name", 1) < 0);
        check (fripp_format_send (ctx, "a:%d|c\nb:%s|c", 1, "2") < 0);
        check (fripp_packet_appendf (ctx, "c:%d|c", 1) < 0);
        (void)fripp_set_prefix (ctx, "p.{{hostname}}");
        (void)fripp_set_tags (ctx, "x:y");
        (void)fripp_flush (ctx);
        errno = 0;
        if (fripp_inc (ctx, "", 1) == 0 || !*fripp_error ())
            others++;
        fripp_get_stats (ctx, &stats, sizeof (stats));
        (void)fripp_set_agg_period (ctx, 0.01);
        (void)fripp_inc (ctx, "t", 1);
        rest_ms (12);
    }
    fripp_ctx_destroy (second);
    fripp_ctx_destroy (ctx);
}

static int status_of (pid_t pid)
{
    int status = -1;

    if (waitpid (pid, &status, 0) != pid)
        bail_out ("waitpid: %s", strerror (errno));
    return status;
}

/* The scenario in a process, with so many failures from the n-th on. Whether
 * it came so far is told by 1.
 */
static int run (const char *uri, long n, long count)
{
    pid_t pid;

    if ((pid = fork ()) == 0) {
        bool reached;

        alarm (20);
        atomic_store (&failing, count);
        atomic_store (&before, n);
        scenario (uri);
        reached = atomic_load (&failing) < count;
        atomic_store (&before, -1);
        _exit (others ? 2 : reached);
    }
    return status_of (pid);
}

static void test_nth (const char *uri, long count)
{
    int aborted = 0;
    int wrong = 0;
    int missed = 0;
    long n;

    /* beyond the last, several processes end without a failure */
    for (n = 0; missed < 5 && n < 20000; n++) {
        int status = run (uri, n, count);

        if (!WIFEXITED (status)) {
            diag ("allocation %ld: signal %d", n, WTERMSIG (status));
            aborted++;
        }
        else if (WEXITSTATUS (status) == 2) {
            diag ("allocation %ld: a call fails otherwise", n);
            wrong++;
        }
        missed = status == 0 ? missed + 1 : 0;
    }
    ok (n > 100 && aborted == 0, "each of %ld allocations fails, and %ld "
        "behind it: nothing aborts", n - 5, count - 1);
    is_int (wrong, 0, "calls succeed and leave errno, or fail with ENOMEM");
}

static void test_fork (const char *uri)
{
    struct fripp_ctx *ctx = fripp_ctx_create_uri (NULL, uri);
    int status = -1;
    pid_t pid;

    must (ctx && fripp_inc (ctx, "n", 1) == 0);
    atomic_store (&failing, 1000000);
    atomic_store (&before, 0);
    if ((pid = fork ()) == 0)
        _exit (atomic_load (&failing) != 1000000);
    atomic_store (&before, -1);
    if (pid > 0)
        status = status_of (pid);
    is_int (status, 0, "a fork takes no memory");
    fripp_ctx_destroy (ctx);
}

static void record_all (struct fripp_ctx *ctx)
{
    char name[32];

    for (int i = 0; i < 100; i++) {
        snprintf (name, sizeof (name), "steady.%d", i);
        fripp_inc (ctx, name, 1 + i);
        fripp_count (ctx, name, rand ());
        fripp_gauge (ctx, name, rand (), false);
        fripp_gauge_real (ctx, name, rand () * -0.001);
        fripp_timing (ctx, name, 0.25);
        fripp_timing (ctx, name, i);
        fripp_histogram (ctx, name, -0.5);
        fripp_unique (ctx, name, i % 2 ? "a" : "b");
    }
    fripp_format_send (ctx, "steady:%d|c", 1);
    fripp_packet_appendf (ctx, "steady:%d|c", 1);
    while (fripp_flush (ctx) < 0 && errno == EAGAIN)
        usleep (1000);
}

/* All that is recorded again and again, and its flushes.
 */
static void test_steady (const char *uri)
{
    const long many = 1000000000;
    struct fripp_ctx *ctx = fripp_ctx_create_uri (NULL, uri);
    long left;

    ok (ctx != NULL, "there is a context");
    for (int i = 0; i < 3; i++)
        record_all (ctx);
    atomic_store (&before, many);
    for (int i = 0; i < 3; i++)
        record_all (ctx);
    left = atomic_exchange (&before, -1);
    ok (left == many, "calls and flushes allocate nothing in the steady state");
    if (left != many)
        diag ("%ld allocations", many - left);
    fripp_ctx_destroy (ctx);
}

int main (void)
{
    struct rlimit no_core = { 0, 0 };
    struct listener *server = listen_udp ("127.0.0.1");
    char uri[100];

    setrlimit (RLIMIT_CORE, &no_core);
    snprintf (uri, sizeof (uri), "127.0.0.1:%d?dialect=dogstatsd&period=3600",
              listener_port (server));
    test_steady (uri);
    test_fork (uri);
    test_nth (uri, 1);
    test_nth (uri, 1000000);
    listener_destroy (server);
    return done_testing ();
}
