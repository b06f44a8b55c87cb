/* Names, prefixes and tags: what is taken out of them, what they may be.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

static struct listener *server;

static const struct {
    const char *raw;
    const char *clean;
} names[] = {
    { "content-cache.load", "content-cache.load" },
    { "UPPER_lower-0.9/x+y*(z)", "UPPER_lower-0.9/x+y*(z)" },
    { "a:b", "a_b" },
    { "a|b", "a_b" },
    { "a@b", "a_b" },
    { "a#b", "a_b" },
    { "a,b", "a_b" },
    { "a;b", "a_b" },
    { "a=b", "a_b" },
    { "a b", "a_b" },
    { "a\tb\nc\vd\fe\rf", "a_b_c_d_e_f" },
    { "a\x01" "b\x1f" "c\x7f" "d", "a_b_c_d" },
    { "::", "__" },
    { ".a", "a" },
    { "a.", "a" },
    { "...a...", "a" },
    { "a..b...c", "a.b.c" },
    { ".:.", "_" },
    { "gr\xc3\xb6\xc3\x9f" "e", "gr\xc3\xb6\xc3\x9f" "e" },
    { "\xe2\x82\xac", "\xe2\x82\xac" },
    { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
    { "\xff\xfe.x", "__.x" },
    { "a\xe2\x82", "a__" },
    { "a\xe2\x82z", "a__z" },
    { "\xc0\xaf", "__" },
    { "\xed\xa0\x80", "___" },
    { "\xf4\x90\x80\x80", "____" },
    { "\x80", "_" },
    { "%s%n%d", "%s%n%d" },
};

static void test_cleaning (void)
{
    for (size_t i = 0; i < sizeof (names) / sizeof (names[0]); i++) {
        struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=statsd");
        struct fripp_metric *m;
        char want[128];

        snprintf (want, sizeof (want), "%s:3|c", names[i].clean);
        fripp_inc (ctx, names[i].raw, 1);
        fripp_inc (ctx, names[i].raw, 1);
        m = fripp_metric_get (ctx, FRIPP_COUNTER, names[i].clean, NULL);
        fripp_metric_add (m, 1);
        is_str (flushed (ctx, server), want,
                "a name is cleaned, two spellings are one line: %s",
                names[i].clean);
        ok (m && m == fripp_metric_get (ctx, FRIPP_COUNTER, names[i].raw, "")
            && m == fripp_metric_get (ctx, FRIPP_COUNTER, names[i].raw, NULL),
            "and one handle");
        fripp_ctx_destroy (ctx);
    }
}

static void test_injection (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=dogstatsd");
    struct fripp_metric *m;

    fripp_inc (ctx, "a:1|c\nevil", 1);
    is_str (flushed (ctx, server), "a_1_c_evil:1|c",
            "a name with ':' and a newline injects no metric");
    fripp_set_prefix (ctx, "p:1|c\nevil");
    fripp_set_tags (ctx, "k:v\nevil:1|c");
    m = fripp_metric_get (ctx, FRIPP_TIMER, "t", "x:1|ms\nevil");
    fripp_metric_record (m, 5);
    is_str (flushed (ctx, server),
            "p_1_c_evil.t:5|ms|#k:v_evil:1_c,x:1_ms_evil",
            "nor does a prefix or a tag");
    fripp_set_tags (ctx, "");
    fripp_set_prefix (ctx, "");
    fripp_unique (ctx, "s", "m|s\nevil:1|c");
    is_str (flushed (ctx, server), "s:m_s_evil_1_c|s",
            "nor a member of a set");
    fripp_ctx_destroy (ctx);
}

/* Every function, by name and by handle, with such a name.
 */
static int call_all (struct fripp_ctx *ctx, const char *name, int errnum)
{
    struct fripp_timer t;
    int failed = 0;

    fripp_timer_start (&t);
    failed += FAILS (fripp_count (ctx, name, 1), errnum);
    failed += FAILS (fripp_inc (ctx, name, 1), errnum);
    failed += FAILS (fripp_gauge (ctx, name, 1, false), errnum);
    failed += FAILS (fripp_gauge (ctx, name, 1, true), errnum);
    failed += FAILS (fripp_gauge_real (ctx, name, 1), errnum);
    failed += FAILS (fripp_timing (ctx, name, 1), errnum);
    failed += FAILS (fripp_histogram (ctx, name, 1), errnum);
    failed += FAILS (fripp_unique (ctx, name, "m"), errnum);
    failed += FAILS (fripp_timer_stop (ctx, name, &t), errnum);
    for (int type = FRIPP_COUNTER; type <= FRIPP_SET; type++) {
        failed += FAILS (fripp_send (ctx, name, 1, type), errnum);
        failed += FAILS_NULL (fripp_metric_get (ctx, type, name, NULL),
                              errnum);
    }
    return failed;
}

