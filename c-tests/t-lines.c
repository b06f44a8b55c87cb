/* Dialect by dialect: what a call becomes on the wire. The bytes are those
 * that servers were seen to read right, not those that the library writes.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "tap.h"
#include "context.h"

enum op { COUNT, INC, GAUGE, GAUGE_INC, REAL, TIMING, HISTOGRAM, UNIQUE };

struct row {
    enum op op;
    int64_t i;
    double d;
    const char *member;
    /* brubeck, statsd, dogstatsd, telegraf, graphite; NULL: ENOTSUP, "":
     * EINVAL, since the server would refuse it */
    const char *bytes[DIALECTS];
};

#define ALL(b) { b, b, b, b, b }
/* a running total, and the same sent as a difference */
#define TOTAL(v) { "n:0.000000001|C\nn:" v "|C", "n:" v "|c", "n:" v "|c", "n:" v "|c", \
                   "n:" v "|c" }
/* below zero */
#define BELOW(v) { "n:0|g\nn:" v "|g", "n:0|g\nn:" v "|g", "n:" v "|g", \
                   "n:0|g\nn:" v "|g", "n:0|g\nn:" v "|g" }
#define HISTO(v) { "n:" v "|h", "n:" v "|ms", "n:" v "|h", "n:" v "|h", \
                   "n:" v "|ms" }
/* a sample below zero, which statsd and telegraf refuse */
#define HISTO_BELOW(v) { "n:" v "|h", "", "n:" v "|h", "", "" }
#define SET(m) { NULL, "n:" m "|s", "n:" m "|s", "n:" m "|s", "n:" m "|s" }

#define ZEROS_50 "00000000000000000000000000000000000000000000000000"
#define ZEROS_300 ZEROS_50 ZEROS_50 ZEROS_50 ZEROS_50 ZEROS_50 ZEROS_50
#define E300 "1" ZEROS_300
#define E_300 "0." ZEROS_50 ZEROS_50 ZEROS_50 ZEROS_50 ZEROS_50 \
              "0000000000000000000000000000000000000000000000000" "1"
#define MAX64 "9223372036854775807"
#define MIN64 "-9223372036854775808"

