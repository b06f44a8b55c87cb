/* SPDX-License-Identifier: MIT OR Apache-2.0 */

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "translator.h"

/* a type of glibc's */
#ifndef __GLIBC__
#define __CONST_SOCKADDR_ARG const struct sockaddr *
#endif

static atomic_int target;
static atomic_int count;

void translator_assign (int port)
{
    target = port;
}

int translator_count (void)
{
    return count;
}

int connect (int fd, __CONST_SOCKADDR_ARG address, socklen_t len)
{
    int (*real) (int fd, const struct sockaddr *address, socklen_t len);
    const struct sockaddr *to = *(const struct sockaddr *const *)&address;
    struct sockaddr_in sin = { 0 };

    *(void **)&real = dlsym (RTLD_NEXT, "connect");
    if (!real)
        abort ();
    if (len == sizeof (sin))
        memcpy (&sin, to, sizeof (sin));
    if (sin.sin_family == AF_INET
        && sin.sin_addr.s_addr == inet_addr (TRANSLATOR)) {
        sin.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
        sin.sin_port = htons (target);
        count++;
        to = (struct sockaddr *)&sin;
    }
    return real (fd, to, len);
}
