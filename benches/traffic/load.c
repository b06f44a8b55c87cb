/* load.c - how much a broker sends, by the calls that its code makes
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * usage: load benches/traffic/traffic.txt
 *
 * Plays what one Flux broker sent in 13 seconds, in which it ran 200 jobs,
 * once with the calls of the week-4 document, a text each, and then with
 * typed calls in several dialects. Seconds are not waited for: at the end of
 * each everything is flushed, and what the kernel took of it is the load of
 * that second. Each module of the broker has a context of its own, as in the
 * broker. What is sent again each ten seconds though it did not change, is
 * left out there and has a line of its own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp-test.h>

#define SECONDS 13
#define MODULES 32

/* How many loads and stores the content cache timed in each second. The
 * file has some of them only: their values are used again and again.
 */
static const int loads[SECONDS] = { [7] = 2837 };
static const int stores[SECONDS] = {
    [0] = 10, [4] = 2156, [5] = 3971, [6] = 1907, [11] = 2
};

struct load {
    uint64_t lines;
    uint64_t datagrams;
    uint64_t bytes;
};

struct traffic {
    char **texts;               /* gauges and totals: a datagram each */
    int *seconds;
    size_t count;
    double *values[2];          /* of loads, of stores */
    size_t value_count[2];
    size_t next[2];
};

/* The way of a module to its server. */
struct module {
    char prefix[64];
    struct fripp_ctx *ctx;
};

struct broker {
    const char *uri;
    const char *settings;
    bool typed;
    struct module modules[MODULES];
    size_t count;
};

static void fail (const char *what)
{
    perror (what);
    exit (1);
}

static void *grow (void *ptr, size_t count, size_t size)
{
    if (!(ptr = realloc (ptr, (count + 1) * size)))
        fail ("realloc");
    return ptr;
}

/* Reads a datagram of the file: "SECONDS TAB TEXT", with \n for newlines. */
static void read_datagram (struct traffic *t, char *line)
{
    char *text = strchr (line, '\t');
    char *p;
    int is_store;

    if (!text)
        return;
    *text++ = '\0';
    text[strcspn (text, "\n")] = '\0';
    if (strstr (text, "|ms")) {
        is_store = strstr (text, ".store:") != NULL;
        t->values[is_store] = grow (t->values[is_store],
                                    t->value_count[is_store],
                                    sizeof (double));
        t->values[is_store][t->value_count[is_store]++] =
            strtod (strchr (text, ':') + 1, NULL);
        return;
    }
    while ((p = strstr (text, "\\n"))) {
        *p = '\n';
        memmove (p + 1, p + 2, strlen (p + 2) + 1);
    }
    t->texts = grow (t->texts, t->count, sizeof (char *));
    t->seconds = grow (t->seconds, t->count, sizeof (int));
    t->seconds[t->count] = (int)strtod (line, NULL);
    if (!(t->texts[t->count++] = strdup (text)))
        fail ("strdup");
}

/* Reads the part of one broker. */
static void read_traffic (struct traffic *t, const char *path)
{
    FILE *f = fopen (path, "r");
    char line[4096];
    bool reading = false;

    if (!f)
        fail (path);
    while (fgets (line, sizeof (line), f)) {
        if (!strncmp (line, "# one broker", 12))
            reading = true;
        else if (*line == '#')
            reading = false;
        else if (reading)
            read_datagram (t, line);
    }
    fclose (f);
    if (t->count == 0 || t->value_count[0] == 0 || t->value_count[1] == 0) {
        fprintf (stderr, "%s: not the traffic that is expected\n", path);
        exit (1);
    }
}

/* The context of a module, by its prefix. */
static struct fripp_ctx *module (struct broker *b, const char *prefix)
{
    struct module *m = b->modules;
    char uri[256];

    while (m < b->modules + b->count && strcmp (m->prefix, prefix) != 0)
        m++;
    if (m < b->modules + b->count)
        return m->ctx;
    if (b->count++ == MODULES) {
        fprintf (stderr, "more than %d modules\n", MODULES);
        exit (1);
    }
    snprintf (m->prefix, sizeof (m->prefix), "%s", prefix);
    snprintf (uri, sizeof (uri), "%s?period=3600&refresh=0&%s&prefix=%s",
              b->uri, b->settings, b->typed ? prefix : "");
    if (!(m->ctx = fripp_ctx_create_uri (NULL, uri)))
        fail (uri);
    return m->ctx;
}

/* One line as a typed call: "flux.kvs.0.request_tx:17|C". */
static void record_line (struct broker *b, char *line)
{
    char *colon = strchr (line, ':');
    char *type = strchr (line, '|') + 1;
    struct fripp_ctx *ctx;
    char *name;

    *colon = '\0';
    name = strrchr (line, '.');
    *name++ = '\0';
    ctx = module (b, line);
    if (*type == 'C' ? fripp_count (ctx, name, strtoll (colon + 1, NULL, 10))
                     : fripp_gauge (ctx, name, strtoll (colon + 1, NULL, 10),
                                    false))
        fail (name);
}

static void play_text (struct broker *b, const char *text)
{
    char copy[4096];
    char prefix[64];
    char *line;

    if (!b->typed) {
        snprintf (prefix, sizeof (prefix), "%s", text);
        *strchr (prefix, ':') = '\0';
        *strrchr (prefix, '.') = '\0';
        if (fripp_format_send (module (b, prefix), "%s", text) < 0)
            fail ("fripp_format_send");
        return;
    }
    snprintf (copy, sizeof (copy), "%s", text);
    for (line = strtok (copy, "\n"); line; line = strtok (NULL, "\n"))
        record_line (b, line);
}

