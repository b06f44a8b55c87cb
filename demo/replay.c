/* replay.c - play recorded traffic of a broker through fripp_format_send ()
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * usage: replay FILE HOST:PORT
 *        replay -t FILE URI     write what was sent for listener.c to read
 *
 * A line of the file is a datagram: the time in seconds, a tab, and the
 * text, in which \n stands for a newline. Lines that start with # are for
 * the reader.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <fripp.h>

#include "tally.h"

/* The recording took half a minute: play it this much faster, ... */
static const double speed = 10;
/* ... but no more than these many datagrams at once, and then a pause (s),
 * for a receiver with a buffer of the usual size (208 KiB) to keep up. */
static const int burst = 16;
static const double gap = 0.004;

static double now (void)
{
    struct timespec ts;

    clock_gettime (CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void wait_for (double seconds)
{
    struct timespec ts = { .tv_sec = seconds };

    ts.tv_nsec = (seconds - ts.tv_sec) * 1e9;
    nanosleep (&ts, NULL);
}

/* Replace \n by a newline in place.
 */
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

/* The calls of the broker: a timing is a double of milliseconds, all others
 * are texts of several lines.
 */
static int send_metrics (struct fripp_ctx *ctx, const char *text)
{
    char name[128];
    double ms;
    char end;

    if (sscanf (text, "%127[^:\n]:%lf|m%c", name, &ms, &end) == 3
        && end == 's')
        return fripp_format_send (ctx, "%s:%lf|ms", name, ms);
    return fripp_format_send (ctx, "%s", text);
}

static int play (FILE *f, struct fripp_ctx *ctx, struct tally *sent)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    double start = now ();
    int in_burst = 0;
    int errors = 0;

    while ((len = getline (&line, &size, f)) > 0) {
        char *text = strchr (line, '\t');
        double due;

        if (line[0] == '#' || !text)
            continue;
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        unescape (++text);
        due = start + atof (line) / speed - now ();
        if (due > 0.001) {
            wait_for (due);
            in_burst = 0;
        }
        else if (++in_burst > burst) {
            wait_for (gap);
            in_burst = 0;
        }
        if (send_metrics (ctx, text) < 0) {
            fprintf (stderr, "fripp_format_send: %s\n", strerror (errno));
            errors++;
        }
        tally_add (sent, text, strlen (text));
    }
    free (line);
    return errors;
}

int main (int argc, char **argv)
{
    int for_listener = argc > 1 && !strcmp (argv[1], "-t");
    const char *file = argv[argc > 2 ? argc - 2 : 0];
    const char *uri = argv[argc - 1];
    struct tally sent = { 0 };
    struct fripp_stats stats;
    struct fripp_ctx *ctx;
    double start = now ();
    int errors;
    FILE *f;

    if (argc != 3 + for_listener) {
        fprintf (stderr, "usage: replay [-t] FILE HOST:PORT\n");
        return 2;
    }
    if (!(f = fopen (file, "r"))) {
        perror (file);
        return 2;
    }
    if (!(ctx = fripp_ctx_create_uri (NULL, uri))) {
        fprintf (stderr, "%s: %s: want host:port, [v6]:port, unix:///path\n",
                 uri, strerror (errno));
        return 2;
    }
    if (!for_listener) {
        printf ("Playing %s to %s ...\n\n", file, uri);
        fflush (stdout);
    }
    errors = play (f, ctx, &sent);
    /* the host's name may take its time, and a server that is restarted */
    for (int i = 0; i < 100; i++) {
        if (fripp_get_stats (ctx, &stats, sizeof (stats)) < 0
            || stats.pending == 0)
            break;
        wait_for (0.02);
    }
    if (for_listener)
        tally_write (&sent, stdout);
    else {
        tally_print (&sent, NULL, 0);
        printf ("\n%llu lines in %llu datagrams in %.1f s, %llu dropped, "
                "%llu bytes still waiting for the server\n",
                (unsigned long long)stats.lines,
                (unsigned long long)stats.datagrams, now () - start,
                (unsigned long long)stats.dropped,
                (unsigned long long)stats.pending);
        errors += stats.pending > 0 || stats.dropped > 0;
    }
    fripp_ctx_destroy (ctx);
    tally_free (&sent);
    fclose (f);
    return errors > 0;
}

/* vi: ts=4 sw=4 expandtab
 */
