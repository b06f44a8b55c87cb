/* The functions with "..." hand their arguments on as printf does.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <fripp.h>

#include "listener.h"
#include "tap.h"

static struct listener *server;
static struct fripp_ctx *ctx;

/* Both functions, and what printf writes.
 */
#define SAME(what, ...) do { \
    char want_[8192]; \
    int rc1_; \
    int rc2_; \
    int errno_ = errno; \
    (void)snprintf (want_, sizeof (want_), __VA_ARGS__); \
    listener_clear (server); \
    errno = errno_; \
    rc1_ = fripp_format_send (ctx, __VA_ARGS__); \
    errno = errno_; \
    rc2_ = fripp_sendf (ctx, __VA_ARGS__); \
    listener_need (server, 2); \
    ok (rc1_ == 0 && rc2_ == 0 \
        && listener_got (server, 0, want_, strlen (want_)) \
        && listener_got (server, 1, want_, strlen (want_)), what); \
} while (0)

#define I(n) (n) * 1000003
#define D(n) (n) * 1.25 + 0.001
#define S(n) "s" #n

#define A5(x, n) x (n), x (n + 1), x (n + 2), x (n + 3), x (n + 4)
#define F5(f) f f f f f

static void test_counts (void)
{
    SAME ("no argument", "a:1|c");
    SAME ("one int", "a:%d|c", 1);
    SAME ("two ints", "a:%d %d|c", 1, 2);
    SAME ("three ints", "a:%d %d %d|c", 1, 2, 3);
    SAME ("four ints", "a:%d %d %d %d|c", 1, 2, 3, 4);
    SAME ("five ints", F5 ("%d ") "|c", A5 (I, 1));
    SAME ("six ints", F5 ("%d ") "%d|c", A5 (I, 1), 6);
    SAME ("seven ints", F5 ("%d ") "%d %d|c", A5 (I, 1), 6, 7);
    SAME ("eight ints", F5 ("%d ") "%d %d %d|c", A5 (I, 1), 6, 7, 8);
    SAME ("nine ints", F5 ("%d ") "%d %d %d %d|c", A5 (I, 1), 6, 7, 8, 9);
    SAME ("ten ints", F5 ("%d ") F5 ("%d "), A5 (I, 1), A5 (I, 6));
    SAME ("20 ints", F5 ("%d ") F5 ("%d ") F5 ("%d ") F5 ("%d "),
          A5 (I, 1), A5 (I, 6), A5 (I, 11), A5 (I, 16));
    SAME ("one double", "a:%f|c", 1.5);
    SAME ("eight doubles", F5 ("%f ") "%f %f %f|c", A5 (D, 1), 6., 7., 8.);
    SAME ("nine doubles", F5 ("%f ") "%f %f %f %f|c", A5 (D, 1), 6., 7., 8.,
          9.);
    SAME ("20 doubles", F5 ("%f ") F5 ("%g ") F5 ("%e ") F5 ("%a "),
          A5 (D, 1), A5 (D, 6), A5 (D, 11), A5 (D, 16));
    SAME ("20 strings", F5 ("%s ") F5 ("%s ") F5 ("%s ") F5 ("%s "),
          S (1), S (2), S (3), S (4), S (5), S (6), S (7), S (8), S (9),
          S (10), S (11), S (12), S (13), S (14), S (15), S (16), S (17),
          S (18), S (19), S (20));
    SAME ("ints, doubles and strings mixed",
          F5 ("%s:%d %f ") "%s:%d %f|ms", S (1), 1, 1.5, S (2), 2, 2.5,
          S (3), 3, 3.5, S (4), 4, 4.5, S (5), 5, 5.5, S (6), 6, 6.5);
}