static const struct row rows[] = {
    { INC, 1, 0, NULL, ALL ("n:1|c") },
    { INC, 5, 0, NULL, ALL ("n:5|c") },
    { INC, -5, 0, NULL, ALL ("n:-5|c") },
    { INC, -1, 0, NULL, ALL ("n:-1|c") },
    { INC, 9007199254740993, 0, NULL, ALL ("n:9007199254740993|c") },
    { INC, INT64_MAX, 0, NULL, ALL ("n:" MAX64 "|c") },
    { INC, INT64_MIN, 0, NULL, ALL ("n:" MIN64 "|c") },

    { COUNT, 1, 0, NULL, TOTAL ("1") },
    { COUNT, 10, 0, NULL, TOTAL ("10") },
    { COUNT, 9007199254740993, 0, NULL, TOTAL ("9007199254740993") },
    { COUNT, INT64_MAX, 0, NULL, TOTAL (MAX64) },

    { GAUGE, 0, 0, NULL, ALL ("n:0|g") },
    { GAUGE, 1, 0, NULL, ALL ("n:1|g") },
    { GAUGE, 16777217, 0, NULL, ALL ("n:16777217|g") },
    { GAUGE, 9007199254740993, 0, NULL, ALL ("n:9007199254740993|g") },
    { GAUGE, INT64_MAX, 0, NULL, ALL ("n:" MAX64 "|g") },
    { GAUGE, -1, 0, NULL, BELOW ("-1") },
    { GAUGE, -5, 0, NULL, BELOW ("-5") },
    { GAUGE, -9007199254740993, 0, NULL, BELOW ("-9007199254740993") },
    { GAUGE, INT64_MIN, 0, NULL, BELOW (MIN64) },

    { GAUGE_INC, 3, 0, NULL, ALL ("n:3|g") },
    { GAUGE_INC, 0, 0, NULL, ALL ("n:0|g") },
    { GAUGE_INC, -3, 0, NULL, BELOW ("-3") },
    { GAUGE_INC, INT64_MAX, 0, NULL, ALL ("n:" MAX64 "|g") },
    { GAUGE_INC, INT64_MIN, 0, NULL, BELOW (MIN64) },

    { REAL, 0, 0.0, NULL, ALL ("n:0|g") },
    { REAL, 0, -0.0, NULL, ALL ("n:0|g") },
    { REAL, 0, 2.5, NULL, ALL ("n:2.5|g") },
    { REAL, 0, 0.1, NULL, ALL ("n:0.1|g") },
    { REAL, 0, 1.0 / 3, NULL, ALL ("n:0.3333333333333333|g") },
    { REAL, 0, 9007199254740992.0, NULL, ALL ("n:9007199254740992|g") },
    { REAL, 0, 1e15, NULL, ALL ("n:1000000000000000|g") },
    { REAL, 0, 1e21, NULL, ALL ("n:1000000000000000000000|g") },
    { REAL, 0, 1e-9, NULL, ALL ("n:0.000000001|g") },
    { REAL, 0, 1e300, NULL, ALL ("n:" E300 "|g") },
    { REAL, 0, 1e-300, NULL, ALL ("n:" E_300 "|g") },
    { REAL, 0, -2.5, NULL, BELOW ("-2.5") },
    { REAL, 0, -7, NULL, BELOW ("-7") },
    { REAL, 0, -1e-9, NULL, BELOW ("-0.000000001") },
    { REAL, 0, -1e300, NULL, BELOW ("-" E300) },
    { REAL, 0, -9223372036854775808.0, NULL, BELOW ("-9223372036854776000") },

    { TIMING, 0, 0, NULL, ALL ("n:0|ms") },
    { TIMING, 0, -0.0, NULL, ALL ("n:0|ms") },
    { TIMING, 0, 320, NULL, ALL ("n:320|ms") },
    { TIMING, 0, 2.628741, NULL, ALL ("n:2.628741|ms") },
    { TIMING, 0, 0.1, NULL, ALL ("n:0.1|ms") },
    { TIMING, 0, 0.1 + 0.2, NULL, ALL ("n:0.3|ms") },
    { TIMING, 0, 0.000001, NULL, ALL ("n:0.000001|ms") },
    { TIMING, 0, 0.0000006, NULL, ALL ("n:0.000001|ms") },
    { TIMING, 0, 0.0000004, NULL, ALL ("n:0|ms") },
    { TIMING, 0, 1e-9, NULL, ALL ("n:0|ms") },
    { TIMING, 0, 0.9999999, NULL, ALL ("n:1|ms") },
    { TIMING, 0, 1234567.1234564, NULL, ALL ("n:1234567.123456|ms") },
    { TIMING, 0, 9007199254740992.0, NULL, ALL ("n:9007199254740992|ms") },
    { TIMING, 0, 1e300, NULL, ALL ("n:" E300 "|ms") },

    { HISTOGRAM, 0, 0, NULL, HISTO ("0") },
    { HISTOGRAM, 0, -0.0, NULL, HISTO ("0") },
    { HISTOGRAM, 0, 42, NULL, HISTO ("42") },
    { HISTOGRAM, 0, -2.5, NULL, HISTO_BELOW ("-2.5") },
    { HISTOGRAM, 0, 0.1, NULL, HISTO ("0.1") },
    { HISTOGRAM, 0, 1e-9, NULL, HISTO ("0.000000001") },
    { HISTOGRAM, 0, 1e300, NULL, HISTO (E300) },
    { HISTOGRAM, 0, -1e300, NULL, HISTO_BELOW ("-" E300) },

    { UNIQUE, 0, 0, "user7", SET ("user7") },
    { UNIQUE, 0, 0, "42", SET ("42") },
    { UNIQUE, 0, 0, "-1", { NULL, "n:-1|s", "n:-1|s", "",
                             "n:-1|s" } },
    { UNIQUE, 0, 0, "a b:c|d\ne", SET ("a_b_c_d_e") },
    { UNIQUE, 0, 0, "\xff", SET ("_") },
    { UNIQUE, 0, 0, "gr\xc3\xbc\xc3\x9f", SET ("gr\xc3\xbc\xc3\x9f") },
};

