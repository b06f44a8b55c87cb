/* fripp-test.h - a receiver for tests of code that sends metrics
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * One header, for C11 and C++11; the test is linked with libfripp and with
 * nothing else. A receiver is a socket on this machine, at a port that the
 * system chose, so that any number of tests may run at the same time:
 *
 *     struct fripp_test *t = fripp_test_open_udp ("prefix=app");
 *     struct fripp_ctx *ctx = fripp_ctx_create_uri (NULL, fripp_test_uri (t));
 *
 *     fripp_inc (ctx, "requests", 2);
 *     fripp_flush (ctx);
 *     assert (fripp_test_wait_line (t, "app.requests:2|c", 5000) == 0);
 *     fripp_ctx_destroy (ctx);
 *     fripp_test_close (t);
 *
 * What came is kept until it is cleared. There is no thread: what arrives
 * waits in the socket until a function here reads it, each of which does so
 * first. A receiver belongs to one thread.
 *
 * Where a name is wanted, it is that of the line, with the prefix, and stands
 * for the metric with any tags and with none. "name#key:value,key2:value2"
 * stands for the one with these tags, in whatever way the dialect writes
 * them.
 *
 * Functions return 0, or -1 with errno; a pointer, or NULL with errno.
 */

#ifndef FRIPP_TEST_H
#define FRIPP_TEST_H

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fripp.h>

/* A receiver. Its fields are its own. */
struct fripp_test {
    int fd;
    bool negative_gauges;       /* "-5|g" is -5, and not 5 less */
    char *uri;
    char *text;                 /* all lines, each with a newline */
    size_t len;
    size_t size;
    size_t datagrams;
    size_t lost;
    char datagram[65536];
};

/* What came of a timer or a histogram. */
struct fripp_test_summary {
    double count;
    double sum;
    double min;
    double max;
};

/* -- the parts ----------------------------------------------------------- */

/* A line, taken apart. The pointers are into the text. */
struct fripp_test_line {
    const char *name;
    const char *name_end;
    const char *tags;
    const char *tags_end;
    const char *values;         /* "1", or "1:2:3" */
    const char *values_end;
    char type;                  /* c, C, g, m for ms, h, s */
    double rate;
};

/* The first of some bytes in a text, or its end. */
static inline const char *fripp_test_find (const char *p, const char *end,
                                           const char *bytes)
{
    while (p < end && !strchr (bytes, *p))
        p++;
    return p;
}

/* A plain decimal, whatever the locale is. */
static inline double fripp_test_number (const char *p, const char *end)
{
    long double value = 0;
    long double unit = 1;
    bool negative = p < end && *p == '-';
    bool fraction = false;

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (; p < end && (*p == '.' || (*p >= '0' && *p <= '9')); p++) {
        if (*p == '.') {
            fraction = true;
            continue;
        }
        value = value * 10 + (*p - '0');
        if (fraction)
            unit *= 10;
    }
    value /= unit;
    return (double)(negative ? -value : value);
}

/* Take the line at p apart. Returns the one after it. One that is no line of
 * StatsD has the type 0.
 */
static inline const char *fripp_test_parse (const char *p,
                                            struct fripp_test_line *line)
{
    const char *end = strchr (p, '\n');
    const char *field;

    memset (line, 0, sizeof (*line));
    line->name = p;
    line->rate = 1;
    line->values = fripp_test_find (p, end, ":");
    line->name_end = fripp_test_find (p, line->values, ",;");
    line->tags = line->tags_end = line->values;
    if (line->name_end < line->values)
        line->tags = line->name_end + 1;
    line->values_end = fripp_test_find (line->values, end, "|");
    if (line->values_end == end || line->values_end + 1 == end)
        return end + 1;
    line->values++;
    line->type = line->values_end[1];
    field = fripp_test_find (line->values_end + 1, end, "|");
    while (field < end) {
        const char *next = fripp_test_find (field + 1, end, "|");

        if (field[1] == '@')
            line->rate = fripp_test_number (field + 2, next);
        else if (field[1] == '#') {
            line->tags = field + 2;
            line->tags_end = next;
        }
        field = next;
    }
    return end + 1;
}

