/* format_send.c - what a call of fripp_format_send () costs
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Beside it, in the same run:
 *
 *   floor   what cannot be avoided: vsnprintf () into a buffer on the stack
 *           and one send () on a connected, non-blocking socket
 *   week 4  the library named by the environment variable FRIPP_BASELINE:
 *           the fripp.c that this one replaces, built as a shared object
 *
 * All send to one UDP socket on loopback, which has room for a batch of calls
 * and is emptied after each batch, while no time is taken: every datagram is
 * delivered, and no reader competes for the processor meanwhile.
 *
 * A round times a batch of each, in an order that moves on by one each round;
 * a ratio is taken within a round. Shown are medians, and in brackets the
 * quartiles.
 *
 * Environment: BENCH_ROUNDS (1001), BENCH_CALLGRIND=0 not to count
 * instructions, BENCH_JSON=FILE to write the figures there as well.
 *
 * With 'calls WHO CASE N' it makes N calls, for callgrind: the instructions
 * of N calls less those of none.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <fripp.h>

enum { FLOOR, FRIPP, WEEK4, WHO_COUNT };
enum { ONE, EIGHT, CASE_COUNT };

typedef int (*format_send_f) (void *ctx, const char *fmt, ...);

struct subject {
    const char *name;
    format_send_f format_send;
    void *ctx;                  /* NULL where there is none of it */
};

struct result {
    double *ns;                 /* of a call, by round */
    double *to_floor;
    double *to_week4;
    long instructions;          /* -1: not counted */
};

static const char *case_names[] = { "one metric", "eight counters" };
static const char *who_keys[] = { "floor", "fripp", "week4" };
static const char *case_keys[] = { "one_metric", "eight_counters" };

/* The goals; 0: none.
 */
static const double floor_goal[] = { 1.10, 0 };
static const double week4_goal[] = { 0.40, 0 };

static void die (const char *what)
{
    perror (what);
    exit (2);
}

/* A batch: as many as fit into a receiver's buffer of the usual size. */
static const long calls = 200;

