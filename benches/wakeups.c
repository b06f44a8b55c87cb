/* How often contexts wake their process in a second, with a Flux handle (the
 * stand-in for Flux of c-tests) and without one.
 *
 *   wakeups
 *
 * Without a handle, a wakeup is a voluntary context switch of a thread of the
 * library; with one, a turn of the reactor at which a timer fires.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <arpa/inet.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fripp.h>

#include "standin.h"

#define CONTEXTS 18
#define MS 1000000L

enum what { IDLE, RECORDING, GAUGE, REFUSED };

static const struct row {
    const char *name;
    enum what what;
    int contexts;
    double settle;              /* s, before it is counted */
    double seconds;
    double goal;
} rows[] = {
    { "18 contexts that never recorded", IDLE, CONTEXTS, 3, 20, 0 },
    { "18 that record all the time", RECORDING, CONTEXTS, 3, 20, 1.2 },
    { "18 with an unchanged gauge", GAUGE, CONTEXTS, 3, 40, 0.3 },
    { "18 whose server refuses", REFUSED, CONTEXTS, 6, 20, 1.2 },
};

#define ROWS (sizeof (rows) / sizeof (rows[0]))

static double now (void)
{
    struct timespec ts;

    clock_gettime (CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* The voluntary context switches of the library's threads.
 */
static long switches (void)
{
    DIR *dir = opendir ("/proc/self/task");
    struct dirent *entry;
    long sum = 0;

    while (dir && (entry = readdir (dir))) {
        char path[300];
        char line[128];
        char name[16] = "";
        FILE *file;
        long n;

        snprintf (path, sizeof (path), "/proc/self/task/%s/status",
                  entry->d_name);
        if (!(file = fopen (path, "r")))
            continue;
        while (fgets (line, sizeof (line), file)) {
            (void)sscanf (line, "Name: %15s", name);
            if (!strncmp (name, "fripp", 5)
                && sscanf (line, "voluntary_ctxt_switches: %ld", &n) == 1)
                sum += n;
        }
        fclose (file);
    }
    if (dir)
        closedir (dir);
    return sum;
}

static int udp_socket (struct sockaddr_in *address)
{
    socklen_t len = sizeof (*address);
    int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memset (address, 0, sizeof (*address));
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    if (bind (fd, (struct sockaddr *)address, len) < 0
        || getsockname (fd, (struct sockaddr *)address, &len) < 0) {
        perror ("a socket for the server");
        exit (1);
    }
    return fd;
}

static double measure (const struct row *row, bool with_handle)
{
    flux_t *h = with_handle ? standin_open (0) : NULL;
    struct fripp_ctx *ctx[CONTEXTS];
    struct sockaddr_in address;
    int server = udp_socket (&address);
    double start = now ();
    double end = start + row->settle + row->seconds;
    long before = -1;
    long turns = 0;
    double t;

    if (row->what == REFUSED)
        close (server);
    if (h)
        standin_real_time (h);
    for (int i = 0; i < row->contexts; i++) {
        ctx[i] = fripp_ctx_create (h, "127.0.0.1", ntohs (address.sin_port));
        if (row->what == GAUGE)
            (void)fripp_gauge (ctx[i], "gauge", i, false);
        /* a broker's modules do not come at one instant */
        nanosleep (&(struct timespec){ 0, 7 * MS }, NULL);
    }
    while ((t = now ()) < end) {
        char buf[2048];

        if (before < 0 && t >= start + row->settle) {
            before = switches ();
            turns = 0;
        }
        if (row->what == RECORDING || row->what == REFUSED) {
            for (int i = 0; i < row->contexts; i++)
                (void)fripp_inc (ctx[i], "counter", 1);
        }
        if (h)
            turns += standin_advance (h, 0) > 0;
        while (row->what != REFUSED
               && recv (server, buf, sizeof (buf), MSG_DONTWAIT) > 0)
            ;
        nanosleep (&(struct timespec){ 0, MS }, NULL);
    }
    return (h ? turns : switches () - before) / row->seconds;
}

int main (void)
{
    int pipes[ROWS][2][2];
    int missed = 0;

    /* all at once, each in a process of its own */
    for (size_t i = 0; i < ROWS; i++) {
        for (int handle = 0; handle < 2; handle++) {
            if (pipe (pipes[i][handle]) < 0)
                return 1;
            if (fork () == 0) {
                double rate = measure (&rows[i], handle);

                _exit (write (pipes[i][handle][1], &rate, sizeof (rate)) < 0);
            }
        }
    }
    printf ("%-36s %10s %12s %6s\n", "wakeups a second", "no handle",
            "Flux handle", "goal");
    for (size_t i = 0; i < ROWS; i++) {
        double rate[2] = { -1, -1 };

        for (int handle = 0; handle < 2; handle++) {
            if (read (pipes[i][handle][0], &rate[handle], sizeof (rate[0]))
                != sizeof (rate[0]))
                return 1;
            missed += rate[handle] > rows[i].goal;
        }
        printf ("%-36s %10.2f %12.2f %6.1f%s\n", rows[i].name, rate[0],
                rate[1], rows[i].goal,
                rate[0] > rows[i].goal || rate[1] > rows[i].goal
                ? "  missed" : "");
    }
    while (wait (NULL) > 0)
        ;
    return missed > 0;
}