/* Whether a line is one of "name" or "name#key:value". */
static inline bool fripp_test_matches (const struct fripp_test_line *line,
                                       const char *name)
{
    const char *tags = strchr (name, '#');
    size_t len = tags ? (size_t)(tags - name) : strlen (name);
    const char *p = line->tags;

    if ((size_t)(line->name_end - line->name) != len
        || memcmp (line->name, name, len) != 0)
        return false;
    if (!tags)
        return true;
    for (tags++; *tags && p < line->tags_end; tags++, p++) {
        char c = *p;

        /* as telegraf and Graphite have them */
        if (c == ';')
            c = ',';
        if (c == '=')
            c = ':';
        if (c != *tags)
            return false;
    }
    return !*tags && p == line->tags_end;
}

/* Go on to the next line of a name that has one of some types. Returns false
 * where there is none. *at is where to go on, and begins as the text.
 */
static inline bool fripp_test_next (const char **at, const char *name,
                                    const char *types,
                                    struct fripp_test_line *line)
{
    while (*at && **at) {
        *at = fripp_test_parse (*at, line);
        if (line->type && strchr (types, line->type)
            && fripp_test_matches (line, name))
            return true;
    }
    return false;
}

/* Go on to the next of a line's values. *at begins as NULL. */
static inline bool fripp_test_next_value (const struct fripp_test_line *line,
                                          const char **at, const char **end)
{
    *at = *at ? *end + 1 : line->values;
    if (*at > line->values_end)
        return false;
    *end = fripp_test_find (*at, line->values_end, ":");
    return true;
}

/* Keep a datagram's lines. */
static inline int fripp_test_keep (struct fripp_test *t, const char *data,
                                   size_t len)
{
    if (t->len + len + 2 > t->size) {
        size_t size = 2 * (t->len + len + 2);
        char *text = (char *)realloc (t->text, size);

        if (!text)
            return -1;
        t->text = text;
        t->size = size;
    }
    memcpy (t->text + t->len, data, len);
    t->len += len;
    if (len > 0 && data[len - 1] != '\n')
        t->text[t->len++] = '\n';
    t->text[t->len] = '\0';
    t->datagrams++;
    return 0;
}

/* Read what has arrived. */
static inline int fripp_test_read (struct fripp_test *t)
{
    for (;;) {
        union {
            struct cmsghdr align;
            char space[CMSG_SPACE (sizeof (unsigned int))];
        } control;
        struct cmsghdr *c;
        struct iovec iov;
        struct msghdr msg;
        ssize_t n;

        iov.iov_base = t->datagram;
        iov.iov_len = sizeof (t->datagram);
        memset (&msg, 0, sizeof (msg));
        msg.msg_iov = &iov;
        msg.msg_iovlen = 1;
        msg.msg_control = &control;
        msg.msg_controllen = sizeof (control);
        if ((n = recvmsg (t->fd, &msg, MSG_DONTWAIT)) < 0) {
            if (errno == EINTR)
                continue;
            return errno == EAGAIN ? 0 : -1;
        }
        /* how many datagrams the socket has dropped so far */
        for (c = CMSG_FIRSTHDR (&msg); c; c = CMSG_NXTHDR (&msg, c)) {
            unsigned int lost;

            memcpy (&lost, CMSG_DATA (c), sizeof (lost));
            t->lost = lost;
        }
        if (fripp_test_keep (t, t->datagram, (size_t)n) < 0)
            return -1;
    }
}

/* Wait until something arrives, or ms after the timer was started. */
static inline int fripp_test_poll (struct fripp_test *t,
                                   const struct fripp_timer *timer, int ms)
{
    double left = ms - fripp_timer_elapsed (timer);
    struct pollfd pfd;

    pfd.fd = t->fd;
    pfd.events = POLLIN;
    if (left <= 0) {
        errno = ETIMEDOUT;
        return -1;
    }
    if (poll (&pfd, 1, (int)left + 1) < 0 && errno != EINTR)
        return -1;
    return fripp_test_read (t);
}