static const char *const op_names[] = {
    "fripp_count", "fripp_inc", "fripp_gauge", "fripp_gauge inc",
    "fripp_gauge_real", "fripp_timing", "fripp_histogram", "fripp_unique"
};

static const enum fripp_type types[] = {
    FRIPP_TOTAL, FRIPP_COUNTER, FRIPP_GAUGE, FRIPP_GAUGE, FRIPP_GAUGE,
    FRIPP_TIMER, FRIPP_HISTOGRAM, FRIPP_SET
};

static int by_name (struct fripp_ctx *ctx, const struct row *row)
{
    switch (row->op) {
    case COUNT:
        return fripp_count (ctx, "n", row->i);
    case INC:
        return fripp_inc (ctx, "n", row->i);
    case GAUGE:
        return fripp_gauge (ctx, "n", row->i, false);
    case GAUGE_INC:
        return fripp_gauge (ctx, "n", row->i, true);
    case REAL:
        return fripp_gauge_real (ctx, "n", row->d);
    case TIMING:
        return fripp_timing (ctx, "n", row->d);
    case HISTOGRAM:
        return fripp_histogram (ctx, "n", row->d);
    default:
        return fripp_unique (ctx, "n", row->member);
    }
}

static int by_handle (struct fripp_ctx *ctx, const struct row *row)
{
    struct fripp_metric *m;

    if (!(m = fripp_metric_get (ctx, types[row->op], "n", NULL)))
        return -1;
    switch (row->op) {
    case COUNT:
    case GAUGE:
        return fripp_metric_set (m, row->i);
    case INC:
    case GAUGE_INC:
        return fripp_metric_add (m, row->i);
    case REAL:
        return fripp_metric_set_real (m, row->d);
    case TIMING:
    case HISTOGRAM:
        return fripp_metric_record (m, row->d);
    default:
        return fripp_metric_unique (m, row->member);
    }
}

typedef int (*call_f) (struct fripp_ctx *ctx, const struct row *row);

/* Whether a call, made in a context of its own, sends these bytes in one
 * datagram, or is ENOTSUP or EINVAL and sends nothing.
 */
static bool sends (struct listener *server, enum fripp_dialect dialect,
                   call_f call, const struct row *row, bool at_once)
{
    const char *want = row->bytes[dialect];
    struct fripp_ctx *ctx;
    const char *got;
    bool good;

    ctx = ctx_open (server, NEVER "&dialect=%s", dialect_names[dialect]);
    if (at_once)
        fripp_set_agg_period (ctx, 0);
    errno = EXDEV;
    if (want && *want)
        good = call (ctx, row) == 0 && errno == EXDEV;
    else
        good = call (ctx, row) == -1 && errno == (want ? EINVAL : ENOTSUP);
    got = at_once ? arrived (ctx, server) : flushed (ctx, server);
    good = good && !strcmp (got, want ? want : "")
           && datagrams () == (want && *want ? 1 : 0);
    if (!good)
        diag ("%s%s: errno %d, '%s' in %zu datagrams, not '%s'",
              call == by_name ? "by name" : "by handle",
              at_once ? ", period 0" : "", errno, got, datagrams (),
              want ? want : "ENOTSUP");
    fripp_ctx_destroy (ctx);
    return good;
}

static void test_rows (struct listener *server, enum fripp_dialect dialect)
{
    for (size_t i = 0; i < sizeof (rows) / sizeof (rows[0]); i++) {
        const struct row *row = &rows[i];
        const char *bytes = row->bytes[dialect];
        const char *newline = bytes ? strchr (bytes, '\n') : NULL;

        /* ssize_t may have 32 bits */
        if ((row->op == COUNT || row->op == GAUGE || row->op == GAUGE_INC)
            && (ssize_t)row->i != row->i)
            continue;
        ok (sends (server, dialect, by_name, row, false)
            && sends (server, dialect, by_handle, row, false)
            && sends (server, dialect, by_name, row, true)
            && sends (server, dialect, by_handle, row, true),
            "%s: %s: %.60s%s", dialect_names[dialect], op_names[row->op],
            !bytes ? "ENOTSUP" : newline ? newline + 1 : bytes,
            newline ? ", zero first" : "");
    }
}

