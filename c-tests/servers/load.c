/* load.c - send numbered lines to a server that comes and goes
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * usage: load [-n COUNT] NAME [URI]
 *
 * Sends NAME.0000000:1|c and so on, some thousand lines a second, and counts
 * `sum`, until its standard input ends, or COUNT lines were sent. Without
 * a URI the environment says where to. Then it prints how many lines it sent,
 * how many the kernel took, how many were dropped, and how many connections
 * were opened again.
 */
#include <errno.h>
#include <fripp.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool is_to_end (int sent, int count)
{
    struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

    return count ? sent == count : poll (&in, 1, 0) > 0;
}

static void rest (void)
{
    struct timespec ms = { 0, 1000000 };

    nanosleep (&ms, NULL);
}

int main (int argc, char *argv[])
{
    struct fripp_stats stats;
    struct fripp_ctx *ctx;
    const char *name;
    int count = 0;
    int sent = 0;
    int tries = 0;
    int opt;

    while ((opt = getopt (argc, argv, "n:")) != -1) {
        if (opt != 'n')
            return 2;
        count = atoi (optarg);
    }
    if (!(name = argv[optind]))
        return 2;
    if (!(ctx = fripp_ctx_create_uri (NULL, argv[optind + 1]))) {
        fprintf (stderr, "load: %s\n", fripp_error ());
        return 1;
    }
    while (!is_to_end (sent, count)) {
        if (fripp_format_send (ctx, "%s.%07d:1|c", name, sent++) < 0
            || fripp_inc (ctx, "sum", 1) < 0) {
            fprintf (stderr, "load: %s\n", fripp_error ());
            return 1;
        }
        if (sent % 10 == 0)
            rest ();
    }
    /* the server may be away for a while */
    while (fripp_flush (ctx) < 0 && tries++ < 200)
        ;
    if (fripp_get_stats (ctx, &stats, sizeof (stats)) < 0)
        return 1;
    printf ("%d %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", sent, stats.lines,
            stats.dropped, stats.reconnects);
    fripp_ctx_destroy (ctx);
    return 0;
}
