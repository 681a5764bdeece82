/*
 * pair.c: compares whole programs fairly: every command runs once a round, in an order shuffled anew for each round, so
 * that a slow moment of the machine hits all of them alike.
 *
 *	pair [-n ROUNDS] [-g GAP_MS] [-q MAX_MS] [-w] LABEL COMMAND ARG... /// LABEL COMMAND ARG... ...
 *
 * A COMMAND that begins with "<" names a file that becomes the standard input of the command after it. The clock runs
 * from before the spawn until after the wait. A run that ends with another status than 0 voids its row. One line a row
 * comes out, with tabs between:
 *
 *	LABEL  good runs  bad runs  median ms  10th percentile ms  median of processor ms  median ms of taking down
 *
 * -w  before each run, and for the last column after it, wait until the kernel's worker that frees net namespaces rests:
 *     it does so long after the last process has ended, and would otherwise work in the next row's time. Taking down
 *     begins when the command writes to the pipe that PAIR_BUILT names in its environment.
 * -q  before each run wait for 50 ms in which the machine is at least 70 % idle, but at most this long.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROWS_MAX 32

extern char **environ;

struct row {
	const char *label;
	const char *input; /* the file that is its standard input */
	char **argv;
	int messages; /* memory file that collects its standard error */
	unsigned good;
	unsigned bad;
	double *wall;
	double *cpu;
	double *down;
};

struct plan {
	unsigned rounds;
	long gap_ms;
	long quiet_ms;
	bool wait_gone;
	int built; /* the pipe's end to read; -1 without wait_gone */
	unsigned row_count;
	struct row rows[ROWS_MAX];
};

static void die(const char *what)
{
	fprintf(stderr, "pair: %s: %s\n", what, strerror(errno));
	exit(2);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double percentile(double *values, unsigned count, unsigned percent)
{
	if (count == 0)
		return 0;
	qsort(values, count, sizeof *values, compare);
	return values[(count - 1) * percent / 100];
}

/*
 * Whether a kernel worker is in the middle of freeing net namespaces: it then calls itself "kworker/...+netns", with "-"
 * for "+" once it has done.
 */
static bool netns_worker_runs(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool runs = false;

	if (!proc)
		die("/proc");
	while (!runs && (entry = readdir(proc))) {
		char path[64], name[80] = "";
		int fd;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof path, "/proc/%.16s/comm", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		runs = read(fd, name, sizeof name - 1) > 0 && strncmp(name, "kworker/", 8) == 0 && strstr(name, "+netns");
		close(fd);
	}
	closedir(proc);
	return runs;
}

/* Returns when the worker was last seen at work, or `start` when it never was. */
static double wait_gone(double start)
{
	double last = start;
	int calm = 0;

	while (calm < 6) {
		if (netns_worker_runs()) {
			last = now_ms();
			calm = 0;
		} else {
			calm++;
		}
		sleep_ms(4);
	}
	return last;
}

static bool read_idle(double *idle, double *all)
{
	double v[8] = {0};
	FILE *stat = fopen("/proc/stat", "re");
	bool ok;

	if (!stat)
		return false;
	ok = fscanf(stat, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7) == 8;
	fclose(stat);
	*idle = v[3] + v[4];
	*all = 0;
	for (int i = 0; i < 8; i++)
		*all += v[i];
	return ok;
}

static void wait_quiet(long max_ms)
{
	double end = now_ms() + (double)max_ms;
	double idle[2], all[2];

	while (now_ms() < end && read_idle(&idle[0], &all[0])) {
		sleep_ms(50);
		if (!read_idle(&idle[1], &all[1]) || idle[1] - idle[0] >= 0.7 * (all[1] - all[0]))
			return;
	}
}

/* Says what a row printed the first time that it failed. */
static void report_failure(const struct row *row, int status)
{
	char text[600];
	ssize_t got = pread(row->messages, text, sizeof text - 1, 0);

	text[got > 0 ? got : 0] = 0;
	fprintf(stderr, "pair: %s: wait status 0x%x: %s\n", row->label, (unsigned)status, text);
}

/* PAIR_BUILT names a pipe of this program. */
static int open_built(void)
{
	char name[64];
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		die("pipe2");
	snprintf(name, sizeof name, "/proc/%d/fd/%d", (int)getpid(), ends[1]);
	setenv("PAIR_BUILT", name, 1);
	return ends[0];
}

/* Returns when the command said that it has built all, or 0 when it ended without. */
static double wait_built(int built, pid_t pid)
{
	struct pollfd events[2] = {{.fd = built, .events = POLLIN}, {.events = POLLIN}};
	char text[64];
	double when = 0;

	events[1].fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (events[1].fd < 0)
		die("pidfd_open");
	while (when == 0 && poll(events, 2, -1) > 0 && (events[0].revents || !events[1].revents))
		if (read(built, text, sizeof text) > 0)
			when = now_ms();
	close(events[1].fd);
	return when;
}

static void run_once(struct plan *plan, struct row *row)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	double start, built = 0, end;
	pid_t pid;
	int status, failed;

	if (ftruncate(row->messages, 0) || lseek(row->messages, 0, SEEK_SET))
		die("memory file");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, row->input ? row->input : "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, row->messages, 2);
	start = now_ms();
	failed = posix_spawnp(&pid, row->argv[0], &actions, NULL, row->argv, environ);
	if (failed) {
		errno = failed;
		die(row->argv[0]);
	}
	if (plan->wait_gone)
		built = wait_built(plan->built, pid);
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			die("wait4");
	end = now_ms();
	posix_spawn_file_actions_destroy(&actions);
	if (status != 0) {
		if (row->bad++ == 0)
			report_failure(row, status);
	} else {
		row->wall[row->good] = end - start;
		row->cpu[row->good] = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
				      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
		row->down[row->good] = built > 0 ? wait_gone(end) - built : 0;
		row->good++;
	}
	if (plan->wait_gone && (built == 0 || status != 0))
		wait_gone(end);
}