/* What a metric with tags, in a context with tags and a prefix, is named.
 */
struct tag_row {
    const char *prefix;
    const char *ctx_tags;
    const char *name;
    const char *tags;
    enum fripp_type type;
    double value;
    const char *bytes[DIALECTS];
};

static const struct tag_row tag_rows[] = {
    { "", "", "n", "k:v", FRIPP_COUNTER, 1,
      { NULL, NULL, "n:1|c|#k:v", "n,k=v:1|c", "n;k=v:1|c" } },
    { "", "", "n", "k:v,k2:v2", FRIPP_COUNTER, 1,
      { NULL, NULL, "n:1|c|#k:v,k2:v2", "n,k=v,k2=v2:1|c",
        "n;k=v;k2=v2:1|c" } },
    { "", "", "n", "z:1,a:2", FRIPP_TOTAL, 7,
      { NULL, NULL, "n:7|c|#z:1,a:2", "n,z=1,a=2:7|c", "n;z=1;a=2:7|c" } },
    { "p", "", "a.b", "k:v", FRIPP_TIMER, 2.5,
      { NULL, NULL, "p.a.b:2.5|ms|#k:v", "p.a.b,k=v:2.5|ms",
        "p.a.b;k=v:2.5|ms" } },
    { "", "", "n", "k:v", FRIPP_HISTOGRAM, 2.5,
      { NULL, NULL, "n:2.5|h|#k:v", "n,k=v:2.5|h", "n;k=v:2.5|ms" } },
    { "", "", "n", "k:v", FRIPP_SET, 7,
      { NULL, NULL, "n:7|s|#k:v", "n,k=v:7|s", "n;k=v:7|s" } },
    { "", "", "n", "k:v", FRIPP_GAUGE, 5,
      { NULL, NULL, "n:5|g|#k:v", "n,k=v:5|g", "n;k=v:5|g" } },
    { "", "", "n", "k:v", FRIPP_GAUGE, -5,
      { NULL, NULL, "n:-5|g|#k:v", "n,k=v:0|g\nn,k=v:-5|g",
        "n;k=v:0|g\nn;k=v:-5|g" } },
    { "", "host:h1", "n", NULL, FRIPP_COUNTER, 1,
      { NULL, NULL, "n:1|c|#host:h1", "n,host=h1:1|c", "n;host=h1:1|c" } },
    { "p.q", "host:h1,rack:2", "n", "k:v", FRIPP_COUNTER, 1,
      { NULL, NULL, "p.q.n:1|c|#host:h1,rack:2,k:v",
        "p.q.n,host=h1,rack=2,k=v:1|c", "p.q.n;host=h1;rack=2;k=v:1|c" } },
    { "p", "host:h1", "n", "", FRIPP_GAUGE, -0.5,
      { NULL, NULL, "p.n:-0.5|g|#host:h1",
        "p.n,host=h1:0|g\np.n,host=h1:-0.5|g",
        "p.n;host=h1:0|g\np.n;host=h1:-0.5|g" } },
    { "", "", "n", "k:a b|c\nd@e#f;g=h", FRIPP_COUNTER, 1,
      { NULL, NULL, "n:1|c|#k:a_b_c_d_e_f_g_h", "n,k=a_b_c_d_e_f_g_h:1|c",
        "n;k=a_b_c_d_e_f_g_h:1|c" } },
    { "", "", "n", "k=1:v", FRIPP_COUNTER, 1,
      { NULL, NULL, "n:1|c|#k_1:v", "n,k_1=v:1|c", "n;k_1=v:1|c" } },
    /* without tags every dialect has them */
    { "p", "", "n", NULL, FRIPP_COUNTER, 1, ALL ("p.n:1|c") },
    { "p", "", "n", "", FRIPP_TIMER, 1.5, ALL ("p.n:1.5|ms") },
    { "p.q.", "", ".n.", NULL, FRIPP_GAUGE, -1.5,
      { "p.q.n:0|g\np.q.n:-1.5|g", "p.q.n:0|g\np.q.n:-1.5|g",
        "p.q.n:-1.5|g", "p.q.n:0|g\np.q.n:-1.5|g",
        "p.q.n:0|g\np.q.n:-1.5|g" } },
};