static void test_kinds (void)
{
    int64_t big = INT64_MIN;
    uint64_t ubig = UINT64_MAX;

    SAME ("long double", "a:%Lf %Lg|c", 1.25L, 3e300L);
    SAME ("long doubles among others", "%d %Lf %s %Lf %f %Lf %d|c", 1, 2.5L,
          "x", 3.5L, 4.5, 5.5L, 6);
    SAME ("all 64 bits", "a:%" PRId64 " %" PRIu64 "|c", big, ubig);
    SAME ("%%*d", "a:%*d %-*d|c", 7, 42, 9, 43);
    SAME ("%%.*f and %%.*s", "a:%.*f %.*s|c", 3, 3.14159, 2, "xyz");
    SAME ("%%p, %%x, %%c, %%zu, %%%%", "%p %x %c %zu %%|c", (void *)&big, 255,
          'x', sizeof (big));
    SAME ("positions: %%2$s %%1$d", "a:%2$s %1$d|c", 5, "five");
    SAME ("a wide string", "a:%ls|c", L"wide");
    errno = ENOSPC;
    SAME ("%%m: errno as it is at the call", "a:%m|c");
    errno = EXDEV;
    SAME ("%%m among arguments", "a:%d %m %s|c", 5, "x");
}

static void test_n (void)
{
    int n = 0;
    int rc;

    listener_clear (server);
    rc = fripp_format_send (ctx, "abc%n:1|c", &n);
    ok (rc == 0 && n == 3 && listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "abc:1|c", 7), "%%n");
}

/* One MB in one %s: it is formatted twice, with a copy of the va_list.
 */
static void test_megabyte (void)
{
    size_t size = 1 << 20;
    char *text = malloc (size + 1);
    char *got;
    int rc;

    memset (text, 'x', size);
    text[size] = '\0';
    listener_clear (server);
    errno = 0;
    rc = fripp_format_send (ctx, "%s", text);
    ok (rc == -1 && errno == EMSGSIZE,
        "%%s of 1 MB without a newline is EMSGSIZE");
    rc = fripp_format_send (ctx, "before:1|c\n%s\nafter:%d|c", text, 7);
    ok (rc == -1 && errno == EMSGSIZE
        && listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "before:1|c\nafter:7|c", 20),
        "%%s of 1 MB among good lines: they are sent");

    for (size_t i = 31; i < size; i += 32)
        text[i] = '\n';
    listener_clear (server);
    listener_start (server);
    rc = fripp_format_send (ctx, "%s%d %f %s", text, 1, 2.5, "end");
    ok (rc == 0, "%%s of 1 MB in lines is 0");
    listener_need_lines (server, size / 32 + 1);
    listener_stop (server);
    got = listener_text (server);
    ok (strlen (got) == size + 15 && !memcmp (got, text, size)
        && !strcmp (got + size, "1 2.500000 end\n"),
        "all 32,768 lines arrive, in order, and what follows them");
    free (got);
    free (text);
}

static int send_v (bool twice, const char *fmt, ...)
    __attribute__ ((format (printf, 2, 3)));

static int send_v (bool twice, const char *fmt, ...)
{
    va_list ap;
    va_list copy;
    char want[8192];
    int rc;

    va_start (ap, fmt);
    va_copy (copy, ap);
    rc = fripp_vformat_send (ctx, fmt, ap);
    if (twice && rc == 0)
        rc = fripp_vformat_send (ctx, fmt, copy);
    else
        vsnprintf (want, sizeof (want), fmt, copy);
    va_end (copy);
    va_end (ap);
    return rc;
}

