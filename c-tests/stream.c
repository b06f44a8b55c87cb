/* SPDX-License-Identifier: MIT OR Apache-2.0 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proc.h"
#include "stream.h"
#include "tap.h"

#define MAX_CONNECTIONS 256
#define SMALL 4096

struct connection {
    int fd;            /* -1: it has ended */
    char *data;
    size_t len;
    size_t size;
    size_t lines;
};

struct stream {
    struct sockaddr_storage address;
    socklen_t address_len;
    bool small;
    int reserved;      /* keeps the port, with TCP */
    int fd;            /* -1: nobody is there */
    struct connection connections[MAX_CONNECTIONS];
    int count;
    char *text;
    char uri[512];
};

static void *xrealloc (void *ptr, size_t size)
{
    if (!(ptr = realloc (ptr, size)))
        bail_out ("out of memory");
    return ptr;
}

/* Bound, but not listening: who connects there is refused.
 */
static int open_socket (struct stream *s)
{
    int size = SMALL;
    int on = 1;
    int fd;

    if ((fd = socket (s->address.ss_family,
                      SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
        bail_out ("no socket: %s", strerror (errno));
    if (s->address.ss_family != AF_UNIX)
        (void)setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof (on));
    if (s->small)
        (void)setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof (size));
    if (bind (fd, (struct sockaddr *)&s->address, s->address_len) < 0)
        bail_out ("cannot bind: %s", strerror (errno));
    return fd;
}

static const char *unix_path (const struct stream *s)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&s->address;

    if (un->sun_family != AF_UNIX || un->sun_path[0] == '\0')
        return NULL;
    return un->sun_path;
}

static struct stream *start (const char *where, bool small)
{
    struct stream *s = xrealloc (NULL, sizeof (*s));
    struct sockaddr_un *un = (struct sockaddr_un *)&s->address;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&s->address;

    memset (s, 0, sizeof (*s));
    s->small = small;
    s->fd = s->reserved = -1;
    if (!strcmp (where, "tcp")) {
        v4->sin_family = AF_INET;
        v4->sin_addr.s_addr = htonl (INADDR_LOOPBACK);
        s->address_len = sizeof (*v4);
        s->reserved = open_socket (s);
        if (getsockname (s->reserved, (struct sockaddr *)v4,
                         &s->address_len) < 0)
            bail_out ("no port: %s", strerror (errno));
    }
    else {
        size_t len = strlen (where);

        if (len >= sizeof (un->sun_path))
            bail_out ("too long for a UNIX socket: %s", where);
        un->sun_family = AF_UNIX;
        memcpy (un->sun_path, where, len);
        s->address_len = offsetof (struct sockaddr_un, sun_path) + len;
        if (where[0] == '@')
            un->sun_path[0] = '\0';
    }
    stream_reopen (s);
    return s;
}

struct stream *stream_listen (const char *where)
{
    return start (where, false);
}

struct stream *stream_listen_small (const char *where)
{
    return start (where, true);
}

void stream_reopen (struct stream *s)
{
    s->fd = open_socket (s);
    if (listen (s->fd, 16) < 0)
        bail_out ("cannot listen: %s", strerror (errno));
}

void stream_cut (struct stream *s)
{
    for (int i = 0; i < s->count; i++) {
        if (s->connections[i].fd >= 0)
            close (s->connections[i].fd);
        s->connections[i].fd = -1;
    }
}

void stream_leave (struct stream *s)
{
    if (s->fd >= 0)
        close (s->fd);
    s->fd = -1;
}

void stream_drop (struct stream *s)
{
    stream_leave (s);
    stream_cut (s);
    if (unix_path (s))
        (void)unlink (unix_path (s));
}

void stream_destroy (struct stream *s)
{
    stream_drop (s);
    if (s->reserved >= 0)
        close (s->reserved);
    for (int i = 0; i < s->count; i++)
        free (s->connections[i].data);
    free (s->text);
    free (s);
}

const char *stream_uri (const struct stream *s, const char *settings)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&s->address;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&s->address;
    char *uri = (char *)s->uri;
    size_t max = sizeof (s->uri);
    int len = (int)(s->address_len - offsetof (struct sockaddr_un, sun_path));

    if (v4->sin_family == AF_INET)
        snprintf (uri, max, "tcp://127.0.0.1:%d%s", ntohs (v4->sin_port),
                  settings);
    else if (un->sun_path[0])
        snprintf (uri, max, "unixstream://%.*s%s", len, un->sun_path,
                  settings);
    else
        snprintf (uri, max, "unixstream:@%.*s%s", len - 1, un->sun_path + 1,
                  settings);
    return uri;
}

