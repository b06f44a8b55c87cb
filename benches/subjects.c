/* subjects.c - the calls that are timed, the floors and the peers
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A round times a batch of each subject of a group, in an order that moves
 * on by one each round, and ratios are taken within a round: what else the
 * machine does meanwhile hits all alike.
 *
 * Packets go to one UDP socket on loopback, which has room for a batch of
 * calls and is emptied after it, while no time is taken: every datagram is
 * delivered, and no reader competes for the processor meanwhile.
 *
 * Recording is measured with the library as anybody has it: period 1 s, the
 * background thread flushing each second. What is flushed goes to a process
 * that reads it. Batches of timings are 10,000 samples, and each is followed
 * by a flush, not timed, that has to send them all as so many lines: below
 * 32,768 in a period every sample is kept, and that none was thinned is
 * verified.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fripp.h>

#include "bench.h"

#define MANY 10000L
#define MILLION 1000000L
#define LEN(a) ((int)(sizeof (a) / sizeof ((a)[0])))

typedef int (*format_send_f) (void *ctx, const char *fmt, ...);

long lost;

static struct fripp_ctx *packets, *names, *samples, *disabled, *million;
static struct fripp_ctx *renamed, *tagged;
static struct fripp_metric *counter, *gauge, *timer, *inert;
static char *many_names, *million_names;
static int receiver = -1;
static int floor_fd = -1;
static format_send_f week4_format_send;
static void *week4;
static void (*peers_run) (int which, long n);

/* -- sockets ------------------------------------------------------------- */

/* Where packets go. Returns its port.
 */
int receiver_open (int *fd)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t len = sizeof (sin);
    int size = 1024 * 1024;

    sin.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    *fd = socket (AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0
        || setsockopt (*fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof (size))
        || bind (*fd, (struct sockaddr *)&sin, sizeof (sin)) < 0
        || getsockname (*fd, (struct sockaddr *)&sin, &len) < 0)
        die ("socket");
    return ntohs (sin.sin_port);
}

/* Take what is there. Returns the number of datagrams.
 */
long receiver_empty (int fd)
{
    char buf[2048];
    long n = 0;

    while (recv (fd, buf, sizeof (buf), 0) >= 0)
        n++;
    return n;
}

