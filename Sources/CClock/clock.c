#include "CClock.h"

#if defined(__linux__)
#include <sys/timex.h>

int ems_clock_is_synchronised(void) {
    struct timex state = {0};
    if (adjtimex(&state) < 0) return -1;
    return (state.status & STA_UNSYNC) == 0;
}
#else
int ems_clock_is_synchronised(void) { return -1; }
#endif
