/* Endpoints, good and bad: hosts, ports, URIs, the environment.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "resolver.h"
#include "tap.h"

static bool refused (struct fripp_ctx *ctx)
{
    bool einval = !ctx && errno == EINVAL;

    fripp_ctx_destroy (ctx);
    return einval;
}

/* errno is that of the call, and only then looked at */
#define CREATE_REFUSED(host, port) \
    (errno = 0, refused (fripp_ctx_create (NULL, host, port)))
#define URI_REFUSED(uri) \
    (errno = 0, refused (fripp_ctx_create_uri (NULL, uri)))

static bool taken (struct fripp_ctx *ctx)
{
    bool enabled = fripp_enabled (ctx);

    fripp_ctx_destroy (ctx);
    return enabled;
}

static bool delivers (struct fripp_ctx *ctx, struct listener *server)
{
    bool arrived;

    listener_clear (server);
    arrived = fripp_format_send (ctx, "a:%d|c", 1) == 0
              && listener_wait (server, 1, DEADLINE) == 1
              && listener_got (server, 0, "a:1|c", 5);
    fripp_ctx_destroy (ctx);
    return arrived;
}

static void test_ports (void)
{
    ok (CREATE_REFUSED ("127.0.0.1", 0), "port 0 is EINVAL");
    ok (CREATE_REFUSED ("127.0.0.1", -1), "port -1 is EINVAL");
    ok (CREATE_REFUSED ("127.0.0.1", 65536), "port 65536 is EINVAL");
    ok (CREATE_REFUSED ("127.0.0.1", 70000),
        "port 70000 is EINVAL, not 4464");
    ok (CREATE_REFUSED ("127.0.0.1", -2147483647 - 1)
        && CREATE_REFUSED ("127.0.0.1", 2147483647),
        "the least and the largest int are EINVAL");
    ok (taken (fripp_ctx_create (NULL, "127.0.0.1", 1))
        && taken (fripp_ctx_create (NULL, "127.0.0.1", 65535)),
        "ports 1 and 65535 are taken");
}

static void test_hosts (void)
{
    char name[512];
    char *uri;

    ok (CREATE_REFUSED (NULL, 8125), "a NULL hostname is EINVAL");
    ok (CREATE_REFUSED ("", 8125), "an empty hostname is EINVAL");
    ok (CREATE_REFUSED ("unix:", 8125) && CREATE_REFUSED ("unix:@", 8125)
        && CREATE_REFUSED ("unix:relative/path", 8125),
        "unix: without an absolute path or a name is EINVAL");
    ok (CREATE_REFUSED ("two words", 8125)
        && CREATE_REFUSED ("line\nbreak", 8125),
        "a hostname with white space is EINVAL");
    memset (name, 'n', sizeof (name) - 1);
    name[sizeof (name) - 1] = '\0';
    ok (CREATE_REFUSED (name, 8125), "a hostname of 511 bytes is EINVAL");
    uri = calloc (1, 1 << 20);
    memset (uri, 'u', (1 << 20) - 6);
    memcpy (uri + (1 << 20) - 6, ":8125", 6);
    ok (URI_REFUSED (uri), "a URI of 1 MB is EINVAL");
    free (uri);
}

static void test_uris (struct listener *server)
{
    static const char *const bad[] = {
        "", ":", "localhost", ":8125", "localhost:0", "localhost:65536",
        "localhost:70000", "localhost:-1", "localhost:+1", "localhost: 1",
        "localhost:1 1", "localhost:0x50", "localhost:81x", "127.0.0.1",
        "::1", "::1:8125", "[::1]", "[::1]:", "[::1]:0", "[::1", "[]:8125",
        "[::1]8125", "udp:", "udp:/", "udp://", "udp://:8125",
        "udp://localhost", "udp://localhost:", "tcp://localhost",
        "http://localhost:8125", "unix:", "unix:@", "unix:relative",
        "unix://relative", "localhost:8125?unknown=1",
        "localhost:8125?=", "localhost:8125?nokey", "local host:8125",
        "local\nhost:8125", "127.0.0.1:99999999999999999999",
    };
    char uri[64];

    ok (URI_REFUSED ("localhost:"), "`localhost:` is EINVAL");
    for (size_t i = 0; i < sizeof (bad) / sizeof (bad[0]); i++)
        ok (URI_REFUSED (bad[i]), "URI '%s' is EINVAL", bad[i]);

    snprintf (uri, sizeof (uri), "127.0.0.1:%d", listener_port (server));
    ok (delivers (fripp_ctx_create_uri (NULL, uri), server),
        "URI host:port delivers");
    snprintf (uri, sizeof (uri), "udp://127.0.0.1:%d",
              listener_port (server));
    ok (delivers (fripp_ctx_create_uri (NULL, uri), server),
        "URI udp://host:port delivers");
    resolver_answer ("127.0.0.1");
    snprintf (uri, sizeof (uri), "stats.example:%d", listener_port (server));
    ok (delivers (fripp_ctx_create_uri (NULL, uri), server),
        "URI name:port delivers");
    ok (delivers (fripp_ctx_create (NULL, "127.0.0.1",
                                    listener_port (server)), server),
        "hostname and port deliver");
    ok (delivers (fripp_ctx_create (NULL, "stats.example",
                                    listener_port (server)), server),
        "the name of a host and port deliver");
    resolver_answer (NULL);
}