#define CALLS (9 + 2 * 6)

static void test_bad (void)
{
    static const char *const empty[] = { "", ".", "..." };
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=statsd");
    struct fripp_stats s;
    char *huge = strdup (repeat ('x', 10 * 1024));

    fripp_inc (ctx, "before", 1);
    for (int i = 0; i < 3; i++)
        is_int (call_all (ctx, empty[i], EINVAL), CALLS,
                "the name '%s' is empty: EINVAL", empty[i]);
    ok (FAILS (fripp_forget (ctx, ""), EINVAL)
        && FAILS (fripp_forget (ctx, "."), EINVAL), "to fripp_forget too");
    is_int (call_all (ctx, huge, ENAMETOOLONG), CALLS,
            "a name of 10 kB: ENAMETOOLONG");
    ok (fripp_forget (ctx, huge) == 0 || errno == ENAMETOOLONG,
        "fripp_forget of it does no harm");
    fripp_get_stats (ctx, &s, sizeof (s));
    ok (s.dropped >= 4 * 15
        && s.dropped == s.dropped_invalid + s.dropped_oversize
                        + s.dropped_full + s.dropped_send,
        "what is dropped is counted");
    fripp_inc (ctx, "before", 1);
    is_str (flushed (ctx, server), "before:2|c",
            "and it has no effect on what others queued");
    free (huge);
    fripp_ctx_destroy (ctx);
}

/* The longest name, and one byte more, after a prefix and before tags.
 */
static void test_caps (enum fripp_dialect dialect, size_t cap)
{
    const char *prefix = repeat ('p', 99);
    const char *d = dialect_names[dialect];
    struct fripp_ctx *ctx;
    struct fripp_metric *m;
    char *want;

    ctx = ctx_open (server, NEVER "&dialect=%s", d);
    is_int (call_all (ctx, repeat ('x', cap + 1), ENAMETOOLONG),
            dialect == FRIPP_BRUBECK ? CALLS - 3 : CALLS,
            "%s: a name of %zu bytes: ENAMETOOLONG", d, cap + 1);
    ok (fripp_inc (ctx, repeat ('x', cap), 1) == 0, "%s: one of %zu: sent",
        d, cap);
    if (asprintf (&want, "%s:1|c", repeat ('x', cap)) < 0)
        bail_out ("out of memory");
    is_str (flushed (ctx, server), want, "%s: whole", d);
    free (want);
    /* dots that go do not count */
    ok (fripp_inc (ctx, repeat ('.', 2 * cap), 1) == -1 && errno == EINVAL,
        "%s: nothing but dots is empty, however many", d);

    fripp_set_prefix (ctx, prefix);
    ok (FAILS (fripp_inc (ctx, repeat ('y', cap - 99), 1), ENAMETOOLONG)
        && fripp_inc (ctx, repeat ('y', cap - 100), 1) == 0,
        "%s: the prefix and its dot count", d);
    if (asprintf (&want, "%s.%s:1|c", prefix, repeat ('y', cap - 100)) < 0)
        bail_out ("out of memory");
    is_str (flushed (ctx, server), want, "%s: prefix and name, whole", d);
    free (want);

    /* a handle that a new prefix makes too long, and one that heals it */
    fripp_set_prefix (ctx, "");
    m = fripp_metric_get (ctx, FRIPP_COUNTER, repeat ('z', cap), NULL);
    ok (m && fripp_metric_add (m, 1) == 0, "%s: a handle", d);
    fripp_set_prefix (ctx, "p");
    ok (strlen (arrived (ctx, server)) == cap + 4,
        "%s: what it had goes out under the old prefix", d);
    ok (FAILS (fripp_metric_add (m, 1), ENAMETOOLONG)
        && !*flushed (ctx, server), "%s: a prefix that makes a handle's name "
        "too long: ENAMETOOLONG", d);
    fripp_set_prefix (ctx, "");
    ok (fripp_metric_add (m, 1) == 0
        && strlen (flushed (ctx, server)) == cap + 4,
        "%s: without it the handle works again", d);
    fripp_ctx_destroy (ctx);
}