/* What fripp_test_open_...() have in common. */
static inline struct fripp_test *fripp_test_open (int family,
                                                  const char *settings)
{
    struct fripp_test *t = (struct fripp_test *)calloc (1, sizeof (*t));
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_un un;
    } addr;
    socklen_t len = family == AF_UNIX ? sizeof (sa_family_t)
                                      : sizeof (addr.in);
    int overflow = 40;          /* SO_RXQ_OVFL, where the libc hides it */
    int buffer = 4 * 1024 * 1024;
    int on = 1;
    size_t size;

    if (!t)
        return NULL;
    if (!settings)
        settings = "";
    size = sizeof (addr.un) + strlen (settings) + 64;
    memset (&addr, 0, sizeof (addr));
    addr.any.sa_family = (sa_family_t)family;
    if (family == AF_INET)
        addr.in.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    /* a UNIX socket that is bound to no name gets an abstract one */
    if ((t->fd = socket (family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0
        || bind (t->fd, &addr.any, len) < 0
        || (len = sizeof (addr), getsockname (t->fd, &addr.any, &len)) < 0
        || !(t->uri = (char *)malloc (size))
        || !(t->text = (char *)calloc (1, 1))) {
        int saved_errno = errno;

        if (t->fd >= 0)
            close (t->fd);
        free (t->uri);
        free (t);
        errno = saved_errno;
        return NULL;
    }
    t->size = 1;
    (void)setsockopt (t->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof (buffer));
    (void)setsockopt (t->fd, SOL_SOCKET, overflow, &on, sizeof (on));
    if (family == AF_INET)
        snprintf (t->uri, size, "127.0.0.1:%d%s%s", ntohs (addr.in.sin_port),
                  *settings ? "?" : "", settings);
    else
        snprintf (t->uri, size, "unix:@%.*s%s%s",
                  (int)(len - offsetof (struct sockaddr_un, sun_path) - 1),
                  addr.un.sun_path + 1, *settings ? "?" : "", settings);
    t->negative_gauges = strstr (settings, "dialect=dogstatsd")
                         || strstr (settings, "dialect=datadog")
                         || strstr (settings, "dialect=gostatsd");
    return t;
}

/* -- receivers ----------------------------------------------------------- */

/* Open a receiver, on UDP or on a UNIX datagram socket.
 *
 * settings  what follows the '?' of its URI, such as
 *           "dialect=statsd&prefix=app"; NULL for none
 *
 * A UNIX socket holds about ten datagrams, and a sender waits then, so none
 * is lost; with UDP about a hundred full ones fit, and those beyond are lost
 * as they are with a real server: see fripp_test_lost ().
 *
 * Returns a receiver, to be closed with fripp_test_close (), or NULL with
 * errno, that of socket (2), bind (2) or malloc (3).
 */
static inline struct fripp_test *fripp_test_open_udp (const char *settings)
{
    return fripp_test_open (AF_INET, settings);
}

static inline struct fripp_test *fripp_test_open_unix (const char *settings)
{
    return fripp_test_open (AF_UNIX, settings);
}

/* Close a receiver: from now on no one receives. NULL does nothing. */
static inline void fripp_test_close (struct fripp_test *t)
{
    if (!t)
        return;
    close (t->fd);
    free (t->uri);
    free (t->text);
    free (t);
}

/* Tell what fripp_ctx_create_uri () takes, or the FLUX_FRIPP_STATSD of a
 * program that is run.
 *
 * Returns a text that lives as long as the receiver.
 */
static inline const char *fripp_test_uri (const struct fripp_test *t)
{
    return t->uri;
}

/* Forget what came. */
static inline void fripp_test_clear (struct fripp_test *t)
{
    (void)fripp_test_read (t);
    t->len = 0;
    t->text[0] = '\0';
    t->datagrams = 0;
}

/* -- wait ---------------------------------------------------------------- */

/* Wait until this line has come, for ms milliseconds at most.
 *
 * Returns 0, or -1 with errno:
 *
 *   ETIMEDOUT  it has not in that time
 */
static inline int fripp_test_wait_line (struct fripp_test *t,
                                        const char *line, int ms)
{
    size_t len = strlen (line);
    struct fripp_timer timer;

    fripp_timer_start (&timer);
    (void)fripp_test_read (t);
    for (;;) {
        const char *p = t->text;

        while (*p) {
            const char *end = strchr (p, '\n');

            if ((size_t)(end - p) == len && memcmp (p, line, len) == 0)
                return 0;
            p = end + 1;
        }
        if (fripp_test_poll (t, &timer, ms) < 0)
            return -1;
    }
}

/* Wait until n values of a metric have come, of whatever type.
 *
 * Returns 0, or -1 with errno:
 *
 *   ETIMEDOUT  it has not in that time
 */
static inline int fripp_test_wait_values (struct fripp_test *t,
                                          const char *name, size_t n, int ms)
{
    struct fripp_timer timer;

    fripp_timer_start (&timer);
    (void)fripp_test_read (t);
    for (;;) {
        struct fripp_test_line line;
        const char *at = t->text;
        size_t count = 0;

        while (fripp_test_next (&at, name, "cCgmhs", &line)) {
            const char *value = NULL;
            const char *end;

            while (fripp_test_next_value (&line, &value, &end))
                count++;
        }
        if (count >= n)
            return 0;
        if (fripp_test_poll (t, &timer, ms) < 0)
            return -1;
    }
}

/* -- what came ----------------------------------------------------------- */

/* All lines, each with a newline, in the order of their arrival. The text
 * lives until the next call.
 */
static inline const char *fripp_test_lines (struct fripp_test *t)
{
    (void)fripp_test_read (t);
    return t->text;
}

/* How many datagrams came. */
static inline size_t fripp_test_datagrams (struct fripp_test *t)
{
    (void)fripp_test_read (t);
    return t->datagrams;
}

/* How many datagrams the receiver's full socket has dropped, as far as those
 * that came after them show: 0 in a test that reads often enough.
 */
static inline size_t fripp_test_lost (struct fripp_test *t)
{
    (void)fripp_test_read (t);
    return t->lost;
}

/* What a counter or a running total has come to, from zero, whichever way
 * the dialect sends it. Exact up to 2^53.
 */
static inline double fripp_test_counter (struct fripp_test *t,
                                         const char *name)
{
    const char *at = fripp_test_lines (t);
    struct fripp_test_line line;
    double total = 0;
    double sum = 0;

    while (fripp_test_next (&at, name, "cC", &line)) {
        double value = fripp_test_number (line.values, line.values_end);

        if (line.type == 'c')
            sum += value / line.rate;
        else {
            /* a lower one is a restart */
            sum += value < total ? value : value - total;
            total = value;
        }
    }
    return sum;
}

/* Wait until a counter or a running total has come to n, or more: what a
 * program counts while it runs arrives with several flushes.
 *
 * Returns 0, or -1 with errno:
 *
 *   ETIMEDOUT  it has not in that time
 */
static inline int fripp_test_wait_counter (struct fripp_test *t,
                                           const char *name, double n, int ms)
{
    struct fripp_timer timer;

    fripp_timer_start (&timer);
    while (fripp_test_counter (t, name) < n) {
        if (fripp_test_poll (t, &timer, ms) < 0)
            return -1;
    }
    return 0;
}

/* The newest value of a gauge, or NAN where none came. */
static inline double fripp_test_gauge (struct fripp_test *t, const char *name)
{
    const char *at = fripp_test_lines (t);
    struct fripp_test_line line;
    double gauge = NAN;

    while (fripp_test_next (&at, name, "g", &line)) {
        double value = fripp_test_number (line.values, line.values_end);
        bool is_change = *line.values == '+'
                         || (*line.values == '-' && !t->negative_gauges);

        gauge = is_change ? (isnan (gauge) ? 0 : gauge) + value : value;
    }
    return gauge;
}

/* The samples of a timer or a histogram.
 *
 * Returns their count, sum, min and max; a sample that stands for two, with
 * "@0.5", counts as two. min and max are NAN where none came.
 */
static inline struct fripp_test_summary
fripp_test_samples (struct fripp_test *t, const char *name)
{
    const char *at = fripp_test_lines (t);
    struct fripp_test_summary s = { 0, 0, NAN, NAN };
    struct fripp_test_line line;

    while (fripp_test_next (&at, name, "mh", &line)) {
        const char *p = NULL;
        const char *end;

        while (fripp_test_next_value (&line, &p, &end)) {
            double value = fripp_test_number (p, end);

            if (s.count == 0 || value < s.min)
                s.min = value;
            if (s.count == 0 || value > s.max)
                s.max = value;
            s.count += 1 / line.rate;
            s.sum += value / line.rate;
        }
    }
    return s;
}

/* How many distinct members of a set came. */
static inline size_t fripp_test_members (struct fripp_test *t,
                                         const char *name)
{
    const char *at = fripp_test_lines (t);
    struct fripp_test_line line;
    size_t count = 0;

    while (fripp_test_next (&at, name, "s", &line)) {
        const char *seen = t->text;
        struct fripp_test_line other;

        /* whether it is the first of its kind */
        while (fripp_test_next (&seen, name, "s", &other)) {
            size_t len = (size_t)(line.values_end - line.values);

            if ((size_t)(other.values_end - other.values) == len
                && memcmp (other.values, line.values, len) == 0)
                break;
        }
        count += other.values == line.values;
    }
    return count;
}

#endif /* !FRIPP_TEST_H */
