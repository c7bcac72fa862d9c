/* posix_spawn with file actions: what the child does about its descriptors is not done to the
 * program's. */
#include "sum.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(void)
{
	char *argv[] = {"echo", "said by the child", NULL};
	posix_spawn_file_actions_t a;
	int p[2], null = open("/dev/null", O_RDWR), status;
	uint64_t h = SUM_START;
	char buf[64];
	pid_t child;
	long n;

	if (pipe(p) || posix_spawn_file_actions_init(&a) ||
	    posix_spawn_file_actions_adddup2(&a, p[1], 1) ||
	    posix_spawn_file_actions_addclose(&a, null) ||
	    posix_spawn_file_actions_addclose(&a, p[0]))
		return 2;
	for (int i = 0; i < some(3); i++) {
		if (posix_spawn(&child, "/bin/echo", &a, NULL, argv, environ) ||
		    waitpid(child, &status, 0) != child)
			return 3;
		n = read(p[0], buf, sizeof buf);
		for (int k = 0; k < n; k++)
			h = mix(h, (unsigned char)buf[k]);
		/* To the program's own output, and to its own descriptors. */
		printf("child %d: status %d, %ld bytes\n", i, status, n);
		fflush(stdout);
		for (int k = 0; k < some(5); k++)
			h = mix(h, (uint64_t)write(null, buf, (size_t)n));
	}
	posix_spawn_file_actions_destroy(&a);
	show("spawned", h);
	return 0;
}
