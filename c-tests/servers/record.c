/* record.c - record metrics of every kind, and say what was recorded
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * usage: record [-otw] [-c FILE] -p PHASE URI
 *
 * PHASE is the millisecond of a second at which the server flushes. What has
 * to come within one of its flushes (samples, sets) is sent well after it.
 *
 * -c FILE  also plays recorded traffic of a broker, by fripp_format_send ()
 * -o       all samples in one flush of the library
 * -t       with tags, too
 * -w       three metrics are sent by wrong lines, in place of typed calls
 *
 * Writes a line for each value on standard output: what it is, the metric's
 * name in hex (names hold any byte), and the value, with tabs between them.
 */
#include <errno.h>
#include <fripp.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 20, PER_ROUND = 500, SAMPLES = 10000 };

static struct fripp_ctx *ctx;
static bool wrong;
static bool at_once;
static int port;

static const double PERIOD = 0.3;

static void check (int rc, const char *what)
{
    if (rc < 0) {
        fprintf (stderr, "record: %s: %s\n", what, strerror (errno));
        exit (1);
    }
}

static void sleep_ms (int ms)
{
    struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

    nanosleep (&ts, NULL);
}

static void say_name (const char *what, const char *name)
{
    printf ("%s\t", what);
    for (; *name; name++)
        printf ("%02x", (unsigned char)*name);
}

static void say_integer (const char *what, const char *name, int64_t value)
{
    say_name (what, name);
    printf ("\t%" PRId64 "\n", value);
}

static void say_real (const char *what, const char *name, double value)
{
    say_name (what, name);
    printf ("\t%.17g\n", value);
}

/* Counters, by name and by handle, the same ones from all threads.
 */
static void *count (void *arg)
{
    struct fripp_metric *handle = fripp_metric_get (ctx, FRIPP_COUNTER,
                                                    "counter.handle", NULL);
    int64_t *sums = arg;

    for (int i = 0; i < ROUNDS * PER_ROUND; i++) {
        int64_t n = i % 7 - 1;

        check (fripp_inc (ctx, "counter.name", 1 + i % 3), "fripp_inc");
        check (fripp_metric_add (handle, n), "fripp_metric_add");
        sums[0] += 1 + i % 3;
        sums[1] += n;
        if (i % PER_ROUND == 0)
            sleep_ms (100);
    }
    return NULL;
}

static void record_total (const char *name, int64_t total)
{
    if (wrong)
        check (fripp_format_send (ctx, "check.%s:%" PRId64 "|c", name, total),
               "fripp_format_send");
    else
        check (fripp_count (ctx, name, total), "fripp_count");
}

/* Totals and gauges over several flushes, beside the counters.
 */
static void record_numbers (void)
{
    static const int64_t totals[] = { 10, 20, 30, 5, 8, 8, 20, 3, 9, 9 };
    static const int64_t within[] = { 100, 250, 40, 60 };
    int64_t before = 0;
    int64_t grown = 0;

    for (int step = 0; step < 10; step++) {
        record_total ("total.restarts", totals[step]);
        grown += totals[step] < before ? totals[step] : totals[step] - before;
        before = totals[step];

        check (fripp_gauge (ctx, "gauge.up", 3 * step, false), "gauge");
        check (fripp_gauge (ctx, "gauge.down", step ? -7 : 100, true), "gauge");
        check (fripp_gauge_real (ctx, "gauge.real", 1234.5678 - step), "gauge");
        check (fripp_gauge_real (ctx, "gauge.real.negative", 1.5 - step / 4.0),
               "gauge");
        if (!wrong)
            check (fripp_gauge (ctx, "gauge.negative", step < 5 ? 7 : -5, false),
                   "gauge");
        else if (step % 5 == 0)
            check (fripp_format_send (ctx, "check.gauge.negative:%d|g",
                                      step < 5 ? 7 : -5), "gauge");
        sleep_ms (200);
    }
    say_integer ("total", "total.restarts", grown);
    say_integer ("gauge", "gauge.up", 27);
    say_integer ("gauge", "gauge.down", 100 - 9 * 7);
    say_integer ("gauge, negative", "gauge.negative", -5);
    say_real ("gauge, real", "gauge.real", 1234.5678 - 9);
    say_real ("gauge, real", "gauge.real.negative", 1.5 - 9 / 4.0);

    for (int i = 0; i < 4; i++)
        check (fripp_count (ctx, "total.at.once", within[i]), "fripp_count");
    say_integer ("total", "total.at.once", 250 + 60);

    check (fripp_inc (ctx, "limit.counter", INT64_MAX), "fripp_inc");
    say_integer ("INT64_MAX", "limit.counter", INT64_MAX);
    check (fripp_gauge (ctx, "limit.gauge", INT64_MAX, false), "fripp_gauge");
    say_integer ("INT64_MAX", "limit.gauge", INT64_MAX);
    check (fripp_inc (ctx, "limit.exact", INT64_C (1) << 53), "fripp_inc");
    say_integer ("2^53", "limit.exact", INT64_C (1) << 53);
}