static void test_caps_with_tags (void)
{
    char tags[1200];

    for (int d = FRIPP_DOGSTATSD; d <= FRIPP_GRAPHITE; d++) {
        struct fripp_ctx *ctx;

        ctx = ctx_open (server, NEVER "&dialect=%s", dialect_names[d]);
        ok (fripp_metric_get (ctx, FRIPP_COUNTER, repeat ('x', 512), "k:v")
            && FAILS_NULL (fripp_metric_get (ctx, FRIPP_COUNTER,
                                             repeat ('x', 513), "k:v"),
                           ENAMETOOLONG),
            "%s: a name has its 512 bytes beside its tags",
            dialect_names[d]);
        /* 1,024 of tags, and one more */
        snprintf (tags, sizeof (tags), "k:%s", repeat ('v', 1023));
        ok (FAILS_NULL (fripp_metric_get (ctx, FRIPP_COUNTER, "n", tags),
                        ENAMETOOLONG), "%s: 1,025 bytes of tags: "
            "ENAMETOOLONG", dialect_names[d]);
        tags[1024] = '\0';
        ok (fripp_metric_get (ctx, FRIPP_COUNTER, "n", tags) != NULL,
            "%s: 1,024 are taken", dialect_names[d]);
        ok (FAILS_NULL (fripp_metric_get (ctx, FRIPP_COUNTER,
                                          repeat ('x', 512), tags),
                        ENAMETOOLONG),
            "%s: unless the datagram does not hold the line",
            dialect_names[d]);
        fripp_set_tags (ctx, "c:d");
        ok (FAILS_NULL (fripp_metric_get (ctx, FRIPP_COUNTER, "n", tags),
                        ENAMETOOLONG), "%s: those of the context count",
            dialect_names[d]);
        (void)flushed (ctx, server);
        fripp_ctx_destroy (ctx);
    }
}

static void is_prefix (const char *prefix, const char *want)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER);
    char line[256];

    snprintf (line, sizeof (line), "%sn:1|c", want);
    ok (fripp_set_prefix (ctx, prefix) == 0 && fripp_inc (ctx, "n", 1) == 0,
        "the prefix '%s'", prefix);
    is_str (flushed (ctx, server), line, "is sent as '%s'", want);
    fripp_ctx_destroy (ctx);
}

static void test_prefix (void)
{
    struct fripp_ctx *ctx;
    char want[300];
    char host[200];
    char pid[32];

    snprintf (pid, sizeof (pid), "%d", (int)getpid ());
    is_prefix ("", "");
    is_prefix (".", "");
    is_prefix ("flux", "flux.");
    is_prefix (".flux..x.", "flux.x.");
    is_prefix ("a:b c", "a_b_c.");
    is_prefix ("{{rank}}", "0.");
    is_prefix ("flux.{{rank}}.x", "flux.0.x.");
    is_prefix ("{{rank}}{{rank}}", "00.");
    is_prefix ("{{rank}", "__rank_.");
    is_prefix ("{{other}}", "__other__.");
    snprintf (want, sizeof (want), "p%s.", pid);
    is_prefix ("p{{pid}}", want);
    if (gethostname (host, sizeof (host)) < 0)
        bail_out ("gethostname: %s", strerror (errno));
    host[strcspn (host, ".")] = '\0';
    snprintf (want, sizeof (want), "h.%s.", host);
    is_prefix ("h.{{hostname}}", want);
    snprintf (want, sizeof (want), "%s-%s-0.", host, pid);
    is_prefix ("{{hostname}}-{{pid}}-{{rank}}", want);
    snprintf (want, sizeof (want), "%s.", repeat ('p', 127));
    is_prefix (repeat ('p', 127), want);

    ctx = ctx_open (server, NEVER "&prefix=old");
    fripp_inc (ctx, "n", 1);
    errno = 0;
    ok (FAILS (fripp_set_prefix (ctx, repeat ('p', 128)), EINVAL)
        && fripp_inc (ctx, "n", 1) == 0,
        "a prefix of 128 bytes: EINVAL");
    is_str (flushed (ctx, server), "old.n:2|c", "and the old one stays");
    /* 128 before its token is put in, fewer after that */
    snprintf (want, sizeof (want), "{{rank}}%s", repeat ('p', 120));
    ok (FAILS (fripp_set_prefix (ctx, want), EINVAL),
        "128 bytes before the tokens are put in: EINVAL");
    /* enough pids for more than 127 */
    want[0] = '\0';
    for (int i = 0; i < 18; i++)
        strcat (want, "{{pid}}");
    if (18 * strlen (pid) > 127)
        ok (FAILS (fripp_set_prefix (ctx, want), EINVAL),
            "more than 127 bytes after them: EINVAL");
    fripp_inc (ctx, "n", 1);
    is_str (flushed (ctx, server), "old.n:1|c", "the old one stays");
    fripp_ctx_destroy (ctx);

    snprintf (want, sizeof (want), "127.0.0.1:%d?prefix=%s",
              listener_port (server), repeat ('p', 128));
    ok (FAILS_NULL (fripp_ctx_create_uri (NULL, want), EINVAL),
        "in a URI: EINVAL");
}