static void accept_all (struct stream *s)
{
    struct connection *c;
    int fd;

    while (s->fd >= 0
           && (fd = accept4 (s->fd, NULL, NULL,
                             SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        if (s->count == MAX_CONNECTIONS)
            bail_out ("too many connections");
        c = &s->connections[s->count++];
        c->fd = fd;
    }
}

/* Reads up to so many bytes of one connection.
 */
static size_t read_some (struct connection *c, size_t most)
{
    char buf[65536];
    ssize_t n;

    if (c->fd < 0)
        return 0;
    n = recv (c->fd, buf, most < sizeof (buf) ? most : sizeof (buf), 0);
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n <= 0) {
        close (c->fd);
        c->fd = -1;
        return 0;
    }
    if (c->len + n > c->size) {
        c->size = 2 * (c->len + n);
        c->data = xrealloc (c->data, c->size);
    }
    memcpy (c->data + c->len, buf, n);
    c->len += n;
    for (ssize_t i = 0; i < n; i++)
        c->lines += buf[i] == '\n';
    return n;
}

size_t stream_read (struct stream *s, size_t bytes)
{
    size_t got = 0;
    size_t n;

    accept_all (s);
    for (int i = 0; i < s->count; i++) {
        while (got < bytes
               && (n = read_some (&s->connections[i], bytes - got)) > 0)
            got += n;
    }
    return got;
}

static bool all_ended (const struct stream *s)
{
    for (int i = 0; i < s->count; i++) {
        if (s->connections[i].fd >= 0)
            return false;
    }
    return s->count > 0;
}

static void wait_for (struct stream *s, int ms)
{
    struct pollfd p[MAX_CONNECTIONS + 1] = {
        { .fd = s->fd, .events = POLLIN }
    };

    for (int i = 0; i < s->count; i++) {
        p[1 + i].fd = s->connections[i].fd;
        p[1 + i].events = POLLIN;
    }
    (void)poll (p, 1 + s->count, ms);
}

size_t stream_wait (struct stream *s, size_t lines, int timeout)
{
    double end = now_ms () + timeout;

    for (;;) {
        while (stream_read (s, 1 << 20) > 0)
            ;
        if (stream_lines (s) >= lines || now_ms () >= end)
            return stream_lines (s);
        wait_for (s, (int)(end - now_ms ()) + 1);
    }
}

void stream_need_at (struct stream *s, size_t lines, const char *file,
                     int line)
{
    size_t got = stream_wait (s, lines, DEADLINE);

    if (got < lines)
        bail_out ("%s:%d: %zu of %zu lines arrived", file, line, got, lines);
}

void stream_idle (struct stream *s, int ms)
{
    size_t got = stream_wait (s, stream_lines (s) + 1, ms);

    (void)got;
}

bool stream_ended (struct stream *s, int timeout)
{
    double end = now_ms () + timeout;

    for (;;) {
        while (stream_read (s, 1 << 20) > 0)
            ;
        if (all_ended (s) || now_ms () >= end)
            return all_ended (s);
        wait_for (s, (int)(end - now_ms ()) + 1);
    }
}

bool stream_finish (struct stream *s, int timeout)
{
    accept_all (s);
    stream_leave (s);
    for (int i = 0; i < s->count; i++)
        (void)shutdown (s->connections[i].fd, SHUT_WR);
    return s->count == 0 || stream_ended (s, timeout);
}

/* How many bytes of it are whole lines.
 */
static size_t whole (const struct connection *c)
{
    size_t len = c->len;

    while (len > 0 && c->data[len - 1] != '\n')
        len--;
    return len;
}

const char *stream_text (struct stream *s)
{
    size_t len = 0;

    for (int i = 0; i < s->count; i++)
        len += whole (&s->connections[i]);
    s->text = xrealloc (s->text, len + 1);
    len = 0;
    for (int i = 0; i < s->count; i++) {
        struct connection *c = &s->connections[i];

        if (c->data)
            memcpy (s->text + len, c->data, whole (c));
        len += whole (c);
    }
    s->text[len] = '\0';
    return s->text;
}

const char *stream_take (struct stream *s, size_t *len)
{
    const char *text = stream_text (s);

    for (int i = 0; i < s->count; i++) {
        struct connection *c = &s->connections[i];
        size_t taken = whole (c);

        c->len -= taken;
        if (taken > 0)
            memmove (c->data, c->data + taken, c->len);
    }
    *len = strlen (text);
    return text;
}

size_t stream_lines (const struct stream *s)
{
    size_t lines = 0;

    for (int i = 0; i < s->count; i++)
        lines += s->connections[i].lines;
    return lines;
}

int stream_connections (const struct stream *s)
{
    return s->count;
}

int stream_torn (const struct stream *s)
{
    int torn = 0;

    for (int i = 0; i < s->count; i++) {
        const struct connection *c = &s->connections[i];

        torn += c->fd < 0 && whole (c) < c->len;
    }
    return torn;
}
