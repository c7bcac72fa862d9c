/* The subcommands' functions; main.c's table refers to them. */
#ifndef DROVER_CLI_COMMANDS_H
#define DROVER_CLI_COMMANDS_H

#include "cli/command.h"

command_fn cmd_up, cmd_down;                                 /* up.c */
command_fn cmd_submit, cmd_run;                              /* submit.c, run.c */
command_fn cmd_queue, cmd_nodes, cmd_migrations, cmd_energy; /* list.c */
command_fn cmd_show, cmd_cancel, cmd_migrate, cmd_policy;    /* control.c */
command_fn cmd_logs, cmd_events;                             /* stream.c */
command_fn cmd_profile;                                      /* profile.c */
command_fn cmd_hop;                                          /* hop.c */

#endif
