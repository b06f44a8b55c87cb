/* The last user of the library is unloaded while a thread of it lives. This
 * program is not linked with libfripp: a module is, which it loads as Flux
 * does. Another one has libfripp.a in it: its code stays mapped, as that of the
 * shared library does.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <dlfcn.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "listener.h"
#include "proc.h"
#include "resolver.h"
#include "tap.h"

static char path[4200];
static bool stays;              /* it has the library in it */
static void *dso;
static void *(*plugin_create) (const char *hostname, int port);
static int (*plugin_send) (void *ctx, int lines);
static int (*plugin_count) (void *ctx);
static void (*plugin_destroy) (void *ctx);

static void load (int flags)
{
    if (!(dso = dlopen (path, RTLD_NOW | RTLD_LOCAL | flags)))
        bail_out ("%s", dlerror ());
    *(void **)&plugin_create = dlsym (dso, "plugin_create");
    *(void **)&plugin_send = dlsym (dso, "plugin_send");
    *(void **)&plugin_count = dlsym (dso, "plugin_count");
    *(void **)&plugin_destroy = dlsym (dso, "plugin_destroy");
    if (!plugin_create || !plugin_send || !plugin_count || !plugin_destroy)
        bail_out ("the module lacks a function");
}

static bool is_loaded (const char *name)
{
    void *handle = dlopen (name, RTLD_LAZY | RTLD_NOLOAD);

    if (handle)
        dlclose (handle);
    return handle != NULL;
}

/* A lookup outlives the module. In a child: with RTLD_DEEPBIND the library
 * would find the C library's getaddrinfo () before this program's.
 */
static int look_up_outlives (void)
{
    void *ctx;

    load (0);
    resolver_block (true);
    ctx = plugin_create ("slow.example", 9);
    plugin_send (ctx, 1);
    if (!resolver_wait_for (1, DEADLINE))
        return 1;
    plugin_destroy (ctx);
    dlclose (dso);
    if (is_loaded (path) != stays)
        return 2;
    resolver_answer ("127.0.0.1");
    resolver_block (false);
    return wait_threads (1, DEADLINE) ? 0 : 3;
}

/* Its context sends at exit, though the module is unloaded.
 */
static void exits_after (const struct listener *server)
{
    void *ctx;

    load (0);
    ctx = plugin_create ("127.0.0.1", listener_port (server));
    if (!ctx || plugin_count (ctx) < 0)
        _exit (1);
    dlclose (dso);
    exit (0);
}

static void test_module (const char *folder, const char *name)
{
    struct listener *server = listen_udp ("127.0.0.1");
    void *ctx;
    int status = -1;
    int sent = 0;
    pid_t pid;

    snprintf (path, sizeof (path), "%s/%s", folder, name);

    if ((pid = fork ()) == 0)
        _exit (look_up_outlives ());
    (void)waitpid (pid, &status, 0);
    is_int (status, 0, "%s: an answer that comes after dlclose does no harm",
            name);

    if ((pid = fork ()) == 0)
        exits_after (server);
    (void)waitpid (pid, &status, 0);
    is_int (status, 0, "exit after dlclose");
    ok (listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "plugin.n:1|c", 12),
        "sends what is pending");
    listener_clear (server);

    /* contexts come and go with the module */
    listener_drop (server);
    for (int i = 0; i < 50; i++) {
        listener_reopen (server);
        load (RTLD_DEEPBIND);
        ctx = plugin_create ("127.0.0.1", listener_port (server));
        sent += plugin_send (ctx, 2) == 0;
        listener_drop (server);
        sent += plugin_send (ctx, 2) == 0;
        if (i % 10 == 0)
            plugin_destroy (ctx);
        else {
            listener_reopen (server);
            plugin_destroy (ctx);
            listener_drop (server);
        }
        dlclose (dso);
    }
    is_int (sent, 100, "a module loaded and unloaded 50 times");
    ok (is_loaded (path) == stays, stays ? "it stays" : "it is gone each time");
    ok (wait_threads (1, DEADLINE), "and no thread is left");

    /* it leaves a context behind, with a thread that has work to do */
    listener_clear (server);
    load (RTLD_DEEPBIND);
    ctx = plugin_create ("127.0.0.1", listener_port (server));
    ok (ctx && plugin_send (ctx, 100) == 0, "a module keeps lines");
    is_int (count_threads (), 2, "and a thread lives");
    dlclose (dso);
    ok (is_loaded (path) == stays, "its dlclose");
    listener_reopen (server);
    /* the first line may have been lost to the refusal */
    ok (listener_wait (server, 99, DEADLINE) >= 99,
        "the thread lives on, and sends them: no code was unmapped");
    load (RTLD_DEEPBIND);
    plugin_destroy (ctx);
    ok (wait_threads (1, DEADLINE), "loaded again it can destroy the context");
    dlclose (dso);

    listener_destroy (server);
}

int main (void)
{
    char exe[4000] = "";
    const char *folder;

    if (readlink ("/proc/self/exe", exe, sizeof (exe) - 1) < 0)
        bail_out ("readlink");
    folder = dirname (exe);
    test_module (folder, "helper-plugin.so");
    stays = true;
    test_module (folder, "helper-plugin-static.so");
    return done_testing ();
}