/* Every byte in a name, and dots where they do not belong.
 */
static void record_names (void)
{
    static const char *const others[] = {
        "names.two bytes \xc3\xa9", ".names.first", "names.last.",
        "names.dou..ble", "names.inject:1|c\nnames.injected:1|c",
    };
    char name[256];

    for (int byte = 1; byte < 256; byte++) {
        snprintf (name, sizeof (name), "names.b%d.a%cz", byte, byte);
        check (fripp_inc (ctx, name, byte), "fripp_inc");
        say_integer ("names", name, byte);
    }
    for (int i = 0; i < 5; i++) {
        check (fripp_inc (ctx, others[i], 1000 + i), "fripp_inc");
        say_integer ("names", others[i], 1000 + i);
    }
    /* with "check." the longest that collectd keeps in full after its types */
    memset (name, 'n', sizeof (name));
    memcpy (name, "names.", 6);
    name[110] = '\0';
    check (fripp_inc (ctx, name, 110), "fripp_inc");
    say_integer ("names", name, 110);
}

/* Counters and a gauge with tags, said in Graphite's form.
 */
static void record_tags (void)
{
    struct fripp_metric *m;

    m = fripp_metric_get (ctx, FRIPP_COUNTER, "tagged.counter", "host:a,job:b");
    check (fripp_metric_add (m, 3), "fripp_metric_add");
    say_integer ("tags", "tagged.counter;host=a;job=b", 3);
    m = fripp_metric_get (ctx, FRIPP_COUNTER, "tagged.counter", "host:c");
    check (fripp_metric_add (m, 4), "fripp_metric_add");
    say_integer ("tags", "tagged.counter;host=c", 4);
    m = fripp_metric_get (ctx, FRIPP_GAUGE, "tagged.gauge", "host:a");
    check (fripp_metric_set (m, -6), "fripp_metric_set");
    say_integer ("tags", "tagged.gauge;host=a", -6);
}

/* Wait for the time shortly after a flush of the server.
 */
static void wait_for_phase (int phase)
{
    struct timespec now;

    clock_gettime (CLOCK_REALTIME, &now);
    sleep_ms ((phase + 100 + 1000 - now.tv_nsec / 1000000) % 1000 + 1);
}

/* Wait until the server has read what it was sent: of what does not fit into
 * its socket's buffer, as many systems have it, nobody would hear again.
 */
static void let_it_read (void)
{
    char line[256];
    unsigned int local;
    unsigned int queued;

    for (int i = 0; i < 1000; i++) {
        FILE *f = fopen ("/proc/net/udp", "r");
        bool full = false;

        check (f ? 0 : -1, "/proc/net/udp");
        while (fgets (line, sizeof (line), f)) {
            if (sscanf (line, " %*d: 0100007F:%x %*x:%*x %*x %*x:%x", &local,
                        &queued) == 2
                && (int)local == port)
                full = queued > 16384;
        }
        fclose (f);
        if (!full)
            return;
        sleep_ms (2);
    }
}

/* After every few datagrams of samples.
 */
static void pause_after (int i)
{
    if (!at_once && i % 500 == 499) {
        check (fripp_flush (ctx), "fripp_flush");
        sleep_ms (5);
        let_it_read ();
    }
}

/* Timings, a histogram and a set, of which the server shows the percentiles
 * and the size of one flush.
 */