static void test_two_types (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=dogstatsd");
    struct fripp_metric *m[6];
    int same = 0;

    for (int type = FRIPP_COUNTER; type <= FRIPP_SET; type++) {
        m[type] = fripp_metric_get (ctx, type, "n", NULL);
        for (int other = 0; other < type; other++)
            same += m[other] == m[type];
    }
    is_int (same, 0, "one name with two types is two metrics");
    fripp_inc (ctx, "n", 1);
    fripp_gauge (ctx, "n", 2, false);
    fripp_inc (ctx, "n", 10);
    is_str (flushed (ctx, server), "n:11|c\nn:2|g", "none is lost");
    fripp_gauge_real (ctx, "n", -0.5);
    fripp_inc (ctx, "n", 7);
    fripp_timing (ctx, "n", 1.5);
    fripp_histogram (ctx, "n", 2.5);
    fripp_unique (ctx, "n", "m");
    is_str (flushed (ctx, server),
            "n:7|c\nn:-0.5|g\nn:1.5|ms\nn:2.5|h\nn:m|s",
            "and one's bits are not read as the other's");
    /* what is for one type, is not for another */
    ok (FAILS (fripp_metric_add (m[FRIPP_TOTAL], 1), EINVAL)
        && FAILS (fripp_metric_add (m[FRIPP_TIMER], 1), EINVAL)
        && FAILS (fripp_metric_add (m[FRIPP_HISTOGRAM], 1), EINVAL)
        && FAILS (fripp_metric_add (m[FRIPP_SET], 1), EINVAL),
        "fripp_metric_add to what is no counter or gauge: EINVAL");
    ok (FAILS (fripp_metric_set (m[FRIPP_COUNTER], 1), EINVAL)
        && FAILS (fripp_metric_set (m[FRIPP_TIMER], 1), EINVAL)
        && FAILS (fripp_metric_set (m[FRIPP_HISTOGRAM], 1), EINVAL)
        && FAILS (fripp_metric_set (m[FRIPP_SET], 1), EINVAL)
        && FAILS (fripp_metric_set (m[FRIPP_TOTAL], -1), EINVAL),
        "fripp_metric_set of what is no gauge or total: EINVAL");
    ok (FAILS (fripp_metric_set_real (m[FRIPP_COUNTER], 1), EINVAL)
        && FAILS (fripp_metric_set_real (m[FRIPP_TOTAL], 1), EINVAL)
        && FAILS (fripp_metric_set_real (m[FRIPP_TIMER], 1), EINVAL)
        && FAILS (fripp_metric_set_real (m[FRIPP_SET], 1), EINVAL),
        "fripp_metric_set_real of what is no gauge: EINVAL");
    ok (FAILS (fripp_metric_record (m[FRIPP_COUNTER], 1), EINVAL)
        && FAILS (fripp_metric_record (m[FRIPP_TOTAL], 1), EINVAL)
        && FAILS (fripp_metric_record (m[FRIPP_GAUGE], 1), EINVAL)
        && FAILS (fripp_metric_record (m[FRIPP_SET], 1), EINVAL),
        "fripp_metric_record to what is no timer or histogram: EINVAL");
    ok (FAILS (fripp_metric_unique (m[FRIPP_COUNTER], "m"), EINVAL)
        && FAILS (fripp_metric_unique (m[FRIPP_GAUGE], "m"), EINVAL)
        && FAILS (fripp_metric_unique (m[FRIPP_TIMER], "m"), EINVAL)
        && FAILS (fripp_metric_unique (m[FRIPP_SET], ""), EINVAL),
        "fripp_metric_unique to what is no set, or of no member: EINVAL");
    ok (!*flushed (ctx, server), "without an effect");
    fripp_ctx_destroy (ctx);
}

