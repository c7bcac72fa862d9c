/* A team of one, for builds without threads; see team.h. */
#include "workloads/npb/common/team.h"

struct npb_team {
	int members;
};

static struct npb_team alone = {.members = 1};

int npb_team_limit(void)
{
	return 1;
}

struct npb_team *npb_team_new(const char *kernel, int members)
{
	(void)kernel;
	(void)members;
	return &alone;
}

void npb_team_run(struct npb_team *t, npb_work *work, void *arg)
{
	work(arg, 0, t->members);
}

void npb_team_barrier(struct npb_team *t)
{
	(void)t;
}

void npb_team_free(struct npb_team *t)
{
	(void)t;
}
