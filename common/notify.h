/*
 * Telling the service manager how a daemon is doing: sd_notify(3)'s protocol, through
 * libsystemd where Drover was built with it. Without a service manager (no
 * NOTIFY_SOCKET in the environment) nothing happens.
 */
#ifndef DROVER_COMMON_NOTIFY_H
#define DROVER_COMMON_NOTIFY_H

#include <stdint.h>

/* It serves now; status is a sentence for `systemctl status`. */
void notify_ready(const char *status);
/* It ends, on purpose. */
void notify_stopping(void);
/* Still alive, for WatchdogSec=: call it only after having seen that work goes on. */
void notify_watchdog(void);

/* How often notify_watchdog() is due, in milliseconds: half of what the service manager waits; 0:
 * never. */
uint64_t notify_watchdog_ms(void);

#endif