static int record (struct fripp_metric *m, enum fripp_type type, double value)
{
    char member[32];

    switch (type) {
    case FRIPP_COUNTER:
        return fripp_metric_add (m, (int64_t)value);
    case FRIPP_TOTAL:
        return fripp_metric_set (m, (int64_t)value);
    case FRIPP_GAUGE:
        return fripp_metric_set_real (m, value);
    case FRIPP_SET:
        snprintf (member, sizeof (member), "%g", value);
        return fripp_metric_unique (m, member);
    default:
        return fripp_metric_record (m, value);
    }
}

static void test_tags (struct listener *server, enum fripp_dialect dialect)
{
    for (size_t i = 0; i < sizeof (tag_rows) / sizeof (tag_rows[0]); i++) {
        const struct tag_row *row = &tag_rows[i];
        const char *want = row->bytes[dialect];
        const char *name = dialect_names[dialect];
        struct fripp_metric *m;
        struct fripp_ctx *ctx;

        ctx = ctx_open (server, NEVER "&dialect=%s", name);
        fripp_set_prefix (ctx, row->prefix);
        if (!want && *row->ctx_tags) {
            ok (FAILS (fripp_set_tags (ctx, row->ctx_tags), ENOTSUP)
                && fripp_inc (ctx, "n", 1) == 0
                && strchr (flushed (ctx, server), ':')
                && datagrams () == 1,
                "%s: tags of a context are ENOTSUP, and it goes on without",
                name);
        }
        else if (!want) {
            ok (FAILS_NULL (fripp_metric_get (ctx, row->type, row->name,
                                              row->tags), ENOTSUP)
                && !*flushed (ctx, server),
                "%s: tags of a metric are ENOTSUP: %s", name, row->tags);
        }
        else {
            fripp_set_tags (ctx, row->ctx_tags);
            m = fripp_metric_get (ctx, row->type, row->name, row->tags);
            ok (m && record (m, row->type, row->value) == 0, "%s: type %d, "
                "prefix '%s', tags '%s' '%s'", name, row->type, row->prefix,
                row->ctx_tags, row->tags ? row->tags : "NULL");
            is_str (flushed (ctx, server), want, "%s: %s", name, want);
            ok (datagrams () == 1, "%s: in one datagram", name);
        }
        fripp_ctx_destroy (ctx);
    }
}

/* Sums that leave 64 bits: all of it arrives.
 */
static void test_overflow (struct listener *server)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER);
    int64_t sum = 0;
    char *line;
    char *text;
    char copy[256];
    int lines = 0;

    fripp_inc (ctx, "n", INT64_MAX);
    fripp_inc (ctx, "n", INT64_MAX);
    fripp_inc (ctx, "n", 2);
    snprintf (copy, sizeof (copy), "%s", flushed (ctx, server));
    for (text = copy; (line = strtok (text, "\n")); text = NULL) {
        long long part = 0;

        sum = (int64_t)((uint64_t)sum
                        + (sscanf (line, "n:%lld|c", &part) == 1
                           ? (uint64_t)part : 7));
        lines++;
    }
    ok (lines > 1 && sum == 0, "a sum of 2^64 goes in pieces of 64 bits");
    fripp_inc (ctx, "n", INT64_MIN);
    fripp_inc (ctx, "n", INT64_MAX);
    is_str (flushed (ctx, server), "n:-1|c", "INT64_MIN + INT64_MAX is -1");
    ok (fripp_gauge_add (ctx, "g", INT64_MAX) == 0
        && FAILS (fripp_gauge (ctx, "g", 1, true), ERANGE),
        "a gauge that an increment would take out of 64 bits: ERANGE");
    is_str (flushed (ctx, server), "g:" MAX64 "|g", "and it keeps its value");
    fripp_ctx_destroy (ctx);
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");

    for (int i = 0; i < DIALECTS; i++)
        test_rows (server, (enum fripp_dialect)i);
    for (int i = 0; i < DIALECTS; i++)
        test_tags (server, (enum fripp_dialect)i);
    test_overflow (server);
    listener_destroy (server);
    return done_testing ();
}
