/* Sends to a socket of its own and reads it again: what is installed works. */
#include <arpa/inet.h>
#include <fripp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main (void)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t len = sizeof (sin);
    struct fripp_ctx *ctx;
    char buf[64];
    ssize_t n;
    int fd = socket (AF_INET, SOCK_DGRAM, 0);

    sin.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    if (bind (fd, (struct sockaddr *)&sin, len) < 0
        || getsockname (fd, (struct sockaddr *)&sin, &len) < 0
        || !(ctx = fripp_ctx_create (NULL, "127.0.0.1", ntohs (sin.sin_port)))
        || fripp_format_send (ctx, "installed:%d|c", 1) < 0
        || (n = recv (fd, buf, sizeof (buf) - 1, 0)) < 0) {
        perror ("x");
        return 1;
    }
    buf[n] = '\0';
    printf ("%s %s\n", fripp_version (), buf);
    fripp_ctx_destroy (ctx);
    close (fd);
    return strcmp (buf, "installed:1|c") || strcmp (fripp_version (), FRIPP_VERSION);
}
