/*
 * stream.c: how fast a link carries a stream.
 *
 *	stream NETNS NETNS ADDRESS MILLISECONDS
 *
 * Sends over TCP from the first net namespace (the path of a file in proc) to ADDRESS in the second for that long, and prints the megabits a second
 * that arrived. What arrives in the first tenth of the time is not counted: the bucket was full, and TCP was finding its pace.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 5201 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int socket_in(const char *netns)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) {
		perror(netns);
		exit(1);
	}
	close(fd);
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void send_all(int sock, const struct sockaddr_in *to)
{
	static char data[128 * 1024];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (connect(sock, (const struct sockaddr *)to, sizeof *to) < 0) {
		perror("connect");
		_exit(1);
	}
	while (write(sock, data, sizeof data) > 0)
		;
	_exit(0);
}

int main(int argc, char **argv)
{
	static char data[1 << 20];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	double span, start, from;
	unsigned long long bytes = 0;
	ssize_t n;

	if (argc != 5 || inet_pton(AF_INET, argv[3], &to.sin_addr) != 1)
		return 2;
	span = atof(argv[4]) / 1000;
	int sender = socket_in(argv[1]), listening = socket_in(argv[2]), one = 1;
	setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listening, (struct sockaddr *)&to, sizeof to) < 0 || listen(listening, 1) < 0) {
		perror("listen");
		return 1;
	}
	if (fork() == 0)
		send_all(sender, &to);
	close(sender);
	int conn = accept(listening, NULL, NULL);
	start = from = now();
	while (now() - start < span && (n = read(conn, data, sizeof data)) > 0) {
		if (now() - start < span / 10)
			from = now();
		else
			bytes += (unsigned long long)n;
	}
	if (conn < 0 || now() - start < span)
		return 1;
	printf("%.2f\n", (double)bytes * 8 / 1e6 / (now() - from));
	return 0;
}