static void record_samples (int phase)
{
    char packed[100] = "check.timing";
    char member[32];

    wait_for_phase (phase);
    for (int i = 0; i < SAMPLES; i++) {
        /* every 25 us from 1 to 251 ms, in no order */
        double ms = (1000 + i * 7919L % SAMPLES * 25) / 1000.0;

        say_real ("timing", "timing", ms);
        if (wrong && i < 5)
            sprintf (packed + strlen (packed), ":%g", ms);
        else
            check (fripp_timing (ctx, "timing", ms), "fripp_timing");
        pause_after (i);
    }
    for (int i = 0; i < 1000; i++) {
        double value = i * 389 % 1000 + 3.5;

        check (fripp_histogram (ctx, "histogram", value), "fripp_histogram");
        say_real ("histogram", "histogram", value);
        pause_after (i);
    }
    for (int i = 0; i < 900; i++) {
        snprintf (member, sizeof (member), "member %d", i % 300);
        check (fripp_unique (ctx, "set", member), "fripp_unique");
        say_name ("set", "set");
        printf ("\t%s\n", member);
    }
    if (wrong)
        check (fripp_format_send (ctx, "%s|ms", packed), "fripp_format_send");
    if (at_once)
        /* for a flush and its pauses, which are half a period */
        sleep_ms (1.7 * 1000 * PERIOD);
    else
        check (fripp_flush (ctx), "fripp_flush");
}

static void unescape (char *text)
{
    char *out = text;

    for (; *text; text++) {
        if (text[0] == '\\' && text[1] == 'n') {
            *out++ = '\n';
            text++;
        }
        else
            *out++ = *text;
    }
    *out = '\0';
}

/* A broker's packets, one call each. The reader of the file knows what is in
 * them, so nothing is said.
 */
static void play (const char *file)
{
    FILE *f = fopen (file, "r");
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    int n = 0;

    check (f ? 0 : -1, file);
    while ((len = getline (&line, &size, f)) > 0) {
        char *text = strchr (line, '\t');

        if (line[0] == '#' || !text)
            continue;
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        unescape (++text);
        check (fripp_format_send (ctx, "%s", text), "fripp_format_send");
        if (++n % 16 == 0) {
            sleep_ms (4);
            let_it_read ();
        }
    }
    free (line);
    fclose (f);
}

int main (int argc, char **argv)
{
    int64_t sums[THREADS][2] = { { 0 } };
    pthread_t threads[THREADS];
    const char *capture = NULL;
    struct fripp_stats stats;
    bool tags = false;
    int phase = 0;
    char uri[256];
    int c;

    while ((c = getopt (argc, argv, "owtc:p:")) != -1) {
        if (c == 'w')
            wrong = true;
        else if (c == 'o')
            at_once = true;
        else if (c == 't')
            tags = true;
        else if (c == 'c')
            capture = optarg;
        else if (c == 'p')
            phase = atoi (optarg);
        else
            return 2;
    }
    if (optind != argc - 1) {
        fprintf (stderr, "usage: record [-otw] [-c FILE] -p PHASE URI\n");
        return 2;
    }
    /* of a stream nothing is lost that does not fit */
    if (sscanf (argv[optind], "127.0.0.1:%d?", &port) != 1
        && strncmp (argv[optind], "tcp:", 4)) {
        fprintf (stderr, "record: %s: want 127.0.0.1:port?...\n", argv[optind]);
        return 2;
    }
    snprintf (uri, sizeof (uri), "%s&prefix=check&period=%.1f", argv[optind],
              PERIOD);
    ctx = fripp_ctx_create_uri (NULL, uri);
    check (ctx ? 0 : -1, uri);

    for (int i = 0; i < THREADS; i++)
        pthread_create (&threads[i], NULL, count, sums[i]);
    record_numbers ();
    for (int i = 0; i < THREADS; i++) {
        pthread_join (threads[i], NULL);
        say_integer ("counter", "counter.name", sums[i][0]);
        say_integer ("counter", "counter.handle", sums[i][1]);
    }
    record_names ();
    if (tags)
        record_tags ();
    if (capture)
        play (capture);
    record_samples (phase);

    check (fripp_get_stats (ctx, &stats, sizeof (stats)), "fripp_get_stats");
    say_integer ("dropped", "", stats.dropped);
    fripp_ctx_destroy (ctx);
    return 0;
}

/* vi: ts=4 sw=4 expandtab
 */
