/*
 * Where our own files are.
 *
 * Each function writes a path of at most size bytes with its NUL to out and
 * returns 0, or -ENAMETOOLONG, or -ENOENT where said.
 */
#ifndef DROVER_COMMON_PATHS_H
#define DROVER_COMMON_PATHS_H

#include <stddef.h>

/* Toolchain files: $DROVER_LIBDIR, else <dir of this program>/stage/lib/drover (build tree), else
 * <dir of this program>/../lib/drover, else the configured one; the first that is there. */
int paths_libdir(char *out, size_t size);

/* Another program of ours: beside this one, in a bin or sbin beside this one's, in the lib
 * directory, or along PATH. -ENOENT if there is none. */
int paths_program(const char *name, char *out, size_t size);

/* What outlives a reboot: as root <localstatedir>/lib/drover, else $XDG_STATE_HOME/drover or
 * ~/.local/state/drover. */
int paths_state_dir(char *out, size_t size);

/* What does not: as root /run/drover, else $XDG_RUNTIME_DIR/drover or /tmp/drover-<uid>. */
int paths_runtime_dir(char *out, size_t size);

/* What can be made again: $XDG_CACHE_HOME/drover, else as root /var/cache/drover, else
 * ~/.cache/drover. */
int paths_cache_dir(char *out, size_t size);

/* The dashboard's files: $DROVER_DASHBOARD, else beside the program (build tree, installation), else
 * where it was configured to be installed. Need not exist. */
int paths_dashboard(char *out, size_t size);

#endif