/* Names that are in one place of memory, one after the other: it is the text
 * that counts. Each is recorded often enough to be known by its place.
 */
static void test_one_place (void)
{
    struct listener *l;
    struct fripp_ctx *ctx = ctx_open_lossless (&l, NEVER "&dialect=statsd");
    struct reader *r = reader_create (FRIPP_STATSD);
    struct fripp_stats stats;
    char name[64];
    int failed = 0;
    int wrong = 0;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++) {
            snprintf (name, sizeof (name), "%.*s.%d", 1 + i % 50,
                      repeat ('n', 50), i);
            for (int k = 0; k < 3; k++) {
                failed += fripp_inc (ctx, name, 1 + i) != 0;
                failed += fripp_gauge (ctx, name, i, true) != 0;
                failed += fripp_timing (ctx, name, i) != 0;
            }
        }
    }
    is_int (failed, 0, "1,000 names from one buffer, of three types");
    listener_start (l);
    flush_all (ctx);
    fripp_get_stats (ctx, &stats, sizeof (stats));
    listener_need (l, stats.datagrams);
    listener_stop (l);
    reader_read_all (r, l, listener_count (l));
    for (int i = 0; i < 1000; i++) {
        snprintf (name, sizeof (name), "%.*s.%d", 1 + i % 50,
                  repeat ('n', 50), i);
        wrong += reader_get (r, name, "c")->sum != 9 * (1 + i);
        wrong += reader_get (r, name, "g")->gauge != 9 * i;
        wrong += reader_get (r, name, "ms")->values != 9;
    }
    is_int (wrong, 0, "each has what was recorded by its name");
    reader_destroy (r);
    fripp_ctx_destroy (ctx);
    listener_destroy (l);
}

static void test_one_place_forgotten (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=statsd");
    char name[64] = "a.name";

    for (int i = 0; i < 3; i++)
        fripp_inc (ctx, name, 1);
    fripp_forget (ctx, name);
    is_str (arrived (ctx, server), "a.name:3|c", "a name is forgotten");
    for (int i = 0; i < 3; i++)
        fripp_inc (ctx, name, 10);
    name[5] = 'f';
    for (int i = 0; i < 3; i++)
        fripp_inc (ctx, name, 100);
    name[3] = '\0';
    for (int i = 0; i < 3; i++)
        fripp_inc (ctx, name, 1000);
    strcpy (name, "a.name.and.more");
    for (int i = 0; i < 3; i++)
        fripp_inc (ctx, name, 10000);
    fripp_forget (ctx, "a.namf");
    is_str (arrived (ctx, server), "a.namf:300|c",
            "another one in its place is");
    strcpy (name, "a.namg");
    for (int i = 0; i < 3; i++)
        fripp_inc (ctx, name, 5);
    strcpy (name, "a:name");
    for (int i = 0; i < 3; i++)
        fripp_inc (ctx, name, 7);
    /* a.namg has the memory of what was forgotten */
    is_str (flushed (ctx, server), "a.name:30|c\na.namg:15|c\n"
            "a.n:3000|c\na.name.and.more:30000|c\na_name:21|c",
            "it comes again, as do others: none is lost, or another's");
    fripp_ctx_destroy (ctx);
}

/* Texts in memory that can be read only, and end where it ends.
 */
static void test_read_only (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=dogstatsd");
    size_t page = (size_t)sysconf (_SC_PAGESIZE);
    struct fripp_timer t;
    const char *name;
    const char *tags;
    char *mem;

    mem = mmap (NULL, 2 * page, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mem == MAP_FAILED)
        bail_out ("mmap: %s", strerror (errno));
    tags = strcpy (mem, "k:v w,x:y");
    name = strcpy (mem + page - sizeof ("..a:b..c."), "..a:b..c.");
    mprotect (mem, page, PROT_READ);
    mprotect (mem + page, page, PROT_NONE);
    fripp_timer_start (&t);
    for (int i = 0; i < 2; i++) {
        fripp_inc (ctx, name, 1);
        fripp_count (ctx, name, 1);
        fripp_gauge (ctx, name, 1, true);
        fripp_gauge_real (ctx, name, 1);
        fripp_timing (ctx, name, 1);
        fripp_histogram (ctx, name, 1);
        fripp_unique (ctx, name, name);
        fripp_send (ctx, name, 1, FRIPP_SET);
        fripp_timer_stop (ctx, name, &t);
        fripp_metric_add (fripp_metric_get (ctx, FRIPP_COUNTER, name, tags),
                          1);
        fripp_set_prefix (ctx, name);
        fripp_set_tags (ctx, tags);
        fripp_forget (ctx, name);
    }
    fripp_inc (ctx, name, 1);
    is_str (strrchr (flushed (ctx, server), '\n') + 1,
            "a_b.c.a_b.c:1|c|#k:v_w,x:y",
            "texts in read-only memory are not written to");
    fripp_ctx_destroy (ctx);
    munmap (mem, 2 * page);
}

