/* The header alone, with no other before it. */
#include <fripp.h>

int main (void)
{
    return fripp_enabled (0);
}