static void shuffle(unsigned *order, unsigned count)
{
	for (unsigned i = count; i > 1; i--) {
		unsigned j = (unsigned)random() % i, held = order[i - 1];

		order[i - 1] = order[j];
		order[j] = held;
	}
}

static void run_rounds(struct plan *plan)
{
	unsigned order[ROWS_MAX];

	for (unsigned i = 0; i < plan->row_count; i++)
		order[i] = i;
	/* Round 0 only warms the caches. */
	for (unsigned round = 0; round <= plan->rounds; round++) {
		shuffle(order, plan->row_count);
		for (unsigned i = 0; i < plan->row_count; i++) {
			struct row *row = &plan->rows[order[i]];

			sleep_ms(plan->gap_ms);
			if (plan->quiet_ms)
				wait_quiet(plan->quiet_ms);
			run_once(plan, row);
			if (round == 0)
				row->good = 0;
		}
	}
}

static void *array_new(unsigned count)
{
	void *array = calloc(count + 1, sizeof(double));

	if (!array)
		die("memory");
	return array;
}

static void plan_rows(struct plan *plan, char **argv)
{
	while (*argv) {
		struct row *row = &plan->rows[plan->row_count++];

		if (plan->row_count > ROWS_MAX) {
			fprintf(stderr, "pair: more than %d rows\n", ROWS_MAX);
			exit(2);
		}
		row->label = *argv++;
		if (*argv && **argv == '<')
			row->input = *argv++ + 1;
		row->argv = argv;
		while (*argv && strcmp(*argv, "///") != 0)
			argv++;
		if (argv == row->argv) {
			fprintf(stderr, "pair: %s: no command\n", row->label);
			exit(2);
		}
		if (*argv)
			*argv++ = NULL;
		row->messages = memfd_create("messages", MFD_CLOEXEC);
		if (row->messages < 0)
			die("memfd_create");
		row->wall = array_new(plan->rounds);
		row->cpu = array_new(plan->rounds);
		row->down = array_new(plan->rounds);
	}
}

int main(int argc, char **argv)
{
	struct plan plan = {.rounds = 41, .gap_ms = 20, .built = -1};
	bool bad = false;
	int option;

	while ((option = getopt(argc, argv, "+n:g:q:w")) != -1) {
		switch (option) {
		case 'n': plan.rounds = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'g': plan.gap_ms = strtol(optarg, NULL, 10); break;
		case 'q': plan.quiet_ms = strtol(optarg, NULL, 10); break;
		case 'w': plan.wait_gone = true; break;
		default: return 2;
		}
	}
	srandom((unsigned)time(NULL));
	if (plan.wait_gone)
		plan.built = open_built();
	plan_rows(&plan, argv + optind);
	run_rounds(&plan);
	for (unsigned i = 0; i < plan.row_count; i++) {
		struct row *row = &plan.rows[i];

		printf("%s\t%u\t%u\t%.4f\t%.4f\t%.4f\t%.4f\n", row->label, row->good, row->bad, percentile(row->wall, row->good, 50),
		       percentile(row->wall, row->good, 10), percentile(row->cpu, row->good, 50), percentile(row->down, row->good, 50));
		bad |= row->bad > 0;
	}
	return bad;
}
