/* The subcommands; main.c's table refers to them. */
#ifndef DROVER_CLI_COMMANDS_H
#define DROVER_CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command command_up, command_down;                        /* up.c */
extern const struct command command_submit, command_run;                     /* submit.c, run.c */
extern const struct command command_replay;                                  /* replay.c */
extern const struct command command_queue;                                   /* queue.c */
extern const struct command command_nodes, command_migrations;               /* list.c */
extern const struct command command_energy;                                  /* energy.c */
extern const struct command command_savings;                                 /* savings.c */
extern const struct command command_show;                                    /* show.c */
extern const struct command command_cancel, command_hold, command_release;   /* control.c */
extern const struct command command_requeue, command_migrate;                /* control.c */
extern const struct command command_cordon, command_uncordon, command_drain; /* node_control.c */
extern const struct command command_resume, command_sleep, command_wake;     /* node_control.c */
extern const struct command command_policy, command_cap;                     /* policy.c */
extern const struct command command_logs, command_events;                    /* stream.c */
extern const struct command command_bundle;                                  /* bundle.c */
extern const struct command command_profile;                                 /* profile.c */
extern const struct command command_token, command_cert;                     /* token.c */
extern const struct command command_hop;                                     /* hop.c */

#endif
