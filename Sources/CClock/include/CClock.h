#ifndef CCLOCK_H
#define CCLOCK_H

/// Whether the kernel holds the clock for set by NTP: 1, 0, or -1 where it does not tell.
int ems_clock_is_synchronised(void);

#endif
