/* kernel.c - what the kernel may say to a datagram
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "tap.h"

/* -- no network: in a name space of its own -------------------------------- */

static void loopback (unsigned long request, struct ifreq *req)
{
    int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    strcpy (req->ifr_name, "lo");
    if (fd < 0 || ioctl (fd, request, req) < 0)
        bail_out ("loopback: %s", strerror (errno));
    close (fd);
}

static void loopback_up (void)
{
    struct ifreq req = { .ifr_flags = IFF_UP };

    loopback (SIOCSIFFLAGS, &req);
}

/* Without an address there is no route. (An interface that is down takes
 * datagrams, and drops them without a word.)
 */
static void loopback_address (const char *address)
{
    struct ifreq req = { 0 };
    struct sockaddr_in *sin = (struct sockaddr_in *)&req.ifr_addr;

    sin->sin_family = AF_INET;
    sin->sin_addr.s_addr = inet_addr (address);
    loopback (SIOCSIFADDR, &req);
}

static void play_no_network (struct run *r)
{
    if (unshare (CLONE_NEWNET) < 0
        && unshare (CLONE_NEWUSER | CLONE_NEWNET) < 0) {
        snprintf (r->skipped, sizeof (r->skipped),
                  "no network name space here: %s", strerror (errno));
        return;
    }
    loopback_up ();
    at_udp (r);
    server_start (r->server);
    if (!start (r))
        return;
    for (int i = 0; i < 10; i++) {
        wait_recorded (r, 200);
        wait_received (r);
        loopback_address ("0.0.0.0");
        wait_recorded (r, 500);
        loopback_address ("127.0.0.1");
    }
    finish (r);
}

/* -- no room, and "fragmentation needed" that an earlier datagram met on its
 * way: Linux keeps these errors from a UDP socket on loopback, so they are said
 * here --------------------------------------------------------------------- */

static _Atomic bool no_buffers;
static _Atomic bool too_long;   /* once */

static bool is_refused (void)
{
    if (no_buffers)
        errno = ENOBUFS;
    else if (atomic_exchange (&too_long, false))
        errno = EMSGSIZE;
    else
        return false;
    return true;
}

static void *real (const char *name)
{
    void *f = dlsym (RTLD_NEXT, name);

    if (!f)
        abort ();
    return f;
}

ssize_t send (int fd, const void *data, size_t len, int flags)
{
    static ssize_t (*f) (int fd, const void *data, size_t len, int flags);

    if (is_refused ())
        return -1;
    if (!f)
        *(void **)&f = real ("send");
    return f (fd, data, len, flags);
}

ssize_t sendto (int fd, const void *data, size_t len, int flags,
                __CONST_SOCKADDR_ARG to, socklen_t to_len)
{
    static ssize_t (*f) (int fd, const void *data, size_t len, int flags,
                         __CONST_SOCKADDR_ARG to, socklen_t to_len);

    if (is_refused ())
        return -1;
    if (!f)
        *(void **)&f = real ("sendto");
    return f (fd, data, len, flags, to, to_len);
}

static void act_no_buffers (struct run *r, int step)
{
    (void)r;
    no_buffers = step % 2;
}

static void play_no_buffers (struct run *r)
{
    at_udp (r);
    server_start (r->server);
    if (!start (r))
        return;
    for (int i = 1; i <= 20; i += 2) {
        wait_recorded (r, 200);
        wait_received (r);
        tell (r, i);
        wait_recorded (r, 500);
        tell (r, i + 1);
    }
    finish (r);
}

static void act_too_long (struct run *r, int step)
{
    (void)r;
    (void)step;
    too_long = true;
}

static void play_too_long (struct run *r)
{
    at_udp (r);
    server_start (r->server);
    if (!start (r))
        return;
    for (int i = 1; i <= 20; i++) {
        wait_recorded (r, 500);
        wait_received (r);
        tell (r, i);
    }
    finish (r);
}

const struct fault kernel[] = {
    { "no route 10 times (ENETUNREACH)", play_no_network, .seconds = 2 },
    { "no buffers 10 times (ENOBUFS)", play_no_buffers, act_no_buffers,
      .seconds = 2 },
    { "late \"fragmentation needed\" 20 times (EMSGSIZE)", play_too_long,
      act_too_long, .seconds = 2 },
    { 0 }
};