static int connected_socket (int port)
{
    struct sockaddr_in sin = { .sin_family = AF_INET,
                               .sin_port = htons (port) };
    int fd = socket (AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    sin.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    if (fd < 0 || connect (fd, (struct sockaddr *)&sin, sizeof (sin)) < 0)
        die ("connect");
    return fd;
}

/* -- packets ------------------------------------------------------------- */

static int __attribute__ ((format (printf, 2, 3)))
floor_format_send (void *ctx, const char *fmt, ...)
{
    char buf[4096];
    va_list ap;
    int n;

    va_start (ap, fmt);
    n = vsnprintf (buf, sizeof (buf), fmt, ap);
    va_end (ap);
    return send (*(int *)ctx, buf, n, 0) == n ? 0 : -1;
}

/* The calls of a Flux broker: a timing of its content cache, and the message
 * counters of a module.
 */
static inline void one (format_send_f f, void *ctx, long n)
{
    for (long i = 0; i < n; i++)
        f (ctx, "flux.content-cache.store:%lf|ms", 0.25 + i * 1e-6);
}

static inline void eight (format_send_f f, void *ctx, long n)
{
    const char *mod = "job-manager";
    int rank = 0;

    for (long i = 0; i < n; i++) {
        int v = 1000 + (int)i;
        f (ctx, "flux.%s.%d.request_tx:%d|C\nflux.%s.%d.request_rx:%d|C\n\
flux.%s.%d.response_tx:%d|C\nflux.%s.%d.response_rx:%d|C\n\
flux.%s.%d.event_tx:%d|C\nflux.%s.%d.event_rx:%d|C\n\
flux.%s.%d.keepalive_tx:%d|C\nflux.%s.%d.keepalive_rx:%d|C",
           mod, rank, v, mod, rank, v, mod, rank, v, mod, rank, v,
           mod, rank, v, mod, rank, v, mod, rank, v, mod, rank, v);
    }
}

static void one_floor (long n) { one (floor_format_send, &floor_fd, n); }
static void one_fripp (long n)
{
    one ((format_send_f)fripp_format_send, packets, n);
}
static void one_week4 (long n) { one (week4_format_send, week4, n); }
static void eight_floor (long n) { eight (floor_format_send, &floor_fd, n); }
static void eight_fripp (long n)
{
    eight ((format_send_f)fripp_format_send, packets, n);
}
static void eight_week4 (long n) { eight (week4_format_send, week4, n); }

static void empty (long n)
{
    lost += n - receiver_empty (receiver);
}

/* -- recording ----------------------------------------------------------- */

static const char *one_name = "flux.content-cache.load";

static void atomic_add (long n)
{
    static struct {
        long value __attribute__ ((aligned (128)));
    } counter;

    for (long i = 0; i < n; i++)
        __atomic_fetch_add (&counter.value, 1, __ATOMIC_RELAXED);
}

/* The least that a call can be: a jump, the addition, the way back. On some
 * processors the return address, which is stored right before it, makes the
 * addition wait.
 */
static int __attribute__ ((noinline)) add_in_a_function (long *value, long n)
{
    __atomic_fetch_add (value, n, __ATOMIC_RELAXED);
    return 0;
}

static void atomic_call (long n)
{
    static struct {
        long value __attribute__ ((aligned (128)));
    } counter;
    static int (*volatile function) (long *value, long n) = add_in_a_function;

    for (long i = 0; i < n; i++)
        function (&counter.value, 1);
}

static void inc (long n)
{
    for (long i = 0; i < n; i++)
        fripp_inc (names, one_name, 1);
}

static void set_gauge (long n)
{
    for (long i = 0; i < n; i++)
        fripp_gauge (names, one_name, i, false);
}

static void inc_many (long n)
{
    for (long i = 0; i < n; i++)
        fripp_inc (names, many_names + 64 * (i % MANY), 1);
}

static void gauge_many (long n)
{
    for (long i = 0; i < n; i++)
        fripp_gauge (names, many_names + 64 * (i % MANY), i, false);
}

static void add (long n)
{
    for (long i = 0; i < n; i++)
        fripp_metric_add (counter, 1);
}

static void set (long n)
{
    for (long i = 0; i < n; i++)
        fripp_metric_set (gauge, i);
}

static void timing (long n)
{
    for (long i = 0; i < n; i++)
        fripp_timing (samples, "flux.content-cache.store", 0.25 + i * 1e-6);
}

static void record (long n)
{
    for (long i = 0; i < n; i++)
        fripp_metric_record (timer, 0.25 + i * 1e-6);
}

static void flush_all (struct fripp_ctx *ctx)
{
    while (fripp_flush (ctx) < 0) {
        if (errno != EAGAIN)
            die ("fripp_flush");
    }
}

static uint64_t lines_of (struct fripp_ctx *ctx)
{
    struct fripp_stats stats;

    if (fripp_get_stats (ctx, &stats, sizeof (stats)) < 0)
        die ("fripp_get_stats");
    return stats.lines;
}

/* Each sample is a line.
 */
static void send_samples (long n)
{
    static uint64_t before;

    flush_all (samples);
    if (lines_of (samples) - before != (uint64_t)n)
        lost++;
    before = lines_of (samples);
}

static void disabled_inc (long n)
{
    for (long i = 0; i < n; i++)
        fripp_inc (disabled, one_name, 1);
}

static void disabled_add (long n)
{
    for (long i = 0; i < n; i++)
        fripp_metric_add (inert, 1);
}

static void inc_million (long n)
{
    static long at;

    for (long i = 0; i < n; i++) {
        fripp_inc (million, million_names + 64 * at, 1);
        if ((at += 7919) >= MILLION)
            at -= MILLION;
    }
}

static void inc_renamed (long n)
{
    for (long i = 0; i < n; i++)
        fripp_inc (renamed, one_name, 1);
}

/* A flush's formatting, packing and sending: for the instructions of a metric.
 */
static void record_before_flush (long n)
{
    flush_all (names);
    for (long i = 0; i < n; i++)
        fripp_inc (names, many_names + 64 * i, 1 + i);
}

static void flush (long n)
{
    (void)n;
    flush_all (names);
}

static void gauges_before_flush (long n)
{
    static long value;

    flush_all (names);
    for (long i = 0; i < n; i++)
        fripp_gauge (names, many_names + 64 * i, ++value, false);
}

static void totals_before_flush (long n)
{
    static long total;

    flush_all (names);
    total += n;
    for (long i = 0; i < n; i++)
        fripp_count (names, many_names + 64 * i, total + i);
}

static void samples_before_flush (long n)
{
    flush_all (names);
    for (long i = 0; i < n; i++)
        fripp_timing (names, many_names + 64 * i, 0.25 + i * 1e-6);
}

static void samples_of_one (long n)
{
    flush_all (samples);
    timing (n);
}

static void flush_of_one (long n)
{
    (void)n;
    flush_all (samples);
}

static void tagged_before_flush (long n)
{
    flush_all (tagged);
    for (long i = 0; i < n; i++)
        fripp_inc (tagged, many_names + 64 * i, 1 + i);
}

static void flush_tagged (long n)
{
    (void)n;
    flush_all (tagged);
}

/* -- peers: numbers as in peers/src/lib.rs -------------------------------- */

static void exporter_inc (long n) { peers_run (0, n); }
static void exporter_add (long n) { peers_run (1, n); }
static void exporter_gauge (long n) { peers_run (2, n); }
static void exporter_timing (long n) { peers_run (3, n); }
static void exporter_record (long n) { peers_run (4, n); }
static void cadence_udp (long n) { peers_run (5, n); }
static void cadence_buffered (long n) { peers_run (6, n); }
static void cadence_queued (long n) { peers_run (7, n); }
static void rylv_shared_inc (long n) { peers_run (8, n); }
static void rylv_shared_add (long n) { peers_run (9, n); }
static void rylv_local_inc (long n) { peers_run (10, n); }
static void rylv_local_add (long n) { peers_run (11, n); }
static void rylv_local_record (long n) { peers_run (12, n); }
static void prometheus_inc (long n) { peers_run (13, n); }
static void prometheus_add (long n) { peers_run (14, n); }

/* -- groups -------------------------------------------------------------- */

#define EXPORTER "metrics-exporter-dogstatsd"

static struct subject packet_subjects[] = {
    { "floor_one", "vsnprintf + send, one metric", one_floor, empty,
      .batch = 200 },
    { "format_send_one", "fripp_format_send, one metric", one_fripp, empty,
      .batch = 200 },
    { "week4_one", "week 4, one metric", one_week4, empty, .batch = 200 },
    { "floor_eight", "vsnprintf + send, eight counters", eight_floor, empty,
      .batch = 200 },
    { "format_send_eight", "fripp_format_send, eight counters", eight_fripp,
      empty, .batch = 200 },
    { "week4_eight", "week 4, eight counters", eight_week4, empty,
      .batch = 200 },
};

static struct subject recording_subjects[] = {
    { "atomic", "an atomic add", atomic_add, .batch = 20000 },
    { "atomic_call", "an atomic add, in a function", atomic_call,
      .batch = 20000 },
    { "inc", "fripp_inc, one name", inc, .batch = 20000 },
    { "gauge", "fripp_gauge, one name", set_gauge, .batch = 20000 },
    { "exporter_inc", EXPORTER " counter by name", exporter_inc,
      .batch = 10000 },
    { "exporter_gauge", EXPORTER " gauge by name", exporter_gauge,
      .batch = 10000 },
    { "metric_add", "fripp_metric_add", add, .batch = 20000 },
    { "metric_set", "fripp_metric_set", set, .batch = 20000 },
    { "exporter_add", EXPORTER " counter by handle", exporter_add,
      .batch = 10000 },
    { "inc_10k", "fripp_inc, 10,000 names", inc_many, .batch = 5 * MANY },
    { "gauge_10k", "fripp_gauge, 10,000 names", gauge_many, .batch = 5 * MANY },
    { "disabled_inc", "fripp_inc, disabled", disabled_inc, .batch = 20000 },
    { "disabled_add", "fripp_metric_add, disabled", disabled_add,
      .batch = 20000 },
};

static struct subject sample_subjects[] = {
    { "atomic_2", "an atomic add", atomic_add, .batch = 20000 },
    { "timing", "fripp_timing", timing, send_samples, .batch = 10000 },
    { "exporter_timing", EXPORTER " histogram by name", exporter_timing,
      .batch = 10000 },
    { "record", "fripp_metric_record", record, send_samples, .batch = 10000 },
    { "exporter_record", EXPORTER " histogram by handle", exporter_record,
      .batch = 10000 },
};

static struct subject cadence_subjects[] = {
    { "inc_2", "fripp_inc, one name", inc, .batch = 20000 },
    { "cadence_udp", "cadence, UDP", cadence_udp, .batch = 200 },
    { "cadence_buffered", "cadence, buffered", cadence_buffered,
      .batch = 2000 },
    { "cadence_queued", "cadence, queued and buffered", cadence_queued,
      .batch = 2000 },
};

#define RYLV "rylv-metrics"

static struct subject other_subjects[] = {
    { "inc_3", "fripp_inc, one name", inc, .batch = 20000 },
    { "metric_add_3", "fripp_metric_add", add, .batch = 20000 },
    { "record_3", "fripp_metric_record", record, send_samples,
      .batch = 10000 },
    { "rylv_shared_inc", RYLV ", shared, counter by name", rylv_shared_inc,
      .batch = 10000 },
    { "rylv_shared_add", RYLV ", shared, counter prepared", rylv_shared_add,
      .batch = 10000 },
    { "rylv_local_inc", RYLV ", thread-local, counter by name",
      rylv_local_inc, .batch = 10000 },
    { "rylv_local_add", RYLV ", thread-local, counter prepared",
      rylv_local_add, .batch = 10000 },
    { "rylv_local_record", RYLV ", thread-local, histogram prepared",
      rylv_local_record, .batch = 10000 },
    { "prometheus_inc", "Rust's prometheus, counter by label",
      prometheus_inc, .batch = 10000 },
    { "prometheus_add", "Rust's prometheus, counter by handle",
      prometheus_add, .batch = 10000 },
};

static struct subject million_subjects[] = {
    { "atomic_3", "an atomic add", atomic_add, .batch = 20000 },
    { "inc_1m", "fripp_inc, 1,000,000 names", inc_million, .batch = 50000 },
    { "inc_renamed", "fripp_inc, after a change of the prefix", inc_renamed,
      .batch = 20000 },
};

/* Not timed here (flush.c is), but its instructions are counted.
 */
static struct subject counted_subjects[] = {
    { "flush", "a flush, per metric", flush, .before = record_before_flush,
      .batch = 500 },
    { "flush_gauges", "a flush, per gauge", flush,
      .before = gauges_before_flush, .batch = 500 },
    { "flush_totals", "a flush, per total", flush,
      .before = totals_before_flush, .batch = 500 },
    { "flush_timers", "a flush, per timer of one sample", flush,
      .before = samples_before_flush, .batch = 500 },
    { "flush_samples", "a flush, per sample of one timer", flush_of_one,
      .before = samples_of_one, .batch = 500 },
    { "flush_tagged", "a flush, per metric of a context with tags",
      flush_tagged, .before = tagged_before_flush, .batch = 500 },
};

struct group groups[] = {
    { packet_subjects, LEN (packet_subjects), 200 },
    { recording_subjects, LEN (recording_subjects), 100 },
    { sample_subjects, LEN (sample_subjects), 50 },
    { cadence_subjects, LEN (cadence_subjects), 50 },
    { other_subjects, LEN (other_subjects), 50 },
    { million_subjects, LEN (million_subjects), 25 },
    { counted_subjects, LEN (counted_subjects), 0 },
};
const int group_count = LEN (groups);

struct subject *subject (const char *key)
{
    for (int g = 0; g < group_count; g++) {
        for (int i = 0; i < groups[g].count; i++) {
            if (!strcmp (groups[g].subjects[i].key, key))
                return &groups[g].subjects[i];
        }
    }
    die (key);
    return NULL;
}

/* -- opening ------------------------------------------------------------- */

static void *library (const char *variable)
{
    const char *path = getenv (variable);
    void *dso;

    if (!path || !*path)
        return NULL;
    if (!(dso = dlopen (path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND)))
        fprintf (stderr, "%s: %s\n", variable, dlerror ());
    return dso;
}

static struct fripp_ctx *context (int port)
{
    struct fripp_ctx *ctx = fripp_ctx_create (NULL, "127.0.0.1", port);

    if (!ctx)
        die ("fripp_ctx_create");
    return ctx;
}

static char *make_names (long n)
{
    char *list = malloc (64 * n);

    if (!list)
        die ("malloc");
    for (long i = 0; i < n; i++)
        snprintf (list + 64 * i, 64, "flux.module-%ld.request.%ld", i % 97, i);
    return list;
}

static void open_peers (int reader, int port)
{
    void *dso = library ("FRIPP_PEERS");

    if (dso) {
        int (*open_all) (uint16_t port);

        *(void **)&open_all = dlsym (dso, "peers_open");
        *(void **)&peers_run = dlsym (dso, "peers_run");
        if (!open_all || !peers_run || open_all (reader) < 0) {
            fprintf (stderr, "FRIPP_PEERS: cannot be used\n");
            peers_run = NULL;
        }
    }
    if ((dso = library ("FRIPP_BASELINE"))) {
        void *(*create) (void *h, const char *host, int port);

        *(void **)&create = dlsym (dso, "fripp_ctx_create");
        *(void **)&week4_format_send = dlsym (dso, "fripp_format_send");
        if (create && week4_format_send)
            week4 = create (NULL, "127.0.0.1", port);
    }
}

/* Whether there is what it measures.
 */
bool is_there (const struct subject *s)
{
    static const char *peers[] = { "exporter", "cadence", "rylv",
                                   "prometheus" };

    for (size_t i = 0; i < LEN (peers); i++) {
        if (!strncmp (s->key, peers[i], strlen (peers[i])))
            return peers_run;
    }
    if (!strncmp (s->key, "week4", 5))
        return week4;
    return true;
}

void subjects_open (bool steady)
{
    int reader = reader_start ();
    int port = receiver_open (&receiver);

    open_peers (reader, port);
    floor_fd = connected_socket (port);
    packets = context (port);
    names = context (reader);
    if (steady)
        fripp_set_agg_period (names, 3600);
    samples = context (reader);
    if (steady)
        fripp_set_agg_period (samples, 3600);
    renamed = context (reader);
    unsetenv ("FLUX_FRIPP_STATSD");
    disabled = fripp_ctx_create_uri (NULL, NULL);
    counter = fripp_metric_get (names, FRIPP_COUNTER, "handle", NULL);
    gauge = fripp_metric_get (names, FRIPP_GAUGE, "handle", NULL);
    timer = fripp_metric_get (samples, FRIPP_TIMER, "handle", NULL);
    inert = fripp_metric_get (disabled, FRIPP_COUNTER, "handle", NULL);
    if (!counter || !gauge || !timer || !inert)
        die ("fripp_metric_get");
    tagged = context (reader);
    if (steady)
        fripp_set_agg_period (tagged, 3600);
    if (fripp_set_dialect (tagged, FRIPP_DOGSTATSD) < 0
        || fripp_set_tags (tagged, "host:node12,cluster:corona") < 0
        || fripp_set_prefix (tagged, "flux.{{rank}}") < 0)
        die ("fripp_set_tags");
    many_names = make_names (MANY);
    fripp_inc (renamed, one_name, 1);
    if (fripp_set_prefix (renamed, "flux.{{rank}}") < 0)
        die ("fripp_set_prefix");
}

/* -- measuring ----------------------------------------------------------- */

/* callgrind counts what is between its entry and its end.
 */
void __attribute__ ((noinline)) measured (const struct subject *s, long n)
{
    if (s)
        s->run (n);
    __asm__ volatile ("" ::: "memory");
}

static double round_of (struct subject *s)
{
    uint64_t start;
    double ns;

    if (s->before)
        s->before (s->batch);
    start = now_ns ();
    measured (s, s->batch);
    ns = (double)(now_ns () - start) / s->batch;
    if (s->after)
        s->after (s->batch);
    return ns;
}

void measure_group (struct group *g)
{
    int rounds = rounds_of (g->rounds);
    long lost_before;

    if (!rounds)
        return;
    if (g->subjects == million_subjects) {
        million_names = make_names (MILLION);
        million = context (reader_start ());
        for (long i = 0; i < MILLION; i++)
            fripp_inc (million, million_names + 64 * i, 1);
    }
    for (int i = 0; i < g->count; i++) {
        struct subject *s = &g->subjects[i];

        if (!is_there (s))
            continue;
        if (!(s->ns = calloc (rounds, sizeof (double))))
            die ("calloc");
        for (int warm = 0; warm < 10; warm++) {
            lost_before = lost;
            round_of (s);
            lost = lost_before;
        }
    }
    for (int round = 0; round < rounds; round++) {
        for (int turn = 0; turn < g->count; turn++) {
            struct subject *s = &g->subjects[(round + turn) % g->count];

            if (s->ns)
                s->ns[round] = round_of (s);
        }
    }
    for (int i = 0; i < g->count; i++) {
        if (g->subjects[i].ns)
            g->subjects[i].spread = spread_of (g->subjects[i].ns, rounds);
    }
    if (g->subjects == million_subjects) {
        fripp_ctx_destroy (million);
        free (million_names);
    }
}

static void ratio (const char *key, const char *what, const char *of,
                   const char *a, const char *b, enum sense sense,
                   double goal)
{
    struct subject *p = subject (a), *q = subject (b);
    int rounds = 0;
    double *ratios;

    for (int g = 0; g < group_count; g++) {
        if (p >= groups[g].subjects
            && p < groups[g].subjects + groups[g].count)
            rounds = rounds_of (groups[g].rounds);
    }
    if (!p->ns || !q->ns || !(ratios = calloc (rounds, sizeof (double))))
        return;
    for (int i = 0; i < rounds; i++)
        ratios[i] = p->ns[i] / q->ns[i];
    add_row ((struct row) { key, what, of, "x", spread_of (ratios, rounds),
                            sense, goal });
    free (ratios);
}

void call_rows (void)
{
    static const char *atomic = "an atomic add";
    static const char *by_name = EXPORTER " by name";
    static const char *floor_of = "vsnprintf + send";

    ratio ("format_send.floor", "fripp_format_send, one metric", floor_of,
           "format_send_one", "floor_one", AT_MOST, 1.10);
    ratio ("format_send.week4", "fripp_format_send, one metric", "week 4",
           "format_send_one", "week4_one", AT_MOST, 0.40);
    ratio ("format_send_eight.floor", "fripp_format_send, eight counters",
           floor_of, "format_send_eight", "floor_eight", INFO, 0);
    ratio ("inc.exporter", "fripp_inc, one name", by_name, "inc",
           "exporter_inc", AT_MOST, 0.22);
    ratio ("inc.atomic", "fripp_inc, one name", atomic, "inc", "atomic",
           AT_MOST, 1.9);
    ratio ("gauge.exporter", "fripp_gauge, one name", by_name, "gauge",
           "exporter_gauge", AT_MOST, 0.22);
    ratio ("gauge.atomic", "fripp_gauge, one name", atomic, "gauge",
           "atomic", AT_MOST, 1.9);
    ratio ("inc_10k.atomic", "fripp_inc, 10,000 names", atomic, "inc_10k",
           "atomic", AT_MOST, 3.5);
    ratio ("gauge_10k.atomic", "fripp_gauge, 10,000 names", atomic,
           "gauge_10k", "atomic", AT_MOST, 3.5);
    ratio ("inc_1m.atomic", "fripp_inc, 1,000,000 names", atomic, "inc_1m",
           "atomic_3", INFO, 0);
    ratio ("inc_renamed.atomic", "fripp_inc, after a change of prefix",
           atomic, "inc_renamed", "atomic_3", INFO, 0);
    ratio ("metric_add.atomic", "fripp_metric_add", atomic, "metric_add",
           "atomic", INFO, 0);
    ratio ("metric_add.call", "fripp_metric_add",
           "an atomic add in a function", "metric_add", "atomic_call",
           AT_MOST, 1);
    ratio ("metric_set.atomic", "fripp_metric_set", atomic, "metric_set",
           "atomic", INFO, 0);
    ratio ("metric_add.exporter", "fripp_metric_add",
           EXPORTER " by handle", "metric_add", "exporter_add", INFO, 0);
    ratio ("timing.exporter", "fripp_timing, every sample kept",
           EXPORTER " by name", "timing", "exporter_timing", AT_MOST, 0.8);
    ratio ("timing.atomic", "fripp_timing, every sample kept", atomic,
           "timing", "atomic_2", AT_MOST, 2.5);
    ratio ("record.exporter", "fripp_metric_record, every sample kept",
           EXPORTER " by handle", "record", "exporter_record", AT_MOST,
           0.8);
    ratio ("record.atomic", "fripp_metric_record, every sample kept", atomic,
           "record", "atomic_2", AT_MOST, 2.1);
    ratio ("disabled_inc.atomic", "fripp_inc, disabled", atomic,
           "disabled_inc", "atomic", AT_MOST, 0.55);
    ratio ("disabled_add.atomic", "fripp_metric_add, disabled", atomic,
           "disabled_add", "atomic", AT_MOST, 0.55);
    ratio ("inc.cadence_udp", "fripp_inc, one name", "cadence, UDP",
           "inc_2", "cadence_udp", INFO, 0);
    ratio ("inc.cadence_buffered", "fripp_inc, one name",
           "cadence, buffered", "inc_2", "cadence_buffered", INFO, 0);
    ratio ("inc.cadence_queued", "fripp_inc, one name", "cadence, queued",
           "inc_2", "cadence_queued", INFO, 0);
    ratio ("inc.rylv_shared", "fripp_inc, one name", RYLV ", shared",
           "inc_3", "rylv_shared_inc", INFO, 0);
    ratio ("inc.rylv_local", "fripp_inc, one name", RYLV ", thread-local",
           "inc_3", "rylv_local_inc", INFO, 0);
    ratio ("metric_add.rylv_shared", "fripp_metric_add",
           RYLV ", shared, prepared", "metric_add_3", "rylv_shared_add",
           INFO, 0);
    ratio ("metric_add.rylv_local", "fripp_metric_add",
           RYLV ", thread-local, prepared", "metric_add_3", "rylv_local_add",
           INFO, 0);
    ratio ("record.rylv_local", "fripp_metric_record, every sample kept",
           RYLV ", thread-local, prepared", "record_3", "rylv_local_record",
           INFO, 0);
    ratio ("inc.prometheus", "fripp_inc, one name",
           "Rust's prometheus by label", "inc_3", "prometheus_inc", INFO, 0);
    ratio ("metric_add.prometheus", "fripp_metric_add",
           "Rust's prometheus by handle", "metric_add_3", "prometheus_add",
           INFO, 0);
}