/* A URI cut at every byte is EINVAL, or is one that ends there: then it ends
 * in a digit of the port, or in a byte of the path or name.
 */
static void test_cut (void)
{
    static const char *const uris[] = {
        "127.0.0.1:8125", "udp://127.0.0.1:8125", "[::1]:8125",
        "udp://[2001:db8::1]:8125", "stats.example:8125",
        "unix:///run/statsd.sock", "unix:@abstract",
        "127.0.0.1:8125?unknown=value&other=%41",
    };

    for (size_t i = 0; i < sizeof (uris) / sizeof (uris[0]); i++) {
        bool right = true;

        for (size_t len = 0; len < strlen (uris[i]); len++) {
            char cut[64] = { 0 };
            struct fripp_ctx *ctx;
            bool whole;

            memcpy (cut, uris[i], len);
            errno = 0;
            ctx = fripp_ctx_create_uri (NULL, cut);
            if (!strncmp (cut, "unix:", 5))
                whole = strstr (cut, "///")
                        || (strchr (cut, '@') && strchr (cut, '@')[1]);
            else
                whole = strrchr (cut, ':') && strrchr (cut, ':')[1] >= '1'
                        && strrchr (cut, ':')[1] <= '9'
                        && !strchr (cut, '?')
                        && (!strchr (cut, '[') || strstr (cut, "]:"));
            if (whole ? !fripp_enabled (ctx) : ctx || errno != EINVAL) {
                diag ("'%s': %s, errno %d", cut, ctx ? "taken" : "refused",
                      errno);
                /* a path of '/' alone may be refused or not */
                right = right && (!strcmp (cut, "unix:///")
                                  || !strcmp (cut, "unix:/"));
            }
            fripp_ctx_destroy (ctx);
        }
        ok (right, "'%s' cut at every byte: EINVAL, or shorter endpoints",
            uris[i]);
    }
}

static void test_environment (struct listener *server)
{
    static const char *const bad[] = {
        "", "localhost", "localhost:", "localhost:8125?unknown=1",
        "localhost:70000",
    };
    char uri[64];
    struct fripp_ctx *ctx;

    unsetenv ("FLUX_FRIPP_STATSD");
    errno = EXDEV;
    ctx = fripp_ctx_create_uri (NULL, NULL);
    ok (ctx && !fripp_enabled (ctx) && errno == EXDEV,
        "FLUX_FRIPP_STATSD unset: a disabled context");
    fripp_ctx_destroy (ctx);

    for (size_t i = 0; i < sizeof (bad) / sizeof (bad[0]); i++) {
        struct quiet quiet;
        long written;

        setenv ("FLUX_FRIPP_STATSD", bad[i], 1);
        quiet_begin (&quiet);
        errno = EXDEV;
        ctx = fripp_ctx_create_uri (NULL, NULL);
        written = quiet_end (&quiet);
        ok (ctx && !fripp_enabled (ctx) && errno == EXDEV && written == 0
            && fripp_format_send (ctx, "a:1|c") == 0,
            "FLUX_FRIPP_STATSD '%s': a disabled context, nothing printed",
            bad[i]);
        fripp_ctx_destroy (ctx);
    }

    snprintf (uri, sizeof (uri), "127.0.0.1:%d", listener_port (server));
    setenv ("FLUX_FRIPP_STATSD", uri, 1);
    ctx = fripp_ctx_create_uri (NULL, NULL);
    ok (fripp_enabled (ctx), "FLUX_FRIPP_STATSD host:port: an enabled one");
    ok (delivers (ctx, server), "it delivers");

    ok (URI_REFUSED (""), "a bad URI is EINVAL though the variable is good");
    unsetenv ("FLUX_FRIPP_STATSD");
}

static void test_leaks (void)
{
    int fds = count_fds ();

    for (int i = 0; i < 1000; i++) {
        (void)fripp_ctx_create (NULL, "127.0.0.1", 0);
        (void)fripp_ctx_create (NULL, "", 8125);
        (void)fripp_ctx_create_uri (NULL, "localhost:");
        (void)fripp_ctx_create_uri (NULL, "unix:relative");
    }
    is_int (count_fds (), fds, "a creation that fails keeps no descriptor");
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");

    test_ports ();
    test_hosts ();
    test_uris (server);
    test_cut ();
    test_environment (server);
    test_leaks ();

    listener_destroy (server);
    return done_testing ();
}
