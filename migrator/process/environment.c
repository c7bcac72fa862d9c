/* See environment.h. */
#include "migrator/process/environment.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define ENV_MAX 65536

static bool is_control_variable(const char *kv)
{
	static const char *const names[] = {DROVER_ENV_CTL "=",      DROVER_ENV_IMAGE_OUT "=",
					    DROVER_ENV_IMAGE_IN "=", DROVER_ENV_PLAN "=",
					    DROVER_ENV_HERE "=",     DROVER_ENV_IN_PLACE "="};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(kv, names[i], strlen(names[i])))
			return true;
	return false;
}

int environment_make(const struct process_spec *s, int ctl, int image, struct environment *env)
{
	size_t n = 0, k = 0;

	while (s->envp && s->envp[n])
		if (++n > ENV_MAX)
			return -E2BIG;
	env->envp = calloc(n + 7, sizeof(*env->envp));
	if (!env->envp)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!is_control_variable(s->envp[i]))
			env->envp[k++] = s->envp[i];
	(void)snprintf(env->ctl, sizeof(env->ctl), DROVER_ENV_CTL "=%d", ctl);
	(void)snprintf(env->out, sizeof(env->out), DROVER_ENV_IMAGE_OUT "=%d", image);
	env->envp[k++] = env->ctl;
	env->envp[k++] = env->out;
	if (s->image_in >= 0) {
		(void)snprintf(env->in, sizeof(env->in), DROVER_ENV_IMAGE_IN "=%d", s->image_in);
		env->envp[k++] = env->in;
	}
	if (s->plan) {
		int len = snprintf(env->plan, sizeof(env->plan), DROVER_ENV_PLAN "=%s", s->plan);

		if (len < 0 || (size_t)len >= sizeof(env->plan))
			return -EINVAL;
		env->envp[k++] = env->plan;
	}
	if (s->here)
		env->envp[k++] = DROVER_ENV_HERE "=1";
	if (s->in_place)
		env->envp[k++] = DROVER_ENV_IN_PLACE "=1";
	return 0;
}