static void play_timings (struct broker *b, struct traffic *t, int is_store,
                          int count)
{
    const char *name = is_store ? "store" : "load";
    struct fripp_ctx *ctx = module (b, "flux.content-cache");

    while (count-- > 0) {
        size_t i = t->next[is_store]++ % t->value_count[is_store];
        double ms = t->values[is_store][i];

        if (b->typed ? fripp_timing (ctx, name, ms)
                     : fripp_format_send (ctx, "flux.content-cache.%s:%lf|ms",
                                          name, ms))
            fail (name);
    }
}

/* What the kernel took of all modules since the broker began. */
static struct load sum (struct broker *b)
{
    struct load load = { 0, 0, 0 };

    for (size_t i = 0; i < b->count; i++) {
        struct fripp_stats stats;

        if (fripp_flush (b->modules[i].ctx) < 0
            || fripp_get_stats (b->modules[i].ctx, &stats,
                                sizeof (stats)) < 0
            || stats.dropped > 0)
            fail ("flush");
        load.lines += stats.lines;
        load.datagrams += stats.datagrams;
        load.bytes += stats.bytes;
    }
    return load;
}

static int by_datagrams_and_bytes (const void *a, const void *b)
{
    const struct load *x = a;
    const struct load *y = b;

    if (x->datagrams != y->datagrams)
        return x->datagrams < y->datagrams ? -1 : 1;
    return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static void print (const char *calls, const char *when, struct load l)
{
    printf ("%-30s  %-18s %6" PRIu64 " %9" PRIu64 " %8" PRIu64 "\n", calls,
            when, l.lines, l.datagrams, l.bytes);
}

static void measure (struct traffic *t, const char *uri, const char *calls,
                     const char *settings, bool typed)
{
    struct broker b = { .uri = uri, .settings = settings, .typed = typed };
    struct load total = { 0, 0, 0 };
    struct load quiet[SECONDS];
    struct load busiest = total;
    size_t quiet_count = 0;
    size_t next = 0;

    t->next[0] = t->next[1] = 0;
    for (int second = 0; second < SECONDS; second++) {
        struct load before = total;
        struct load load;

        for (; next < t->count && t->seconds[next] == second; next++)
            play_text (&b, t->texts[next]);
        play_timings (&b, t, 0, loads[second]);
        play_timings (&b, t, 1, stores[second]);
        total = sum (&b);
        load.lines = total.lines - before.lines;
        load.datagrams = total.datagrams - before.datagrams;
        load.bytes = total.bytes - before.bytes;
        if (load.bytes > busiest.bytes)
            busiest = load;
        if (second > 0 && loads[second] + stores[second] == 0)
            quiet[quiet_count++] = load;
    }
    for (size_t i = 0; i < b.count; i++)
        fripp_ctx_destroy (b.modules[i].ctx);
    qsort (quiet, quiet_count, sizeof (quiet[0]), by_datagrams_and_bytes);
    print (calls, "busiest second", busiest);
    print ("", "a quiet second", quiet[quiet_count / 2]);
    total.lines /= SECONDS;
    total.datagrams /= SECONDS;
    total.bytes /= SECONDS;
    print ("", "mean of 13 s", total);
}

/* What is sent again: all gauges and, to brubeck, all totals. */
static void measure_refresh (struct traffic *t, const char *uri,
                             const char *settings)
{
    struct broker b = { .uri = uri, .settings = settings, .typed = true };
    bool is_brubeck = strstr (settings, "brubeck") != NULL;

    for (size_t i = 0; i < t->count; i++) {
        if (is_brubeck || strstr (t->texts[i], "|g"))
            play_text (&b, t->texts[i]);
    }
    print ("", "each refresh, 10 s", sum (&b));
    for (size_t i = 0; i < b.count; i++)
        fripp_ctx_destroy (b.modules[i].ctx);
}

int main (int argc, char **argv)
{
    struct fripp_test *sink = fripp_test_open_udp (NULL);
    struct traffic t = { 0 };
    const char *uri;

    if (argc != 2 || !sink) {
        fprintf (stderr, "usage: load benches/traffic/traffic.txt\n");
        return 1;
    }
    read_traffic (&t, argv[1]);
    uri = fripp_test_uri (sink);
    printf ("%-30s  %-18s %6s %9s %8s\n", "calls (dialect)", "per second of",
            "lines", "datagrams", "bytes");
    measure (&t, uri, "week 4, fripp_format_send", "dialect=brubeck", false);
    measure (&t, uri, "typed (brubeck)", "dialect=brubeck", true);
    measure_refresh (&t, uri, "dialect=brubeck");
    measure (&t, uri, "typed (statsd)", "dialect=statsd", true);
    measure_refresh (&t, uri, "dialect=statsd");
    measure (&t, uri, "typed (dogstatsd)", "dialect=dogstatsd", true);
    measure (&t, uri, "typed (statsd, mtu=8192)", "dialect=statsd&mtu=8192",
             true);
    fripp_test_close (sink);
    return 0;
}

/* vi: ts=4 sw=4 expandtab
 */