static void test_va_list (void)
{
    char filler[6000];
    char want[8192];

    listener_clear (server);
    ok (send_v (false, "%s.%d:%f|ms", "a", 5, 2.5) == 0
        && listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "a.5:2.500000|ms", 15),
        "fripp_vformat_send sends what vprintf writes");

    listener_clear (server);
    ok (send_v (true, "%s.%d:%f|ms", "a", 5, 2.5) == 0
        && listener_wait (server, 2, DEADLINE) == 2
        && listener_got (server, 0, "a.5:2.500000|ms", 15)
        && listener_got (server, 1, "a.5:2.500000|ms", 15),
        "a copy of the va_list made before the call can be used after it");

    /* long texts, which are formatted a second time, with the arguments in
     * registers and on the stack */
    memset (filler, 'x', sizeof (filler));
    for (size_t i = 999; i < sizeof (filler); i += 1000)
        filler[i] = '\n';
    filler[sizeof (filler) - 1] = '\0';
    snprintf (want, sizeof (want), "%s\n1 2 3 4 5 6 7 8 1.5 z\n", filler);
    for (int twice = 0; twice < 2; twice++) {
        char *got;
        char *second;

        listener_clear (server);
        ok (send_v (twice, "%s\n%d %d %d %d %d %d %d %d %.1f %s", filler, 1,
                    2, 3, 4, 5, 6, 7, 8, 1.5, "z") == 0
            && listener_wait_lines (server, twice ? 14 : 7, DEADLINE),
            "a text of 6 kB with ten arguments after it, sent %s",
            twice ? "twice" : "once");
        got = listener_text (server);
        second = got + strlen (got) / (twice + 1);
        ok (!strncmp (got, want, strlen (want)) && !strcmp (second,
            twice ? want : ""), "it is formatted right each time");
        free (got);
    }
}

#define THREADS 4
#define ROUNDS 2000

static void *send_many (void *arg)
{
    int id = (int)(intptr_t)arg;
    intptr_t failed = 0;

    for (int i = 0; i < ROUNDS; i++) {
        failed += 0 != fripp_format_send (ctx,
            "t%d.%d:%d %d %d %d %d %d %f %f %f %f %f %f %f %f %f %s %Lf",
            id, i, id, i, id + i, id * i, i - id, 7, i + .0, i + .1, i + .2,
            i + .3, i + .4, i + .5, i + .6, i + .7, i + .8, "end",
            (long double)i);
    }
    return (void *)failed;
}

static void test_threads (void)
{
    pthread_t threads[THREADS];
    intptr_t failed = 0;
    int next[THREADS] = { 0 };
    size_t n;
    int wrong = 0;

    listener_clear (server);
    listener_start (server);
    for (intptr_t i = 0; i < THREADS; i++)
        pthread_create (&threads[i], NULL, send_many, (void *)i);
    for (int i = 0; i < THREADS; i++) {
        void *result;

        pthread_join (threads[i], &result);
        failed += (intptr_t)result;
    }
    is_int (failed, 0, "four threads at once: every call is 0");
    n = listener_wait (server, THREADS * ROUNDS, 5000);
    listener_stop (server);
    if (n < THREADS * ROUNDS)
        diag ("%zu of %d arrived: the rest did not fit the buffer", n,
              THREADS * ROUNDS);
    for (size_t d = 0; d < n; d++) {
        char want[1024];
        int id;
        int i;

        if (sscanf (listener_get (server, d)->data, "t%d.%d:", &id, &i) != 2
            || id < 0 || id >= THREADS) {
            wrong++;
            continue;
        }
        snprintf (want, sizeof (want),
            "t%d.%d:%d %d %d %d %d %d %f %f %f %f %f %f %f %f %f %s %Lf",
            id, i, id, i, id + i, id * i, i - id, 7, i + .0, i + .1, i + .2,
            i + .3, i + .4, i + .5, i + .6, i + .7, i + .8, "end",
            (long double)i);
        wrong += !listener_got (server, d, want, strlen (want));
        wrong += i < next[id];
        next[id] = i + 1;
    }
    ok (n > 0 && wrong == 0, "four threads at once: what arrives is whole, "
        "and in each thread's order");
}

int main (void)
{
    server = listen_udp ("127.0.0.1");
    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    if (!ctx)
        bail_out ("fripp_ctx_create");

    test_counts ();
    test_kinds ();
    test_n ();
    test_megabyte ();
    test_va_list ();
    test_threads ();

    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    return done_testing ();
}
