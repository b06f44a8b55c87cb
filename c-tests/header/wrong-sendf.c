/* Must not compile: as wrong-format.c. */
#include <fripp.h>

int main (void)
{
    return fripp_sendf (0, "a:%s|c", 1.5);
}