static void test_bad_tags (void)
{
    static const char *const bad[] = {
        "k", "k:v,l", "novalue,k:v", "k:", ":v", "k:v,l:"
    };

    for (int d = FRIPP_DOGSTATSD; d <= FRIPP_GRAPHITE; d++) {
        struct fripp_ctx *ctx;
        int failed = 0;
        char uri[128];

        /* the Datadog agent takes the first three */
        size_t first = d == FRIPP_DOGSTATSD ? 3 : 0;

        ctx = ctx_open (server, NEVER "&dialect=%s&tags=old:1",
                        dialect_names[d]);
        for (size_t i = first; i < sizeof (bad) / sizeof (bad[0]); i++) {
            snprintf (uri, sizeof (uri), "127.0.0.1:8125?dialect=%s&tags=%s",
                      dialect_names[d], bad[i]);
            failed += FAILS (fripp_set_tags (ctx, bad[i]), EINVAL)
                && FAILS_NULL (fripp_metric_get (ctx, FRIPP_COUNTER, "n",
                                                 bad[i]), EINVAL)
                && FAILS_NULL (fripp_ctx_create_uri (NULL, uri), EINVAL);
        }
        is_int (failed, sizeof (bad) / sizeof (bad[0]) - first,
                "%s: a tag without a key, a ':' or a value: EINVAL",
                dialect_names[d]);
        fripp_inc (ctx, "n", 1);
        ok (strstr (flushed (ctx, server), d == FRIPP_DOGSTATSD ? "old:1"
                                                                : "old=1"),
            "%s: and the old ones stay", dialect_names[d]);
        fripp_ctx_destroy (ctx);
    }
}

/* Handles by their tags.
 */
static void test_handles (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=dogstatsd");
    struct fripp_metric *plain;
    struct fripp_metric *a;
    struct fripp_metric *b;

    plain = fripp_metric_get (ctx, FRIPP_COUNTER, "n", NULL);
    a = fripp_metric_get (ctx, FRIPP_COUNTER, "n", "k:a");
    b = fripp_metric_get (ctx, FRIPP_COUNTER, "n", "k:b");
    ok (plain && a && b && plain != a && a != b && plain != b,
        "one name with different tags: different metrics");
    ok (a == fripp_metric_get (ctx, FRIPP_COUNTER, "n", "k:a")
        && a == fripp_metric_get (ctx, FRIPP_COUNTER, ".n.", "k:a"),
        "the same arguments, or other spellings of them: the same pointer");
    ok (fripp_metric_get (ctx, FRIPP_COUNTER, "n", "k:a b")
        == fripp_metric_get (ctx, FRIPP_COUNTER, "n", "k:a|b"),
        "so for tags");
    fripp_inc (ctx, "n", 1);
    fripp_metric_add (plain, 1);
    fripp_metric_add (a, 10);
    fripp_metric_add (b, 20);
    is_str (flushed (ctx, server), "n:2|c\nn:10|c|#k:a\nn:20|c|#k:b",
            "calls by name are those of the handle without tags");
    fripp_ctx_destroy (ctx);
}

int main (void)
{
    server = listen_udp ("127.0.0.1");
    test_cleaning ();
    test_injection ();
    test_bad ();
    test_caps (FRIPP_BRUBECK, 240);
    for (int d = FRIPP_STATSD; d < DIALECTS; d++)
        test_caps ((enum fripp_dialect)d, 512);
    test_caps_with_tags ();
    test_prefix ();
    test_two_types ();
    test_one_place ();
    test_one_place_forgotten ();
    test_read_only ();
    test_bad_tags ();
    test_handles ();
    listener_destroy (server);
    return done_testing ();
}