static uint64_t now (void)
{
    struct timespec ts;

    clock_gettime (CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* -- who is measured ----------------------------------------------------- */

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

/* Where all send to. Returns its port.
 */
static int receiver_open (int *fd)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t len = sizeof (sin);
    int size = 1024 * 1024;

    sin.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    *fd = socket (AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (*fd < 0
        || setsockopt (*fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof (size))
        || bind (*fd, (struct sockaddr *)&sin, sizeof (sin)) < 0
        || getsockname (*fd, (struct sockaddr *)&sin, &len) < 0)
        die ("socket");
    return ntohs (sin.sin_port);
}

/* Take what is there. Returns the number of datagrams.
 */
static long receiver_empty (int fd)
{
    char buf[4096];
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

/* Returns the receiver.
 */
static int open_subjects (struct subject *subjects)
{
    static int fd;
    const char *baseline = getenv ("FRIPP_BASELINE");
    int receiver;
    int port = receiver_open (&receiver);

    fd = connected_socket (port);
    subjects[FLOOR] = (struct subject){ "floor", floor_format_send, &fd };
    subjects[FRIPP] = (struct subject){
        "fripp_format_send", (format_send_f)fripp_format_send,
        fripp_ctx_create (NULL, "127.0.0.1", port)
    };
    if (!subjects[FRIPP].ctx)
        die ("fripp_ctx_create");
    subjects[WEEK4] = (struct subject){ .name = "week 4" };
    if (baseline && *baseline) {
        void *dso = dlopen (baseline, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
        void *(*create) (void *h, const char *host, int port);

        if (!dso) {
            fprintf (stderr, "FRIPP_BASELINE: %s\n", dlerror ());
            exit (2);
        }
        *(void **)&create = dlsym (dso, "fripp_ctx_create");
        *(void **)&subjects[WEEK4].format_send = dlsym (dso,
                                                        "fripp_format_send");
        if (!create || !subjects[WEEK4].format_send) {
            fprintf (stderr, "FRIPP_BASELINE: %s\n", dlerror ());
            exit (2);
        }
        subjects[WEEK4].ctx = create (NULL, "127.0.0.1", port);
    }
    return receiver;
}

/* The calls are those of a Flux broker: a timing of its content cache, and
 * the message counters of a module.
 */
static void make_calls (const struct subject *s, int which, long n)
{
    format_send_f f = s->format_send;
    void *ctx = s->ctx;
    const char *mod = "job-manager";
    int rank = 0;

    if (which == ONE) {
        for (long i = 0; i < n; i++)
            f (ctx, "flux.content-cache.store:%lf|ms", 0.25 + i * 1e-6);
        return;
    }
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

/* -- time ---------------------------------------------------------------- */

static int compare (const void *p, const void *q)
{
    double a = *(const double *)p, b = *(const double *)q;

    return (a > b) - (a < b);
}

struct spread {
    double low;
    double median;
    double high;
};

static struct spread spread (const double *values, int count)
{
    double *sorted = malloc (count * sizeof (*sorted));
    struct spread s;

    if (!sorted)
        die ("malloc");
    memcpy (sorted, values, count * sizeof (*sorted));
    qsort (sorted, count, sizeof (*sorted), compare);
    s.low = sorted[count / 4];
    s.median = sorted[count / 2];
    s.high = sorted[(count - 1) - count / 4];
    free (sorted);
    return s;
}

/* Returns the number of datagrams that were lost.
 */
static long measure (const struct subject *subjects, int which, int receiver,
                     struct result *results, int rounds)
{
    long lost = 0;

    for (int who = 0; who < WHO_COUNT; who++) {
        struct result *r = &results[who];

        r->ns = calloc (3 * rounds, sizeof (double));
        if (!r->ns)
            die ("calloc");
        r->to_floor = r->ns + rounds;
        r->to_week4 = r->to_floor + rounds;
        for (int i = 0; i < 20 && subjects[who].ctx; i++) {
            make_calls (&subjects[who], which, calls);
            lost += calls - receiver_empty (receiver);
        }
    }
    for (int round = 0; round < rounds; round++) {
        for (int turn = 0; turn < WHO_COUNT; turn++) {
            int who = (round + turn) % WHO_COUNT;
            uint64_t start;

            if (!subjects[who].ctx)
                continue;
            start = now ();
            make_calls (&subjects[who], which, calls);
            results[who].ns[round] = (double)(now () - start) / calls;
            lost += calls - receiver_empty (receiver);
        }
        for (int who = 0; who < WHO_COUNT; who++) {
            struct result *r = &results[who];

            r->to_floor[round] = r->ns[round] / results[FLOOR].ns[round];
            if (subjects[WEEK4].ctx)
                r->to_week4[round] = r->ns[round] / results[WEEK4].ns[round];
        }
    }
    return lost;
}

/* -- instructions -------------------------------------------------------- */

/* Instructions of a process that makes n calls; -1 without valgrind.
 */
static long long run_callgrind (int who, int which, long n)
{
    char self[4096];
    char command[8192];
    char line[512];
    long long count = -1;
    ssize_t len = readlink ("/proc/self/exe", self, sizeof (self) - 1);
    FILE *f;

    if (len < 0)
        return -1;
    self[len] = '\0';
    snprintf (command, sizeof (command), "valgrind --tool=callgrind "
              "--callgrind-out-file=/dev/null '%s' calls %d %d %ld 2>&1",
              self, who, which, n);
    if (!(f = popen (command, "r")))
        return -1;
    while (fgets (line, sizeof (line), f)) {
        const char *at = strstr (line, "Collected : ");
        if (at)
            count = atoll (at + strlen ("Collected : "));
    }
    return pclose (f) == 0 ? count : -1;
}

static void count_instructions (const struct subject *subjects,
                                struct result (*results)[WHO_COUNT])
{
    const char *wanted = getenv ("BENCH_CALLGRIND");
    const long n = 1000;
    bool can = !(wanted && !strcmp (wanted, "0"));

    if (can && system ("valgrind --version >/dev/null 2>&1") != 0) {
        printf ("(no valgrind: instructions are not counted)\n\n");
        can = false;
    }
    for (int who = 0; who < WHO_COUNT; who++) {
        long long none = can && subjects[who].ctx
                         ? run_callgrind (who, ONE, 0) : -1;

        for (int which = 0; which < CASE_COUNT; which++) {
            long long some = none < 0 ? -1 : run_callgrind (who, which, n);
            results[which][who].instructions = some < 0 ? -1
                                               : (some - none) / n;
        }
    }
}

/* -- what is printed ----------------------------------------------------- */

static void print_ratio (const double *ratios, int rounds)
{
    struct spread s = spread (ratios, rounds);
    char text[64];

    snprintf (text, sizeof (text), "%.2f (%.2f-%.2f)", s.median, s.low,
              s.high);
    printf ("  %18s", text);
}

static void print_case (const struct subject *subjects, int which,
                        const struct result *results, int rounds)
{
    bool week4 = subjects[WEEK4].ctx;

    printf ("%-20s %19s  %12s  %18s", case_names[which], "ns a call",
            "instructions", "x floor");
    if (week4)
        printf ("  %18s", "x week 4");
    printf ("\n");
    for (int who = 0; who < WHO_COUNT; who++) {
        const struct result *r = &results[who];
        struct spread ns = spread (r->ns, rounds);
        char text[64];

        if (!subjects[who].ctx)
            continue;
        snprintf (text, sizeof (text), "%.0f (%.0f-%.0f)", ns.median, ns.low,
                  ns.high);
        printf ("  %-18s %19s", subjects[who].name, text);
        if (r->instructions >= 0)
            printf ("  %12ld", r->instructions);
        else
            printf ("  %12s", "-");
        if (who != FLOOR)
            print_ratio (r->to_floor, rounds);
        if (who == FRIPP && week4)
            print_ratio (r->to_week4, rounds);
        printf ("\n");
    }
    printf ("\n");
}

static void print_goal (const char *of, const double *ratios, int rounds,
                        double goal)
{
    double median = spread (ratios, rounds).median;

    printf ("Goal, one metric: at most %.2f x %s: %s, %.2f\n", goal, of,
            median <= goal ? "met" : "MISSED", median);
}

static void json_spread (FILE *f, const char *key, const double *values,
                         int rounds)
{
    struct spread s = spread (values, rounds);

    fprintf (f, ", \"%s\": {\"q1\": %.4f, \"median\": %.4f, \"q3\": %.4f}",
             key, s.low, s.median, s.high);
}

static void write_json (const char *path, const struct subject *subjects,
                        struct result (*results)[WHO_COUNT], int rounds)
{
    const char *comma = "";
    FILE *f = fopen (path, "w");

    if (!f)
        die (path);
    fprintf (f, "{\"bench\": \"format_send\", \"version\": \"%s\", "
             "\"rounds\": %d, \"calls\": %ld, \"results\": [",
             fripp_version (), rounds, calls);
    for (int which = 0; which < CASE_COUNT; which++) {
        for (int who = 0; who < WHO_COUNT; who++) {
            const struct result *r = &results[which][who];

            if (!subjects[who].ctx)
                continue;
            fprintf (f, "%s\n  {\"case\": \"%s\", \"who\": \"%s\"", comma,
                     case_keys[which], who_keys[who]);
            json_spread (f, "ns", r->ns, rounds);
            json_spread (f, "to_floor", r->to_floor, rounds);
            if (subjects[WEEK4].ctx)
                json_spread (f, "to_week4", r->to_week4, rounds);
            if (r->instructions >= 0)
                fprintf (f, ", \"instructions\": %ld", r->instructions);
            fprintf (f, "}");
            comma = ",";
        }
    }
    fprintf (f, "\n], \"goals\": {\"one_metric\": {\"to_floor\": %.2f, "
             "\"to_week4\": %.2f}}}\n", floor_goal[ONE], week4_goal[ONE]);
    if (fclose (f) != 0)
        die (path);
}

static long setting (const char *name, long value)
{
    const char *text = getenv (name);
    long set = text ? atol (text) : 0;

    return set > 0 ? set : value;
}

int main (int argc, char **argv)
{
    struct subject subjects[WHO_COUNT];
    struct result results[CASE_COUNT][WHO_COUNT];
    int rounds = setting ("BENCH_ROUNDS", 1001);
    const char *json = getenv ("BENCH_JSON");
    int receiver = open_subjects (subjects);
    long lost = 0;

    if (argc == 5 && !strcmp (argv[1], "calls")) {
        const struct subject *s = &subjects[atoi (argv[2])];

        /* what only the first call does is not a call's cost */
        make_calls (s, ONE, 10);
        make_calls (s, EIGHT, 10);
        make_calls (s, atoi (argv[3]), atol (argv[4]));
        return 0;
    }
    printf ("fripp_format_send: %d rounds of %ld calls, interleaved; "
            "median (quartiles)\n\n", rounds, calls);
    for (int which = 0; which < CASE_COUNT; which++)
        lost += measure (subjects, which, receiver, results[which], rounds);
    if (lost)
        printf ("(%ld datagrams were lost: the figures may be off)\n\n", lost);
    count_instructions (subjects, results);
    for (int which = 0; which < CASE_COUNT; which++)
        print_case (subjects, which, results[which], rounds);
    print_goal ("floor", results[ONE][FRIPP].to_floor, rounds, floor_goal[ONE]);
    if (subjects[WEEK4].ctx)
        print_goal ("week 4", results[ONE][FRIPP].to_week4, rounds,
                    week4_goal[ONE]);
    else
        printf ("Not compared to week 4: FRIPP_BASELINE does not name its "
                "shared object.\n");
    printf ("floor: vsnprintf and one send on a connected socket. "
            "Instructions: of the program alone, without the kernel's.\n");
    if (json && *json)
        write_json (json, subjects, results, rounds);
    fripp_ctx_destroy (subjects[FRIPP].ctx);
    return 0;
}

/* vi: ts=4 sw=4 expandtab
 */
