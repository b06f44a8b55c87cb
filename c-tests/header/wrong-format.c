/* Must not compile: the compiler holds the arguments against the format. */
#include <fripp.h>

int main (void)
{
    return fripp_format_send (0, "a:%d|c", "not a number");
}
